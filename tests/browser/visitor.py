"""Somebody who uses the page: clicks, fills in, looks, and takes pictures."""

import re
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

SHOTS = Path(__file__).parent / "shots"


class Visitor:
    """Uses the page as a person does; every step waits for its result."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def opens(self) -> None:
        """Open the page."""
        self.page.goto(f"{self.url}/")
        expect(self.page.locator("#where")).not_to_be_empty()

    def acts_as(self, name: str) -> None:
        """Become somebody, by the list at the top."""
        self.page.locator("#as").click()
        with self.page.expect_response(lambda one: "/_sandbox/state?since=-1&" in one.url):
            self.page.locator("#who [role=option]", has_text=name).click()
        expect(self.page.locator("#as")).to_have_value(name)

    def looks_at(self, member: str, channel: str, ts: str = "") -> None:
        """Be led to a message, as somebody who can read it."""
        # an answer that still comes to the old page may not write over it
        keep = "() => { Storage.prototype.setItem = () => {}; }"
        begin = "([as, place]) => Object.assign(sessionStorage, { as, place })"
        self.page.evaluate(keep)
        self.page.evaluate(begin, [member, channel])
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}/#{channel}{'/' if ts else ''}{ts}")
        expect(self.page.locator("#where")).not_to_be_empty()
        if ts:
            expect(self.page.locator(f"[data-ts='{ts}']").first).to_be_visible()

    def types(self, text: str) -> None:
        """Write into the box and send it."""
        self.page.locator("#text").fill(text)
        self.page.locator("#write button[type=submit]").click()
        expect(self.page.locator("#text")).to_have_value("")

    def goes_to(self, place: str) -> None:
        """Open a channel, the bot's messages or the Home."""
        self.shows_places()
        self.page.locator("nav .place", has_text=place).first.click()
        expect(self.page.locator("nav [aria-current]", has_text=place)).to_have_count(1)

    def shows_places(self) -> None:
        """On a phone the bar at the left is behind a button."""
        menu = self.page.locator("#menu")
        if menu.is_visible() and menu.get_attribute("aria-expanded") == "false":
            menu.click()

    def commands(self, command: str) -> None:
        """Choose a command from the list behind the slash button, and send it."""
        self.page.locator("#slash").click()
        wanted = re.compile(f"^{re.escape(command)}\\s*$")
        self.page.locator("#complete .option-label", has_text=wanted).click()
        self.page.locator("#write button[type=submit]").click()

    def moves_on(self) -> str:
        """Move to the next event; returns the page's summary."""
        self.page.locator("[data-move=next]").click()
        said = self.page.locator("#came-words")
        expect(said).not_to_contain_text("Moving")
        return said.inner_text()

    def moves_on_until(self, words: str, most: int = 30) -> None:
        """Event by event until the clock shows these words."""
        now = self.page.locator("#now")
        for _ in range(most):
            self.moves_on()
            if words in now.inner_text():
                return
        raise AssertionError(f"the clock never showed {words!r}, but {now.inner_text()!r}")

    @property
    def form(self) -> Locator:
        """The form on top."""
        return self.page.locator("dialog#form[open]")

    def fills(self, values: Mapping[str, str]) -> None:
        """Fill in fields by their labels: menus by the words of an option."""
        for label, value in values.items():
            field = self.form.get_by_label(label, exact=False).first
            if field.evaluate("node => node.classList.contains('select')"):
                field.click()
                self.form.get_by_role("option", name=value, exact=True).click()
            else:
                field.fill(value)

    def sends(self) -> None:
        """Press the form's button; it must be taken: the form goes, or shows something else."""
        shown = self.form.get_attribute("data-view")
        self.form.locator("footer .primary").click()
        expect(self.page.locator(f'dialog[open][data-view="{shown}"]')).to_have_count(0)

    def reads_the_answer(self) -> None:
        """Close the form's answer, if it is shown in a form."""
        if self.form.count():
            self.closes()

    def closes(self) -> None:
        """Press the form's close button."""
        self.form.locator("[data-key=form-close]").click()
        expect(self.form).to_have_count(0)

    def message(self, words: str) -> Locator:
        """The newest message that says this."""
        return self.page.locator("#messages .message", has_text=words).last

    def presses(self, label: str, message: str) -> None:
        """Press a button of the newest message that says this."""
        self.message(message).get_by_role("button", name=label, exact=True).click()

    def shoots(self, name: str) -> None:
        """Keep a picture."""
        SHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")
