"""Takes the README's pictures again: `python -m tests.browser.pictures`. Small PNGs, into docs/pictures."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from playwright.sync_api import Locator, sync_playwright

from bot.cast import Cast
from bot.stage import Stage
from cadence.documents import read_workspace
from tests.browser.conftest import ARGUMENTS, PHONE, visiting
from tests.browser.visitor import Visitor
from tests.staging import EXAMPLES, on_stage

PICTURES = Path(__file__).parent.parent.parent / "docs" / "pictures"


def take(shown: Locator, name: str) -> None:
    """One picture of an element."""
    shown.screenshot(path=PICTURES / f"{name}.png")


def played_until(stage: Stage, cast: Cast, words: str) -> None:
    """Let the example people act until a sentence of theirs holds these words."""
    stop = Event()
    cast.play(stage, stop, lambda said: stop.set() if words in said else None)


def main() -> None:
    """Take them all."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    people = read_workspace((EXAMPLES / "workspace.yaml").read_text(encoding="utf-8"))
    cast = Cast(people, starts="support-reply", pause=0)
    with (
        TemporaryDirectory() as folder,
        on_stage(Path(folder), players=cast) as stage,
        sync_playwright() as playwright,
    ):
        program = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        played_until(stage, cast, "Mehmet Aydın: ran as declared")
        with visiting(browser, stage.server.url) as at:
            check_in(at)
            played_until(stage, cast, "said what changes")
            the_page(at)
            played_until(stage, cast, "no such words")
            the_close(at)
        with visiting(browser, stage.server.url, PHONE) as at:
            at.acts_as("Jana Hoffmann")
            at.goes_to("support-emea")
            at.page.screenshot(path=PICTURES / "phone.png")
        browser.close()


def check_in(at: Visitor) -> None:
    """The check-in as it comes."""
    at.acts_as("Lukas Brandt")
    at.goes_to("Rollout Cadence")
    take(at.message("did you run it as declared?"), "check-in")


def the_page(at: Visitor) -> None:
    """The alert, and the page around it."""
    at.acts_as("Jana Hoffmann")
    at.goes_to("support-emea")
    take(at.message("Over the cap"), "alert")
    at.page.screenshot(path=PICTURES / "page.png")


def the_close(at: Visitor) -> None:
    """The end of the cycle."""
    closed = at.message("cycle 1: met")
    closed.scroll_into_view_if_needed()
    take(closed, "closed")
    at.page.screenshot(path=PICTURES / "close-page.png")


if __name__ == "__main__":
    main()
