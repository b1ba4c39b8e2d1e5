"""Takes a picture of every surface, light and dark, wide and on a phone: `python -m tests.browser.contact_sheet`.

They go into the folder that `CONTACT_SHEET` names, else into `var/contact-sheet`, with an `index.html` that
shows them all.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.sync_api import Browser, ViewportSize, expect, sync_playwright

from bot.rehearsal.demo_users import DemoUsers
from bot.rehearsal.first_visit import first_visit
from bot.rehearsal.harness import BotHarness, read_profiles
from bot.sandbox.messages import Message
from bot.sandbox.playback import Playback
from cadence.documents import read_playbook, read_workspace
from templates.chart import draw
from tests.browser import gallery
from tests.browser.conftest import ARGUMENTS, visiting
from tests.browser.six_months import CHAMPION, LEAD, PILOT, SLUG, SixMonths, six_months
from tests.browser.visitor import Visitor
from tests.harnesses import EXAMPLES, bot_harness

WIDE = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
OWNER, MEMBER, LATE, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"
TEAM, CURATORS = "C01SUPEMEA", "C01CURATORS"
IN_SIGHT = """() => {
    const box = document.querySelector("#messages");
    if (box.classList.contains("home")) return;
    const shown = box.querySelector(".aimed") ?? box.querySelector(".message:last-child");
    shown?.scrollIntoView({ block: shown.offsetHeight > box.clientHeight ? "start" : "center" });
}"""


@dataclass(frozen=True, slots=True)
class Variant:
    """How a surface is looked at."""

    name: str
    size: ViewportSize
    scheme: Literal["light", "dark"]


VARIANTS = (
    Variant("wide-light", WIDE, "light"),
    Variant("wide-dark", WIDE, "dark"),
    Variant("phone-light", PHONE, "light"),
    Variant("phone-dark", PHONE, "dark"),
)
"""Both widths in both color schemes."""


def folder() -> Path:
    """Where the pictures go."""
    return Path(os.environ.get("CONTACT_SHEET") or Path(__file__).parents[2] / "var" / "contact-sheet")


@dataclass(slots=True)
class Sheet:
    """The pictures taken so far.

    Args:
        at: somebody at the page.
        into: the folder.
        variants: how each surface is looked at.
        look: called with each surface as it is shown, such as to check it.
        part: the number of this sheet, which the names begin with.
    """

    at: Visitor
    into: Path
    variants: tuple[Variant, ...]
    look: Callable[[str], None]
    part: int
    taken: int = 0

    def shoot(self, surface: str) -> None:
        """What is shown now, once for each variant."""
        self.taken += 1
        page, name = self.at.page, f"{self.part}{self.taken:02}-{surface}"
        for variant in self.variants:
            page.emulate_media(color_scheme=variant.scheme, reduced_motion="reduce")
            page.set_viewport_size(variant.size)
            page.mouse.move(0, 0)
            page.evaluate(IN_SIGHT)
            page.screenshot(path=self.into / f"{name}-{variant.name}.png")
            self.look(f"{surface}, {variant.name}")
        page.set_viewport_size(WIDE)


def index(into: Path, variants: Sequence[Variant]) -> None:
    """Write the page that shows all pictures taken so far."""
    last = f"-{variants[-1].name}.png"
    taken = sorted(one.name.removesuffix(last) for one in into.glob(f"*{last}"))
    rows = "".join(
        f"<h2>{escape(name)}</h2><div>"
        + "".join(
            f'<img src="{escape(name)}-{one.name}.png" alt="{escape(name)}, {one.name}" height="420"> '
            for one in variants
        )
        + "</div>"
        for name in taken
    )
    text = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Contact sheet</title>{rows}</html>'
    (into / "index.html").write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Story:
    """A played cycle that stops where there is something to see."""

    harness: BotHarness
    users: DemoUsers

    def play_until(self, kind: str, count: int = 1) -> None:
        """Let the example people act until so many messages of a kind were posted; to the end if they never are."""

        def look() -> None:
            if not playback.stopped and len(self.posted(kind)) >= count:
                playback.stop()

        playback = Playback(look)
        self.users.play(self.harness, playback)

    def posted(self, kind: str, channel: str = "") -> list[Message]:
        """The bot's messages of a kind, oldest first."""
        return [
            message
            for message in self.harness.workspace.messages.everywhere()
            if _kind(message) == kind and channel in ("", message.channel)
        ]

    def dm(self, member: str) -> str:
        """The channel of a member's messages from the bot."""
        return self.harness.workspace.dm_with(member).id


