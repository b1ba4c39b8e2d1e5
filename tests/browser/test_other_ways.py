"""The same page by keyboard alone, on a phone, and with example people who do it all."""

import re
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from bot.rehearsal.demo_users import DemoUsers
from bot.rehearsal.first_visit import first_visit
from bot.rehearsal.harness import BotHarness, read_profiles
from cadence.documents import read_playbook, read_workspace
from templates.chart import draw
from tests.browser.conftest import DESKTOP, PHONE, visiting
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
    assert desktop.moves_on() == "Nothing is scheduled. Start a cycle first."
    page.locator("#text").focus()
    type_("/cadence cy")
    expect(page.locator("#complete [aria-selected=true]")).to_contain_text("/cadence cycle start")
    press("Tab")
    type_("sup")
    expect(page.locator("#complete [aria-selected=true]")).to_contain_text("support-reply")
    press("Tab")
    type_("2026-03-02")
    press("Enter")
    expect(desktop.message("starts Mon 2 Mar")).to_contain_text("Only visible to you")
    expect(page.locator("#came")).to_be_hidden()
    expect(page.locator("#text")).to_be_focused()
    expect(page.locator("#text")).to_have_value("")
    press("ArrowUp")
    expect(page.locator("#text")).to_have_value("/cadence cycle start support-reply 2026-03-02")
    page.locator("[data-move=next]").focus()
    while "Thu, 5 Mar" not in page.locator("#now").inner_text():
        press("Enter")
        expect(page.locator("#came-words")).not_to_contain_text("Moving")
    expect(page.locator("[data-move=next]")).to_be_focused()
    answer = page.locator("#messages .message .block-button.primary").last
    answer.focus()
    press("Enter")
    expect(desktop.form.get_by_role("radio").first).to_be_focused()
    press("Escape")
    expect(desktop.form).to_have_count(0)
    expect(answer).to_be_focused()
    press("Enter")
    expect(desktop.form).to_have_count(1)
    press("Enter")
    expect(desktop.message("13 runs")).to_be_visible()
    assert page.evaluate("document.activeElement.closest('.message') !== null")


def test_two_quick_escapes_close_a_form(desktop: Visitor) -> None:
    page, heard = desktop.page, count(1)
    desktop.acts_as("Jana Hoffmann")
    desktop.goes_to("support-emea")
    desktop.commands("/cadence cycle start")
    expect(desktop.form).to_have_count(1)
    escape = "(form) => form.dispatchEvent(new Event('cancel', { cancelable: true }))"
    with page.expect_response(lambda one: one.url.endswith("/act") and next(heard) == 2) as second:
        page.locator("#form").evaluate(f"(form) => [1, 2].forEach(() => ({escape})(form))")
    assert second.value.json() == {"ok": True}
    expect(desktop.form).to_have_count(0)
    expect(page.locator("#status")).to_be_empty()


def test_the_list_of_people_opens_at_the_one_who_acts(desktop: Visitor) -> None:
    desktop.acts_as("Jana Hoffmann")
    desktop.page.locator("#as").click()
    people = desktop.page.locator("#who [role=option]")
    expect(people.first).to_contain_text("Jana Hoffmann")
    expect(people.first).to_have_attribute("aria-selected", "true")
    expect(people.first).to_be_in_viewport(ratio=1)


def test_a_phone_is_enough(phone: Visitor) -> None:
    page = phone.page
    phone.acts_as("Jana Hoffmann")
    phone.goes_to("support-emea")
    expect(page.locator("nav")).not_to_be_visible()
    phone.commands("/cadence cycle start")
    phone.shoots("30-phone-form")
    phone.sends()
    phone.reads_the_answer()
    phone.moves_on_until("Thu 5 Mar")
    icon, unread = page.locator("#menu .icon").bounding_box(), page.locator("#menu .badge").bounding_box()
    assert icon is not None
    assert unread is not None
    assert icon["x"] + icon["width"] <= unread["x"]
    page.locator("#came-places").get_by_role("button", name=re.compile("Jana")).click()
    expect(phone.message("Did this week run as planned?")).to_be_visible()
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


@pytest.fixture
def users() -> DemoUsers:
    people = read_workspace((EXAMPLES / "workspace.yaml").read_text(encoding="utf-8"))
    return DemoUsers(people, EXAMPLES / "answers", "support-reply", pause=0.3)


def test_example_people_play_until_they_are_stopped(
    chromium: Browser, tmp_path: Path, users: DemoUsers
) -> None:
    with (
        bot_harness(tmp_path, demo_users=users, draw=draw) as harness,
        visiting(chromium, harness.server.url) as at,
    ):
        page = at.page
        page.get_by_role("button", name="Play the cycle").click()
        expect(page.locator("#playing")).to_contain_text("Example people")
        expect(page.locator("#pause")).to_be_focused()
        expect(page.locator("#where")).to_have_text("#support-emea")
        expect(page.locator("#as")).to_have_value("Mehmet Aydın")  # whose check-in is answered first
        expect(page.locator("#played")).to_contain_text("Mehmet Aydın pressed")
        page.locator("#pause").click()
        expect(page.locator("#pause")).to_have_text("Resume")
        at.shoots("40-playing")
        at.goes_to("Home")
        expect(page.locator("#follow")).to_have_attribute("aria-pressed", "false")
        page.locator("[data-speed='4']").click()
        expect(page.locator("[data-speed='4']")).to_have_attribute("aria-pressed", "true")
        page.locator("#pause").click()
        expect(page.locator("#played")).to_contain_text("Jana Hoffmann pressed")
        expect(page.locator("#where")).to_have_text("Rollout Cadence")
        page.locator("#stop").click()
        expect(page.locator("#playing")).to_be_hidden()
        expect(page.locator("#came-words")).to_contain_text("Stopped.")
        expect(page.locator("#came-places")).to_contain_text("DM to Mehmet")
        expect(page.locator("#recap")).to_be_hidden()
        expect(page.get_by_role("button", name="Play the cycle")).to_be_visible()
        at.shoots("41-stopped")


