"""Send what is owed: one function sends the next message of one recipient, whoever runs it (SPEC §4, §9).

The database is never held while Slack is called. An attempt is written down before the call and the `ts`
after it, so whatever happens in between can be settled: the next attempt first looks for the message.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import NamedTuple

import structlog

from bot.delivery.attempt_recorder import FRESH, Ends, Outcome
from bot.delivery.gateway import (
    Gateway,
    Identity,
    SlackBusy,
    SlackError,
    SlackRefused,
    SlackUnclear,
    SlackUnreachable,
)
from bot.delivery.uploads import is_attached, is_shared, share, upload
from cadence.actor import Actor
from cadence.flows.core import NOT_ATTACHED, Attach, Later, Say, Show, Skip
from cadence.flows.outbox import AHEAD, Outbox, Pace, Turn, compose, may_post
from cadence.nudges import URGENCY, Urgency
from storage.engine import Database
from storage.outbox.leases import MOST, Waiting
from storage.outbox.rate_limits import POSTING
from storage.tables import OwedMessage
from storage.work import UnitOfWork
from templates.chart import draw
from templates.render import Rendered, render

log = structlog.get_logger(__name__)

__all__ = ["Delivery", "Outcome", "Pace", "Post"]

SHARING = ("files.getUploadURLExternal", "files.completeUploadExternal")
"""What sharing a file needs; a pause that Slack asked of either holds it."""
CAN_READ_NOTHING = frozenset({"missing_scope", "unknown_method"})
"""What Slack says where a conversation, or a file, can't be looked at."""
NOT_LOOKED_FOR = "it may have arrived, but the bot can't read the channel's history to find out"
"""Why a message that isn't an alert has failed after an unclear attempt."""
SOON = timedelta(seconds=5)
"""A recipient whose next turn is so near is waited for to the instant; whoever looks around finds the others."""


class _CannotLook(Exception):
    """Nobody can say whether an unclear attempt has posted the message."""


class Step(NamedTuple):
    """What became of an attempt, and whether no other message waited for the recipient when it began."""

    outcome: Outcome
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """Where and how the messages of one workspace go out."""

    gateway: Gateway
    identity: Identity


