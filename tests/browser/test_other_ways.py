"""The same page by keyboard alone, on a phone, and with example people who do it all."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from bot.rehearsal.demo_users import DemoUsers
from cadence.documents import read_workspace
from tests.browser.conftest import visiting
from tests.browser.visitor import Visitor
from tests.harnesses import EXAMPLES, bot_harness

pytestmark = pytest.mark.browser


def test_a_check_in_by_keyboard_alone(desktop: Visitor) -> None:
    page = desktop.page
    press, type_ = page.keyboard.press, page.keyboard.type
    page.locator("#as").focus()
    type_("jana h")
    press("Enter")
    expect(page.locator("#as")).to_have_value("Jana Hoffmann")
    page.locator("#text").focus()
    type_("/cadence cy")
    expect(page.locator("#complete [aria-selected=true]")).to_contain_text("/cadence cycle start")
    press("Tab")
    type_("sup")
    expect(page.locator("#complete [aria-selected=true]")).to_contain_text("support-reply")
    press("Tab")
    type_("2026-03-02")
    press("Enter")
    expect(desktop.message("starts on Mon 2 Mar")).to_contain_text("Only visible to you")
    expect(page.locator("#text")).to_be_focused()
    expect(page.locator("#text")).to_have_value("")
    press("ArrowUp")
    expect(page.locator("#text")).to_have_value("/cadence cycle start support-reply 2026-03-02")
    page.locator("[data-move=next]").focus()
    while "Thu, 5 Mar" not in page.locator("#now").inner_text():
        press("Enter")
        expect(page.locator("#came-words")).not_to_contain_text("Moving")
    expect(page.locator("[data-move=next]")).to_be_focused()
    desktop.message("did you run it as declared?").get_by_role("button", name="Ran as declared").focus()
    press("Enter")
    expect(desktop.form.get_by_label("Runs", exact=True)).to_be_focused()
    press("Escape")
    expect(desktop.form).to_have_count(0)
    expect(page.get_by_role("button", name="Ran as declared")).to_be_focused()
    press("Enter")
    expect(desktop.form).to_have_count(1)
    press("Enter")
    expect(desktop.message("ran as declared, 13 runs")).to_be_visible()
    assert page.evaluate("document.activeElement.closest('.message') !== null")


def test_a_phone_is_enough(phone: Visitor) -> None:
    page = phone.page
    phone.acts_as("Jana Hoffmann")
    phone.goes_to("support-emea")
    expect(page.locator("nav")).not_to_be_visible()
    phone.commands("/cadence cycle start")
    phone.shoots("30-phone-form")
    phone.sends()
    phone.reads_the_answer()
    phone.moves_on_until("Thu, 5 Mar")
    page.locator("#came-places").get_by_role("button", name=re.compile("Jana")).click()
    expect(phone.message("did you run it as declared?")).to_be_visible()
    phone.shoots("31-phone-check-in")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    phone.shows_places()
    phone.shoots("32-phone-places")
    page.keyboard.press("Escape")
    expect(page.locator("#menu")).to_be_focused()
    phone.shows_places()
    page.locator("#inspect").click()
    expect(page.locator(".exchange").first).to_be_visible()
    phone.shoots("33-phone-inspector")


def test_example_people_play_until_they_are_stopped(chromium: Browser, tmp_path: Path) -> None:
    people = read_workspace((EXAMPLES / "workspace.yaml").read_text(encoding="utf-8"))
    users = DemoUsers(people, EXAMPLES / "answers", "support-reply", pause=0.3)
    with bot_harness(tmp_path, demo_users=users) as harness, visiting(chromium, harness.server.url) as at:
        at.page.get_by_role("button", name="Play the cycle").click()
        expect(at.page.locator("#playing")).to_contain_text("Example people")
        expect(at.page.locator("#stop")).to_be_focused()
        expect(at.page.locator("#played")).to_contain_text("pressed Ran as declared")
        at.shoots("40-playing")
        at.page.locator("#stop").click()
        expect(at.page.locator("#playing")).to_be_hidden()
        expect(at.page.locator("#came-words")).to_contain_text("Stopped.")
        expect(at.page.locator("#came-places")).to_contain_text("DM to Mehmet")
        expect(at.page.get_by_role("button", name="Play the cycle")).to_be_visible()
        at.shoots("41-stopped")
