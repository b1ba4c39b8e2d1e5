"""What is worth seeing of a played cycle: the newest message while it runs, and five messages at its end."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import Final

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.errors import SlackError
from bot.sandbox.messages import Message
from bot.sandbox.playback import Moment, Playback
from cadence.actor import Actor
from cadence.flows.outbox import Asked, deliveries_of
from storage.tables import OutboxMessage
from storage.work import UnitOfWork

MOST_SENT: Final = 2_000
"""Messages of a cycle that are looked through for the recap."""
RECAP: Final = 5
"""Links of the recap."""
RECAPPED: Final[tuple[tuple[str, Callable[..., Message]], ...]] = (
    ("demoted", min),
    ("promoted", max),
    ("cutover-passed", max),
    ("wave-opened", max),
    ("course-decaying", max),
    ("target-reached", min),
    ("cycle-closed", max),
    ("watch", min),
    ("digest", max),
    ("week-opens", min),
)
"""What the recap links, by kind, the most important first, and whether the oldest or the newest of each is meant."""


class Highlights:
    """Leads the page through a play.

    Args:
        harness: where it is played.
        playback: the page's side of it.
        pause: seconds for the reader after each step, at speed 1.
    """

    def __init__(self, harness: BotHarness, playback: Playback, pause: float) -> None:
        self._workspace = harness.workspace
        self._db = harness.bot.db
        self._now = harness.clock.now
        self._playback = playback
        self._pause = pause
        newest = max((one.ts for one in self._workspace.messages.everywhere()), default="")
        self._played_from = self._begin = self._seen = newest
        self._briefly = False

    def be_brief(self) -> None:
        """From now on lead only to what is posted in channels: the routine is known."""
        self._briefly = True

    def recap_since(self, day: date) -> None:
        """Let the recap reach back to the day on which the cycle began, for what the play itself doesn't show."""
        start = datetime.combine(day, time(), UTC)
        self._begin = min(self._begin, f"{start.timestamp():.6f}")

    def before(self, message: Message | None, place: str | None, member: str) -> None:
        """Show where a member is about to act: at a message, or in the place they type in."""
        if self._briefly:
            return
        if message is not None:
            self._show(message, member)
        elif place is not None:
            self._playback.show(Moment("", place, reader=member))
        self._playback.rest(self._pause / 2)

    def newest(self) -> None:
        """Show the newest message, if one was posted since the last time."""
        posted = [one for one in self._workspace.messages.everywhere() if one.ts > self._seen]
        self._seen = max((one.ts for one in posted), default=self._seen)
        if self._briefly:
            posted = [one for one in posted if self._is_public(one)]
        if posted:
            self._show(posted[-1], posted[-1].only_to or self._workspace.channel(posted[-1].channel).user)
            self._playback.rest(self._pause)

    def recap(self) -> None:
        """Link the messages that tell the story, oldest first."""
        story = sorted(islice(self._worth_seeing(), RECAP), key=lambda one: one.ts)
        self._playback.recap([Moment(one.text, one.channel, one.ts) for one in story])

    def _show(self, message: Message, reader: str) -> None:
        self._playback.show(Moment(message.text, message.channel, message.ts, reader))

    def _worth_seeing(self) -> Iterator[Message]:
        uow = UnitOfWork(self._db, Actor(BUILT_IN_TEAM, "", "cli"), self._now())
        sent = deliveries_of(uow, Asked(state="sent", limit=MOST_SENT)).messages
        for kind, choose in RECAPPED:
            posts = [self._posted(one) for one in sent if one.kind == kind]
            found = [one for one in posts if one is not None and one.ts > self._begin]
            found = [one for one in found if one.ts > self._played_from] or found
            # a team's message is also sent to the curators, whose channel fewer people see
            most = max((self._readers(one) for one in found), default=0)
            told = [one for one in found if self._readers(one) == most]
            if told:
                yield choose(told, key=lambda one: one.ts)

    def _is_public(self, message: Message) -> bool:
        return not message.ephemeral and self._workspace.channel(message.channel).kind != "im"

    def _readers(self, message: Message) -> int:
        return len(self._workspace.channel(message.channel).members)

    def _posted(self, sent: OutboxMessage) -> Message | None:
        with suppress(SlackError):  # it was deleted
            if sent.channel and sent.ts:
                return self._workspace.messages.get(sent.channel, sent.ts)
        return None
