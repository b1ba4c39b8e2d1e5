"""A whole week on the page, by clicking: a cycle, a check-in, exceptions, a watch, a demotion, why, the digest."""

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def test_a_whole_week_by_clicking(desktop: Visitor) -> None:
    jana_starts_a_cycle(desktop)
    mehmet_answers_in_two_clicks(desktop)
    exceptions_bring_a_watch_and_jana_answers_it(desktop)
    a_critical_one_demotes_and_says_why(desktop)
    katrin_reads_the_digest(desktop)


def jana_starts_a_cycle(at: Visitor) -> None:
    at.acts_as("Jana Hoffmann")
    at.shoots("01-before")
    at.goes_to("support-emea")
    at.commands("/cadence cycle start")
    expect(at.form).to_contain_text("Start a cycle")
    at.shoots("02-start-form")
    at.sends()
    expect(at.form).to_contain_text("starts Mon 2 Mar")
    at.closes()
    expect(at.page.locator("#text")).to_be_focused()


def mehmet_answers_in_two_clicks(at: Visitor) -> None:
    at.moves_on_until("Thu, 5 Mar")
    places = at.page.locator("#came-places")
    expect(places).to_contain_text("DM to Mehmet Aydın")
    expect(at.page.locator("nav .place", has_text="Rollout Cadence").locator(".badge")).to_be_visible()
    at.shoots("03-thursday")
    places.get_by_role("button", name="DM to Mehmet Aydın").click()
    expect(at.page.locator("#as")).to_have_value("Mehmet Aydın")
    expect(at.page.locator(".new-line")).to_be_visible()
    expect(at.page.locator("nav .place", has_text="Rollout Cadence").locator(".badge")).to_have_count(0)
    at.shoots("04-check-in")
    at.presses("As planned", "Did this week run as planned?")
    expect(at.form).to_contain_text("Your runs this week")
    at.shoots("05-check-in-form")
    at.sends()
    expect(at.form).to_have_count(0)
    expect(at.message("Checked in · 13 runs").get_by_role("button", name="Change")).to_be_visible()
    at.shoots("06-answered")


def exceptions_bring_a_watch_and_jana_answers_it(at: Visitor) -> None:
    at.goes_to("support-emea")
    for what in ("a refund", "a discount", "a call back"):
        log_an_exception(at, f"It promised {what}")
    watch = at.message("“Send the edited reply” is over its cap")
    expect(watch).to_contain_text("what's the plan?")
    at.shoots("07-watch")
    at.acts_as("Jana Hoffmann")
    at.presses("Add a plan", "is over its cap")
    at.fills({"What's the plan?": "The refund policy goes into the prompt."})
    at.sends()
    at.reads_the_answer()
    expect(watch).to_contain_text("The refund policy goes into the prompt.")


def a_critical_one_demotes_and_says_why(at: Visitor) -> None:
    log_an_exception(at, "It quoted another customer", critical=True)
    demoted = at.message("Demoted: “Send the edited reply”")
    expect(demoted).to_contain_text("AI-led → collaborative")
    at.shoots("08-demoted")
    at.presses("Why", "Demoted: “Send the edited reply”")
    expect(at.page.locator("#messages .ephemeral, dialog#form[open]").last).to_contain_text("4 exceptions")
    at.shoots("09-why")
    if at.form.count():
        at.closes()


def katrin_reads_the_digest(at: Visitor) -> None:
    at.moves_on_until("Mon, 9 Mar 2026, 11:00")
    at.acts_as("Katrin Lindner")
    at.goes_to("ai-curators")
    digest = at.message("Week of 2 Mar")
    expect(digest).to_contain_text("Support reply (Support EMEA)")
    digest.scroll_into_view_if_needed()
    at.shoots("10-digest")
    at.page.locator("#inspect").click()
    posted = at.page.locator(".exchange", has_text="chat.postMessage").first
    posted.locator("summary").click()
    expect(posted).to_contain_text("Week of 2 Mar")
    at.shoots("11-inspector")


def log_an_exception(at: Visitor, reason: str, *, critical: bool = False) -> None:
    """Log one by the form, as the acting person, and close the answer."""
    at.commands("/exception")
    at.fills({"Which step": "Send the edited reply (AI-led)", "What happened": reason})
    if critical:
        at.form.get_by_role("checkbox").check()
    at.sends()
    if critical:
        expect(at.form).to_contain_text("A critical exception demotes “Send the edited reply”")
        at.sends()
    at.reads_the_answer()