def test_a_play_ends_with_five_links(chromium: Browser, tmp_path: Path, users: DemoUsers) -> None:
    quick = replace(users, pause=0)
    with (
        bot_harness(tmp_path, demo_users=quick, draw=draw) as harness,
        visiting(chromium, harness.server.url) as at,
    ):
        at.page.get_by_role("button", name="Play the cycle").click()
        links = at.page.locator("#recap button.recap-link")
        expect(links).to_have_count(5, timeout=180_000)
        expect(at.page.locator("#recap-words")).to_have_text("3 cycles complete.")
        expect(at.page.locator("#came")).to_be_hidden()
        at.shoots("42-recap")
        for size in (PHONE, DESKTOP):
            at.page.set_viewport_size(size)
            assert links.evaluate_all("all => all.every((one) => one.scrollWidth <= one.clientWidth)")
            strip = at.page.locator("#strip").bounding_box()
            assert strip is not None
            assert strip["height"] < size["height"] / 4
        links.nth(2).click()
        expect(at.page.locator("#messages .aimed")).to_be_in_viewport()
        expect(at.page.locator("#messages .aimed")).to_contain_text("Send the edited reply")
        links.last.click()
        expect(at.page.locator("#messages .aimed")).to_contain_text("Promoted: “Send the edited reply”")
        at.shoots("43-recap-promoted")


def test_a_first_visit_is_guided_once(chromium: Browser, tmp_path: Path) -> None:
    people, playbook = (
        read_workspace((EXAMPLES / "workspace.yaml").read_text(encoding="utf-8")),
        read_playbook((EXAMPLES / "support-reply.yaml").read_text(encoding="utf-8")),
    )
    welcome = first_visit(people, playbook, read_profiles(EXAMPLES / "names.csv"))
    with (
        bot_harness(tmp_path, welcome=welcome, draw=draw) as harness,
        visiting(chromium, harness.server.url) as at,
    ):
        expect(at.page.locator("#as")).to_have_value("Jana Hoffmann")
        expect(at.page.locator("#where")).to_have_text("#support-emea")
        guide = at.page.locator("#guide")
        for number, title in enumerate(
            ("Start as Jana Hoffmann", "Ask for anything", "Time is simulated", "Play the cycle"),
            start=1,
        ):
            expect(guide).to_contain_text(title)
            expect(guide).to_contain_text(f"{number} of 4")
            at.shoots(f"00-guide-{number}")
            guide.locator(".primary").click()
        expect(guide).to_be_hidden()
        at.page.reload()
        expect(at.page.locator("#where")).to_have_text("#support-emea")
        expect(guide).to_be_hidden()


def test_search_leads_to_a_channel_a_person_and_a_message(at_work: BotHarness, desktop: Visitor) -> None:
    page = desktop.page
    desktop.acts_as("Jana Hoffmann")
    jana = at_work.workspace.person("U01LEAD")
    jana.says("The refund policy is new", "C01SUPEMEA")
    for number in range(30):
        jana.says(f"Filler {number}", "C01SUPEMEA")
    page.keyboard.press("Control+k")
    page.keyboard.type("support")
    expect(page.locator("#search-list [aria-selected=true]")).to_contain_text("support-emea")
    page.keyboard.press("Enter")
    expect(page.locator("#where")).to_have_text("#support-emea")
    page.locator("#search-open").click()
    page.keyboard.type("refund policy")
    expect(page.locator("#search-list")).to_contain_text("The refund policy is new")
    desktop.shoots("50-search")
    page.keyboard.press("Enter")
    expect(page.locator("#messages .aimed")).to_be_in_viewport()
    page.locator("#search-open").click()
    page.keyboard.type("mehmet")
    page.locator("#search-list [role=option]", has_text="Mehmet").first.click()
    expect(page.locator("#as")).to_have_value("Mehmet Aydın")


def test_the_composer_takes_several_lines(desktop: Visitor) -> None:
    page = desktop.page
    desktop.acts_as("Jana Hoffmann")
    desktop.goes_to("support-emea")
    page.locator("#text").focus()
    page.keyboard.type("First line")
    low = page.locator("#text").evaluate("node => node.clientHeight")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("Second line")
    assert page.locator("#text").evaluate("node => node.clientHeight") > low
    page.keyboard.press("Enter")
    expect(desktop.message("First line").locator(".mrkdwn")).to_have_text(
        re.compile("First line\nSecond line")
    )
    expect(page.locator("#text")).to_have_value("")


def test_the_menu_of_a_message_by_keyboard(at_work: BotHarness, desktop: Visitor) -> None:
    page = desktop.page
    desktop.acts_as("Jana Hoffmann")
    desktop.goes_to("support-emea")
    at_work.workspace.person("U01LEAD").says("A refund was promised", "C01SUPEMEA")
    more = desktop.message("A refund was promised").locator("button[aria-haspopup=menu]")
    more.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    expect(more).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    expect(more).to_have_attribute("aria-expanded", "false")
