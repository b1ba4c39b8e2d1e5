"""Takes the README's pictures again, the animated one too: `python -m tests.browser.pictures`, into docs/pictures."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Locator, ViewportSize, expect, sync_playwright

from bot.rehearsal.demo_users import DemoUsers
from bot.rehearsal.harness import BotHarness
from bot.sandbox.playback import Playback
from cadence.documents import read_workspace
from templates.chart import draw
from tests.browser.conftest import ARGUMENTS, visiting
from tests.browser.film import Director, film
from tests.browser.visitor import Visitor
from tests.harnesses import EXAMPLES, bot_harness

SMALL = ViewportSize(width=1180, height=620)
TALL = ViewportSize(width=1180, height=1300)
"""For a message that is longer than the page is high."""
PICTURES = Path(__file__).parent.parent.parent / "docs" / "pictures"


def take(shown: Locator, name: str) -> None:
    """One picture of an element."""
    shown.screenshot(path=PICTURES / f"{name}.png")


def played_until(harness: BotHarness, users: DemoUsers, words: str) -> None:
    """Let the example people act until a sentence of theirs holds these words."""
    playback = Playback(lambda: playback.stop() if words in playback.said and not playback.stopped else None)
    users.play(harness, playback)


def main() -> None:
    """Take them all."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    people = read_workspace((EXAMPLES / "workspace.yaml").read_text(encoding="utf-8"))
    users = DemoUsers(people, EXAMPLES / "answers", "support-reply", pause=0)
    with (
        TemporaryDirectory() as folder,
        bot_harness(Path(folder), demo_users=users, draw=draw) as harness,
        sync_playwright() as playwright,
    ):
        program = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        played_until(harness, users, "Mehmet Aydın pressed")
        with visiting(browser, harness.server.url, SMALL) as at:
            check_in(at)
            played_until(harness, users, "pressed “Add a plan”")
            alert(at)
            home(at)
            played_until(harness, users, "no such words")
            chart(at)
        animated(browser, users)
        browser.close()


def animated(browser: Browser, users: DemoUsers) -> None:
    """The played cycle, from its first week to the step's promotion, in a workspace of its own."""
    director = Director(users)
    with (
        TemporaryDirectory() as folder,
        bot_harness(Path(folder), demo_users=director, draw=draw) as harness,
        visiting(browser, harness.server.url) as at,
    ):
        at.acts_as("Jana Hoffmann")
        film(at, director, PICTURES / "cycle.webp")


def check_in(at: Visitor) -> None:
    """The check-in as it comes."""
    at.acts_as("Lukas Brandt")
    at.goes_to("Rollout Cadence")
    take(at.message("Did this week run as planned?").locator(".content"), "check-in")


def alert(at: Visitor) -> None:
    """A step over its cap, with the owner's answer."""
    at.acts_as("Jana Hoffmann")
    at.goes_to("support-emea")
    at.page.mouse.move(0, 0)
    take(at.message("is over its cap").locator(".content"), "alert")


def home(at: Visitor) -> None:
    """The owner's Home: pending items, and the playbook in numbers."""
    at.goes_to("Home")
    expect(at.page.locator("#messages")).to_contain_text("Your playbooks")
    at.page.screenshot(path=PICTURES / "home.png")
    at.goes_to("support-emea")


def chart(at: Visitor) -> None:
    """The closing post with its chart."""
    at.page.set_viewport_size(TALL)
    closed = at.message("hit its target")
    expect(closed.get_by_role("img").last).to_be_visible()
    take(closed.locator(".content"), "chart")


if __name__ == "__main__":
    main()