def _kind(message: Message) -> str:
    """What a message's key begins with."""
    key = ((message.metadata or {}).get("event_payload") or {}).get("key", "")
    return str(key).partition(":")[0]


def take_cycle(
    chromium: Browser, into: Path, variants: tuple[Variant, ...], check: Callable[[Visitor, str], None]
) -> int:
    """Take the pictures of one team's cycle, and of the page itself; returns how many surfaces there are."""
    into.mkdir(parents=True, exist_ok=True)
    people = read_workspace((EXAMPLES / "workspace.yaml").read_text(encoding="utf-8"))
    playbook = read_playbook((EXAMPLES / "support-reply.yaml").read_text(encoding="utf-8"))
    users = DemoUsers(people, EXAMPLES / "answers", "support-reply", pause=0)
    welcome = first_visit(people, playbook, read_profiles(EXAMPLES / "names.csv"))
    with (
        TemporaryDirectory() as data,
        bot_harness(Path(data), demo_users=users, welcome=welcome, draw=draw) as harness,
        visiting(chromium, harness.server.url, WIDE) as at,
    ):
        sheet = Sheet(at, into, variants, lambda surface: check(at, surface), part=1)
        story = Story(harness, users)
        # one after the other: each is shot before the next is brought about
        surfaces = chain(
            _first_visit(at), _week(at, story), _alerts(at, story), _end(at, story), _blocks(at, story)
        )
        for surface in surfaces:
            sheet.shoot(surface)
    index(into, variants)
    return sheet.taken


def take_rollout(
    chromium: Browser, into: Path, variants: tuple[Variant, ...], check: Callable[[Visitor, str], None]
) -> int:
    """Take the pictures of a rollout to more teams; returns how many surfaces there are."""
    into.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory() as data,
        six_months(Path(data)) as story,
        visiting(chromium, story.harness.server.url, WIDE) as at,
    ):
        sheet = Sheet(at, into, variants, lambda surface: check(at, surface), part=2)
        for surface in chain(_pilot(at, story), _waves(at, story), _months(at, story)):
            sheet.shoot(surface)
    index(into, variants)
    return sheet.taken


def _first_visit(at: Visitor) -> Iterator[str]:
    yield "guide"
    at.page.locator("#guide").get_by_role("button", name="Skip the guide").click()
    yield "empty-channel"
    at.page.locator("#as").click()
    yield "people"
    at.page.keyboard.press("Escape")
    at.page.locator("#slash").click()
    yield "commands"
    at.page.keyboard.press("Escape")
    at.page.locator("#text").fill("")
    at.types("/cadence help")
    expect(at.page.locator("#messages .message")).to_have_count(1)
    yield "help"


def _week(at: Visitor, story: Story) -> Iterator[str]:
    story.play_until("checkin", 3)
    at.looks_at(LATE, TEAM, story.posted("week-opens")[0].ts)
    yield "week-opens"
    at.looks_at(LATE, story.dm(LATE), story.posted("checkin", story.dm(LATE))[0].ts)
    yield "check-in"
    at.page.locator(".aimed .primary").first.click()
    expect(at.form).to_be_visible()
    yield "check-in-form"
    at.closes()
    _opens_home(at, story, OWNER)
    yield "home-owner"
    for surface, command in (
        ("status", "/cadence status support-reply"),
        ("playbook", "/cadence playbook show support-reply"),
    ):
        at.looks_at(OWNER, TEAM)
        at.types(command)
        expect(at.page.locator("#messages .message").last).to_contain_text("Support reply")
        yield surface
    at.types("/exception")
    expect(at.form).to_be_visible()
    yield "exception-form"
    at.form.get_by_role("combobox").first.click()
    yield "menu-of-a-form"
    at.page.keyboard.press("Escape")
    at.closes()


