"""The app's Home on the page: its two tabs, and a check-in answered on it."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from bot.rehearsal.harness import BotHarness
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_a_check_in_on_the_home(at_work: BotHarness, desktop: Visitor) -> None:
    at_work.workspace.person("U01LEAD").types("/cadence cycle start support-reply 2026-03-02")
    at_work.play_until(datetime(2026, 3, 5, 9, 0, tzinfo=UTC))
    page = desktop.page
    desktop.acts_as("Jana Hoffmann")
    desktop.goes_to("Home")
    home = page.locator("#messages")
    expect(home).to_contain_text("1 item needs you")
    desktop.shoots("30-home-owner")
    home.get_by_role("button", name="Check in", exact=True).click()
    desktop.sends()
    expect(home).to_contain_text("You: checked in")
    page.locator("#tabs").get_by_role("button", name="Messages").click()
    expect(desktop.message("Checked in").last).to_contain_text("Change")
    page.locator("#tabs").get_by_role("button", name="Home").click()
    expect(home).to_contain_text("Your playbooks")
    desktop.shoots("31-home-answered")


def test_the_home_is_there_when_the_page_opens_on_it(at_work: BotHarness, desktop: Visitor) -> None:
    desktop.looks_at("U01LEAD", "home")
    expect(desktop.page.locator("#messages .block").first).to_be_visible()
    expect(desktop.page.locator("#messages")).not_to_contain_text("Nothing here yet.")