class Delivery:
    """Sends the messages of the ledger. Thread-safe.

    Args:
        post_for: how to post in a workspace; None when this process can't.
        clock: the time, passed in.
        pace: how fast messages may follow each other.
        sleep: lets so many seconds pass; for a drain that waits for turns.
    """

    def __init__(
        self,
        db: Database,
        *,
        post_for: Callable[[str], Post | None],
        clock: Callable[[], datetime],
        pace: Pace | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.outbox = Outbox(db, pace or Pace())
        self._db = db
        self._post_for = post_for
        self._clock = clock
        self._sleep = sleep
        self._ends = Ends(self.outbox, clock=clock, sleep=sleep)

    def due(self, *, limit: int = MOST) -> list[tuple[str, str]]:
        """(workspace, recipient) pairs whose next message may go out now, so many in a workspace at most."""
        return self.outbox.recipients(now=self._clock(), limit=limit, serves=self.serves)

    def serves(self, workspace_id: str) -> bool:
        """Whether this process can post in a workspace."""
        return self._post_for(workspace_id) is not None

    def send_next(self, workspace_id: str, recipient: str) -> Outcome:
        """Send the message that this recipient has waited for longest, or say why not."""
        return self.step(workspace_id, recipient).outcome

    def step(self, workspace_id: str, recipient: str) -> Step:
        """`send_next` for who goes on with the recipient's next message: it says when there was none."""
        waiting = self.outbox.next(workspace_id, recipient, now=self._clock())
        post = self._post_for(workspace_id)
        if waiting is None or post is None:
            return Step(Outcome.NOTHING)
        return Step(self._begin(post, waiting), is_last=waiting.is_last)

    def _begin(self, post: Post, waiting: Waiting) -> Outcome:
        message, now = waiting.message, self._clock()
        try:
            composed = compose(
                UnitOfWork(self._db, Actor.system(message.workspace_id, request=message.correlation_id), now),
                message,
            )
            rendered = render(composed.context) if isinstance(composed, Say) else None
        except Exception as broken:  # noqa: BLE001 - whatever it is, the next message mustn't wait for it
            return self._ends.unwritten(message, broken)
        if isinstance(composed, Skip):
            return self._ends.skipped(message, composed.reason.value, composed.detail)
        if isinstance(composed, Show):
            return self._share(post, waiting, composed)
        if isinstance(composed, Attach):
            return self._attach(post, waiting, composed)
        if isinstance(composed, Later) or rendered is None:
            until = composed.until if isinstance(composed, Later) else now
            self.outbox.postpone(message, until=until, reason="waits for working hours")
            return Outcome.LATER
        return self._send(post, waiting, composed, rendered)

    def _send(self, post: Post, waiting: Waiting, composed: Say, rendered: Rendered) -> Outcome:
        message, now = waiting.message, self._turn(waiting)
        if composed.rewrites and message.settles_at is not None and not may_post(message, now):
            self.outbox.postpone(message, until=message.settles_at, reason=message.reason)
            return Outcome.LATER
        channel = composed.rewrites[0] if composed.rewrites else _known_channel(waiting)
        methods = _methods(message, rewrites=composed.rewrites is not None, channel=channel)
        turn = self.outbox.begin(message, methods=methods, channel=channel, text=rendered.text, now=now)
        if turn is not Turn.OURS:
            return Outcome.NOTHING
        self._wait_for(now)
        opened: str | None = None
        try:
            note, called = "", self._clock()
            if composed.rewrites:
                channel, ts = composed.rewrites
                post.gateway.update(channel=channel, ts=ts, text=rendered.text, blocks=rendered.blocks)
            else:
                if channel is None:
                    channel = opened = _opened(post, message)
                found, note = self._found(post, message, channel)
                if not found:
                    if not may_post(message, now):
                        return self._ends.not_there_yet(message)
                    if not self._still_ours(message, begun=now):
                        return Outcome.NOTHING
                called = self._clock()
                ts = found or post.gateway.post(
                    channel=channel, text=rendered.text, blocks=rendered.blocks, key=message.key
                )
        except _CannotLook:
            return self._ends.given_up(message, NOT_LOOKED_FOR)
        except SlackError as error:
            return self._ends.not_sent(message, error, begun=now, opened=opened)
        return self._ends.sent(message, note=note, ts=ts, channel=channel, called=called, opened=opened)

    def _turn(self, waiting: Waiting) -> datetime:
        """When the message goes out: now, or when the recipient's turn comes in a moment."""
        return max(self._clock(), waiting.turn)

    def _wait_for(self, turn: datetime) -> None:
        wait = turn - self._clock()
        if wait > timedelta():
            self._sleep(min(wait, AHEAD).total_seconds())  # the clock may have been set back meanwhile

    def _share(self, post: Post, waiting: Waiting, show: Show) -> Outcome:
        """Share a chart in a thread. What Slack refuses is left out: the post has the numbers in words."""
        message, chart, now = waiting.message, show.chart, self._turn(waiting)
        place, ts = show.thread
        turn = self.outbox.begin(message, methods=list(SHARING), channel=place, text=chart.title, now=now)
        if turn is not Turn.OURS:
            return Outcome.NOTHING
        self._wait_for(now)
        try:
            if message.file is None or not is_shared(post.gateway, file_id=message.file, channel=place):
                if not may_post(message, now):
                    return self._ends.not_there_yet(message)
                file_id = upload(post.gateway, content=draw(chart), file=show.file, alt=chart.text)
                if not self.outbox.still_ours(message, now=self._clock(), file=file_id):
                    return Outcome.NOTHING
                share(post.gateway, file_id=file_id, title=chart.title, channel=place, thread_ts=ts)
        except (SlackBusy, SlackUnclear) as error:
            return self._ends.not_sent(message, error, begun=now)
        except SlackError as error:
            return self._ends.skipped(message, f"no chart: {error.code}")
        return self._ends.shown(message, channel=place)

    def _attach(self, post: Post, waiting: Waiting, attach: Attach) -> Outcome:
        """Put a file into the recipient's DM. It is made before the attempt begins: that may take long."""
        message = waiting.message
        with TemporaryFile() as content:
            try:
                attach.write(content)
            except Exception as broken:  # noqa: BLE001 - see `send_next`
                return self._ends.unwritten(message, broken)
            now, channel, opened = self._turn(waiting), _known_channel(waiting), None
            methods = [*SHARING, *(["conversations.open"] if channel is None else [])]
            turn = self.outbox.begin(message, methods=methods, channel=channel, text=attach.title, now=now)
            if turn is not Turn.OURS:
                return Outcome.NOTHING
            self._wait_for(now)
            try:
                if channel is None:
                    channel = opened = _opened(post, message)
                if not self._is_attached(post, message, attach, channel):
                    if not may_post(message, now):
                        return self._ends.not_there_yet(message)
                    file_id = upload(post.gateway, content=content, file=attach.file)
                    if not self.outbox.still_ours(message, now=self._clock(), file=file_id):
                        return Outcome.NOTHING
                    share(
                        post.gateway,
                        file_id=file_id,
                        title=attach.title,
                        channel=channel,
                        comment=attach.comment,
                    )
            except (SlackBusy, SlackUnclear) as error:
                return self._ends.not_sent(message, error, begun=now, opened=opened)
            except SlackError as error:
                is_settled = may_post(message, now)
                error.code, now = f"{NOT_ATTACHED}: {error.code}", self._clock()
                return self._ends.again(
                    message,
                    error,
                    until=now,
                    now=now,
                    attempt=message.attempts + 1,
                    is_settled=is_settled,
                )
        return self._ends.shown(message, channel=channel, opened=opened)

    @staticmethod
    def _is_attached(post: Post, message: OwedMessage, attach: Attach, channel: str) -> bool:
        """Whether an attempt whose end nobody saw has put the file there."""
        if message.file is None or message.first_attempt_at is None:
            return False
        try:
            return is_shared(post.gateway, file_id=message.file, channel=channel)
        except SlackError as blind:
            if blind.code not in CAN_READ_NOTHING:
                raise
            # A workspace that installed the bot before it asked to see files lets it read the DM all the same.
            since = message.first_attempt_at
            return is_attached(
                post.gateway, file=attach.file, channel=channel, since=since, bot=post.identity
            )

    def _still_ours(self, message: OwedMessage, *, begun: datetime) -> bool:
        """A look for the message may have taken long: whoever thought us gone may be sending it by now."""
        now = self._clock()
        return abs(now - begun) < FRESH or self.outbox.still_ours(message, now=now)

    def _found(self, post: Post, message: OwedMessage, channel: str) -> tuple[str | None, str]:
        """After an unclear attempt: the `ts` of the message if it did get through, and a remark for its row."""
        if not message.attempts or message.first_attempt_at is None:
            return None, ""
        try:
            found = post.gateway.find(
                channel=message.channel or channel,
                key=message.key,
                text=message.text,
                since=message.first_attempt_at,
                bot=post.identity,
                taken=self.outbox.sent_timestamps(message, channel=channel),
            )
        except (SlackUnreachable, SlackRefused) as blind:
            if blind.code not in CAN_READ_NOTHING:
                raise  # posting would be refused too
            log.warning("history can't be read", key=message.key, error=blind.code)
            if message.settles_at is None:  # the last attempt can't have posted it
                return None, ""
            if URGENCY.get(message.kind) is not Urgency.ALERT:  # which is better said twice than not at all
                raise _CannotLook from blind
            return None, "possibly repeated: the channel's history can't be read"
        return found, ""

    def soon(self, workspace_id: str, recipient: str) -> float | None:
        """Seconds until a recipient's next message may go out; None when none waits, or not for its turn alone."""
        now = self._clock()
        turn = self.outbox.turn_of(workspace_id, recipient, now=now)
        if turn is None or not now < turn <= now + SOON:
            return None
        return (turn - now).total_seconds()

    def drain(self, *, patient: bool = True) -> dict[Outcome, int]:
        """Send everything due now, one message after the other, at each channel's pace.

        `patient` waits for a channel's second to pass; otherwise what can't go yet is left for the next time.
        """
        totals: dict[Outcome, int] = {}
        while True:
            progressed = False
            for workspace_id, recipient in self.due():
                outcome = self.send_next(workspace_id, recipient)
                if outcome is not Outcome.NOTHING:
                    totals[outcome] = totals.get(outcome, 0) + 1
                    progressed = True
            turn = self.outbox.next_turn(now=self._clock()) if patient and not progressed else None
            if turn is not None:
                self._sleep(max(0.001, (turn - self._clock()).total_seconds()))
            elif not progressed:
                return totals


def _known_channel(waiting: Waiting) -> str | None:
    """The channel, or a person's DM once it was opened."""
    recipient = waiting.message.recipient
    return waiting.dm if recipient.startswith(("U", "W")) else recipient


def _opened(post: Post, message: OwedMessage) -> str:
    channel = post.gateway.open_dm(message.recipient)
    if not channel:
        raise SlackRefused("no DM with this person")
    return channel


def _methods(message: OwedMessage, *, rewrites: bool, channel: str | None) -> list[str]:
    """Those of Slack's methods that sending a message will need."""
    if rewrites:
        return ["chat.update"]
    return [
        POSTING,
        *(["conversations.open"] if channel is None else []),
        *(["conversations.history"] if message.attempts else []),
    ]