def _alerts(at: Visitor, story: Story) -> Iterator[str]:
    story.play_until("watch", 2)
    at.looks_at(OWNER, TEAM, story.posted("watch", TEAM)[0].ts)
    yield "over-the-cap"
    at.page.locator(".aimed .block-button").first.click()
    expect(at.form).to_be_visible()
    yield "plan-form"
    at.closes()
    story.play_until("demoted", 2)
    at.looks_at(OWNER, TEAM, story.posted("demoted", TEAM)[0].ts)
    yield "demoted"
    at.types("/cadence why support-reply send")
    expect(at.page.locator("#messages .message").last).to_contain_text("Send the edited reply")
    at.page.evaluate("document.querySelector('.aimed')?.classList.remove('aimed')")
    yield "why"


def _end(at: Visitor, story: Story) -> Iterator[str]:
    at.looks_at(OWNER, TEAM, story.posted("target-reached", TEAM)[0].ts)
    yield "target-reached"
    at.page.get_by_role("button", name="Play the cycle").click()
    expect(at.page.locator("#recap button.recap-link")).to_have_count(5, timeout=120_000)
    yield "recap"
    at.looks_at(OWNER, TEAM, story.posted("promoted", TEAM)[0].ts)
    yield "promoted"
    at.looks_at(OWNER, TEAM, story.posted("cycle-closed", TEAM)[0].ts)
    yield "cycle-closed"
    replies = at.page.locator(".aimed .replies")
    if replies.count():
        replies.click()
        expect(at.page.locator("#thread-messages .message").last).to_be_visible()
        yield "thread"
    at.looks_at(CURATOR, CURATORS, story.posted("digest")[-1].ts)
    yield "digest"
    _opens_home(at, story, CURATOR)
    yield "home-curator"
    at.looks_at(OWNER, TEAM)
    at.page.keyboard.press("Control+k")
    at.page.keyboard.type("reply")
    expect(at.page.locator("#search-list .long").first).to_be_visible()
    yield "search"
    at.page.keyboard.press("Escape")
    at.page.locator("#inspect").click()
    expect(at.page.locator(".exchange").first).to_be_visible()
    yield "inspector"
    at.page.locator("#side-close").click()


def _blocks(at: Visitor, story: Story) -> Iterator[str]:
    workspace = story.harness.workspace
    story.harness.bot.worker.stop()
    room = workspace.dm_with(MEMBER).id
    blocks = [block for one in workspace.messages.everywhere() for block in one.blocks]
    picture = next(block["slack_file"]["id"] for block in blocks if "slack_file" in block)
    blocks = gallery.message(f"{workspace.base_url}/files/{picture}")
    numbered = [block | {"block_id": f"gallery-{at}"} for at, block in enumerate(blocks)]
    posted = workspace.messages.save(
        Message(
            room, workspace.messages.next_ts(), workspace.app.user, workspace.app.bot_id, "Blocks", numbered
        )
    )
    at.looks_at(MEMBER, room, posted.ts)
    yield "blocks"
    at.page.locator(".aimed .overflow-button").first.click()
    yield "menu-of-a-message"
    at.page.keyboard.press("Escape")
    at.page.locator(".aimed figure").first.evaluate("node => node.scrollIntoView()")
    at.page.evaluate("document.querySelector('.aimed').classList.replace('aimed', 'seen')")


