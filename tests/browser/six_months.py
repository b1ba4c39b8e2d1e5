"""The six-month example, played to where there is something to see."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from bot.rehearsal.answers import act, read_answers, when
from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from cadence.documents import read_workspace
from templates.chart import draw
from tests.harnesses import EXAMPLES, bot_harness

FOLDER = EXAMPLES / "six-months"
FIRST_MONDAY = date(2026, 3, 2)
LEAD, CHAMPION, CURATOR = "U01LEAD", "U02LEAD", "U01CURATOR"
PILOT, CURATORS = "C01REFEMEA", "C01CURATORS"
SLUG = "refund-requests"


class SixMonths:
    """The example's people, who act as its answers file says."""

    def __init__(self, harness: BotHarness) -> None:
        self.harness = harness
        self._people = read_workspace((FOLDER / "workspace.yaml").read_text(encoding="utf-8"))
        lines = read_answers(FOLDER / "answers" / f"{SLUG}.csv", self._people)
        self._lines = sorted(
            ((when(line, FIRST_MONDAY, harness.workspace), line) for line in lines),
            key=lambda one: (one[0], one[1].number),
        )
        self._act(LEAD, f"/cadence cycle start {SLUG} {FIRST_MONDAY} team=refunds-emea")

    def play_before(self, week: int, says: str = "") -> None:
        """Play until before the first line of a week, or one that begins like this, the week included."""
        while self._lines:
            moment, line = self._lines[0]
            if line.week >= week and line.says.startswith(says):
                return
            self._lines.pop(0)
            self.harness.play_until(moment)
            self._act(line.member, line.says)

    def draft(self, slug: str, title: str, *, frequency: int) -> None:
        """Bring in a draft like the example's playbook, and ask for its review."""
        text = (FOLDER / f"{SLUG}.yaml").read_text(encoding="utf-8")
        text = text.replace(f"playbook: {SLUG}", f"playbook: {slug}").replace(
            "title: Refund requests", f"title: {title}"
        )
        text = text.replace("frequency: 5", f"frequency: {frequency}")
        lead = self.harness.workspace.person(LEAD)
        lead.types("/cadence playbook import")
        lead.submits({"yaml": text})
        self._act(LEAD, f"/cadence pilot {slug} ask")

    def newest(self, kind: str, channel: str) -> Message:
        """The newest message of a kind in a channel."""
        return [
            one
            for one in self.harness.workspace.messages.everywhere()
            if one.channel == channel
            and str(((one.metadata or {}).get("event_payload") or {}).get("key", "")).startswith(f"{kind}:")
        ][-1]

    def _act(self, member: str, says: str) -> None:
        act(self.harness.workspace, self._people, member, says)
        person = self.harness.workspace.person(member)
        while person.view() is not None:
            person.closes()
        self.harness.tick()


@contextmanager
def six_months(folder: Path) -> Iterator[SixMonths]:
    """The bot with the example imported and its first cycle started."""
    with bot_harness(
        folder, workspace=FOLDER / "workspace.yaml", playbooks=[FOLDER / f"{SLUG}.yaml"], draw=draw
    ) as harness:
        yield SixMonths(harness)