def _pilot(at: Visitor, story: SixMonths) -> Iterator[str]:
    story.draft("returns-triage", "Returns triage", frequency=4)
    story.draft("chargebacks", "Chargebacks", frequency=2)
    at.looks_at(CURATOR, CURATORS, story.newest("pilot-review", CURATORS).ts)
    yield "pilot-review"
    yield from _says(at, CURATOR, CURATORS, ("drafts", "/cadence pilot"))
    story.play_before(9, "/cadence assess")
    at.looks_at(LEAD, PILOT)
    at.types(f"/cadence assess {SLUG}")
    expect(at.form).to_be_visible()
    yield "assessment-form"
    at.closes()
    story.play_before(9, "/cadence cutover")
    yield from _says(at, LEAD, PILOT, ("cutover-table", f"/cadence cutover {SLUG}"))
    story.play_before(10)
    at.looks_at(LEAD, PILOT)
    at.types(f"/cadence owners {SLUG}")
    expect(at.form).to_be_visible()
    yield "owners-form"
    at.closes()


def _waves(at: Visitor, story: SixMonths) -> Iterator[str]:
    story.play_before(13, "/cadence train")
    room = "C02REFAPAC"
    yield from _says(at, CHAMPION, room, ("training-card", f"/cadence train {SLUG}"), in_form=True)
    at.closes()
    yield from _says(at, LEAD, PILOT, ("training-of-champions", f"/cadence train {SLUG} show"))
    story.play_before(18, "/cadence wave")
    yield from _says(at, LEAD, PILOT, ("compare", f"/cadence compare {SLUG}"))
    at.presses("Post it with a chart", "side by side")
    expect(at.page.locator("#messages")).to_contain_text("comes in this channel")
    story.harness.play_until(story.harness.clock.now() + timedelta(minutes=3))
    at.looks_at(LEAD, PILOT, story.newest("comparison", PILOT).ts)
    expect(at.page.locator(".aimed img")).to_be_visible()
    yield "compare-with-chart"
    story.play_before(18, f"/cadence wave {SLUG} open")
    yield from _says(at, CURATOR, CURATORS, ("waves-table", f"/cadence wave {SLUG} show"))
    story.play_before(19)
    at.looks_at(CURATOR, CURATORS, story.newest("wave-opened", CURATORS).ts)
    yield "wave-opened"


def _months(at: Visitor, story: SixMonths) -> Iterator[str]:
    story.play_before(26)
    dm = story.harness.workspace.dm_with(LEAD).id
    story.harness.workspace.person(LEAD).types(f"/cadence trend {SLUG} team=refunds-emea")
    story.harness.play_until(story.harness.clock.now() + timedelta(minutes=3))
    at.looks_at(LEAD, dm, story.newest("months", dm).ts)
    expect(at.page.locator(".aimed img")).to_be_visible()
    yield "trend-with-chart"
    yield from _says(at, CURATOR, CURATORS, ("rollout-by-month", "/cadence digest months"))
    story.harness.play_until(story.harness.clock.now() + timedelta(minutes=3))
    dm = story.harness.workspace.dm_with(CURATOR).id
    at.looks_at(CURATOR, dm, story.newest("process-months", dm).ts)
    expect(at.page.locator(".aimed img")).to_be_visible()
    yield "rollout-by-month-chart"
    yield from _says(at, CURATOR, CURATORS, ("digest-of-waves", "/cadence digest"))
    yield from _says(at, CURATOR, CURATORS, ("registry-of-waves", "/cadence registry"))


def _says(
    at: Visitor, member: str, channel: str, asked: tuple[str, str], *, in_form: bool = False
) -> Iterator[str]:
    """The answer to a command: (surface, command)."""
    surface, command = asked
    at.looks_at(member, channel)
    count = at.page.locator("#messages .message").count()
    at.types(command)
    if in_form:
        expect(at.form).to_be_visible()
    else:
        expect(at.page.locator("#messages .message")).to_have_count(count + 1)
    yield surface


def _opens_home(at: Visitor, story: Story, member: str) -> None:
    at.looks_at(member, "home")
    expect(at.page.locator("#messages")).to_have_class("home")
    story.harness.tick()
    expect(at.page.locator("#messages")).not_to_contain_text("Nothing here yet.")


def main() -> None:
    """Take them all."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        count = sum(
            take(browser, folder(), VARIANTS, lambda _at, _surface: None)
            for take in (take_cycle, take_rollout)
        )
        browser.close()
    print(f"{count} surfaces in {folder()}")  # noqa: T201


if __name__ == "__main__":
    main()
