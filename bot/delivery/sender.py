"""Send the outbox: one function sends the next message of one recipient (SPEC §4, §9).

The database is never held while Slack is called. An attempt is recorded before the call and the `ts` after
it, so that anything in between can be resolved: the next attempt first looks for the message.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import NamedTuple

import structlog

from bot.delivery.attempt_recorder import FRESH, AttemptRecorder, Outcome
from bot.delivery.gateway import (
    REFUSED_BLOCKS,
    Gateway,
    Identity,
    SlackBusy,
    SlackError,
    SlackRefused,
    SlackUnclear,
    SlackUnreachable,
)
from bot.delivery.uploads import FileState, complete, is_attached, is_shared, share, state_of, upload
from cadence.actor import Actor
from cadence.flows.core import (
    IN_THE_MESSAGE,
    NOT_ATTACHED,
    WITHOUT_PICTURE,
    Attach,
    Later,
    Say,
    Show,
    Skip,
    is_person,
)
from cadence.flows.outbox import AHEAD, Claim, Outbox, Pace, compose, is_alert, may_post
from storage.engine import Database
from storage.outbox.leases import MOST, Waiting
from storage.outbox.rate_limits import POSTING
from storage.tables import OutboxMessage
from storage.work import UnitOfWork
from templates.chart import AnyChart, draw
from templates.contexts.base import Picture
from templates.render import Rendered, render

log = structlog.get_logger(__name__)

__all__ = ["Delivery", "Draw", "Outcome", "Pace", "Post"]

SHARING = ("files.getUploadURLExternal", "files.completeUploadExternal")
"""The methods needed to share a file; a pause of either one delays it."""
CAN_READ_NOTHING = frozenset({"missing_scope", "unknown_method"})
"""Slack's errors for a conversation or a file that the bot can't read."""
NOT_LOOKED_FOR = "it may have arrived, but the bot can't read the channel's history to find out"
"""Why a message that isn't an alert failed after an unclear attempt."""
LOOKS = 4
"""Attempts, over about half a minute, before a chart that Slack is still processing goes to the thread."""
SOON = timedelta(seconds=5)
"""Seconds: a recipient whose next slot is this near is scheduled; the periodic search finds the others."""


Draw = Callable[[AnyChart], bytes]
"""Draws a chart as a PNG."""


class _CannotLook(Exception):
    """It is unknown whether an unclear attempt has posted the message."""


class Step(NamedTuple):
    """The outcome of an attempt, and whether no other message waited for the recipient when it began."""

    outcome: Outcome
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """How to post the messages of one workspace."""

    gateway: Gateway
    identity: Identity


class Delivery:
    """Sends the messages of the ledger. Thread-safe.

    Args:
        post_for: returns how to post in a workspace; None if this process can't.
        clock: the time, passed in.
        pace: the minimum time between messages.
        sleep: waits this many seconds, for a drain that waits for slots.
        draw: draws a chart as a PNG.
    """

    def __init__(
        self,
        db: Database,
        *,
        post_for: Callable[[str], Post | None],
        clock: Callable[[], datetime],
        pace: Pace | None = None,
        sleep: Callable[[float], None] = time.sleep,
        draw: Draw = draw,
    ) -> None:
        self.outbox = Outbox(db, pace or Pace())
        self._db = db
        self._post_for = post_for
        self._clock = clock
        self._sleep = sleep
        self._draw = draw
        self._recorder = AttemptRecorder(self.outbox, clock=clock, sleep=sleep)

    def due(self, *, limit: int = MOST) -> list[tuple[str, str]]:
        """(workspace, recipient) pairs whose next message can go out now, at most `limit` per workspace."""
        return self.outbox.recipients(now=self._clock(), limit=limit, serves=self.serves)

    def serves(self, workspace_id: str) -> bool:
        """Whether this process can post in a workspace."""
        return self._post_for(workspace_id) is not None

    def send_next(self, workspace_id: str, recipient: str) -> Outcome:
        """Send the message that this recipient has waited for longest, and return the outcome."""
        return self.step(workspace_id, recipient).outcome

    def step(self, workspace_id: str, recipient: str) -> Step:
        """`send_next` for a caller that continues with the recipient's next message: it reports whether
        there is one."""
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
            return self._recorder.unwritten(message, broken)
        if isinstance(composed, Skip):
            return self._recorder.skipped(message, composed.reason.value, composed.detail)
        if isinstance(composed, Show):
            return self._show(post, waiting, composed)
        if isinstance(composed, Attach):
            return self._attach(post, waiting, composed)
        if isinstance(composed, Later) or rendered is None:
            until = composed.until if isinstance(composed, Later) else now
            self.outbox.postpone(message, until=until, reason="waiting for working hours")
            return Outcome.LATER
        return self._send(post, waiting, composed, rendered)

    def _send(self, post: Post, waiting: Waiting, composed: Say, rendered: Rendered) -> Outcome:
        message, now = waiting.message, self._slot(waiting)
        if composed.rewrites and message.settles_at is not None and not may_post(message, now):
            self.outbox.postpone(message, until=message.settles_at, reason=message.reason)
            return Outcome.LATER
        channel = composed.rewrites[0] if composed.rewrites else _known_channel(waiting)
        methods = _methods(message, rewrites=composed.rewrites is not None, channel=channel)
        claim = self.outbox.begin(message, methods=methods, channel=channel, text=rendered.text, now=now)
        if claim is not Claim.OURS:
            return Outcome.NOTHING
        self._wait_for(now)
        opened: str | None = None
        try:
            note, called = "", self._clock()
            if composed.rewrites:
                channel, ts = composed.rewrites
                note = _rewritten(post, rendered, channel=channel, ts=ts)
            else:
                if channel is None:
                    channel = opened = _opened(post, message)
                found, note = self._found(post, message, channel)
                if not found:
                    if not may_post(message, now):
                        return self._recorder.not_there_yet(message)
                    if not self._still_ours(message, begun=now):
                        return Outcome.NOTHING
                called = self._clock()
                ts = found or post.gateway.post(
                    channel=channel, text=rendered.text, blocks=rendered.blocks, key=message.key
                )
        except _CannotLook:
            return self._recorder.given_up(message, NOT_LOOKED_FOR)
        except SlackError as error:
            return self._recorder.not_sent(message, error, begun=now, opened=opened)
        return self._recorder.sent(message, note=note, ts=ts, channel=channel, called=called, opened=opened)

    def _slot(self, waiting: Waiting) -> datetime:
        """When the message goes out: now, or at the recipient's slot in a moment."""
        return max(self._clock(), waiting.slot)

    def _wait_for(self, slot: datetime) -> None:
        wait = slot - self._clock()
        if wait > timedelta():
            self._sleep(min(wait, AHEAD).total_seconds())  # the clock may have been set back meanwhile

    def _show(self, post: Post, waiting: Waiting, show: Show) -> Outcome:
        """Show a chart in its message, or in the thread. If Slack refuses both, it is skipped: the message
        has the numbers in words."""
        message, now, channel = waiting.message, self._slot(waiting), show.message[0]
        methods = [*SHARING, "chat.update"]
        claim = self.outbox.begin(message, methods=methods, channel=channel, text=show.chart.text, now=now)
        if claim is not Claim.OURS:
            return Outcome.NOTHING
        self._wait_for(now)
        try:
            place = IN_THE_MESSAGE
            shown = self._show_within(post, message, show, begun=now)
            if shown is None:
                shown, place = self._share(post, message, show, begun=now), ""
        except (SlackBusy, SlackUnclear) as error:
            return self._recorder.not_sent(message, error, begun=now)
        except SlackError as error:
            return self._recorder.skipped(message, f"no chart: {error.code}")
        if shown is Outcome.SENT:
            return self._recorder.shown(message, channel=channel, note=place)
        return self._recorder.not_there_yet(message) if shown is Outcome.LATER else Outcome.NOTHING

    def _show_within(
        self, post: Post, message: OutboxMessage, show: Show, *, begun: datetime
    ) -> Outcome | None:
        """Upload a chart and rewrite its message with it; None if it can't be shown there, or is in the thread.

        Raises:
            SlackUnclear: Slack hasn't processed the file yet.
        """
        if not may_post(message, begun):
            return None  # the thread may still get it
        channel, ts = show.message
        file_id = message.file if message.text == show.chart.text else None  # its numbers may have changed
        try:
            state = state_of(post.gateway, file_id=file_id, channel=channel) if file_id else FileState.UNKNOWN
            if file_id is None or state is FileState.UNKNOWN:
                file_id = upload(
                    post.gateway, content=self._draw(show.chart), file=show.file, alt=show.chart.text
                )
                if not self.outbox.still_ours(message, now=self._clock(), file=file_id):
                    return Outcome.NOTHING
                complete(post.gateway, file_id=file_id, title=show.chart.title)
                state = state_of(post.gateway, file_id=file_id, channel=channel)
            if state is FileState.PROCESSING and message.attempts < LOOKS:
                raise SlackUnclear("file is being processed", may_land=False)
            if state is not FileState.READY:
                return None
            rendered = render(show.within(Picture(file=file_id, alt=show.chart.text)))
            post.gateway.update(
                channel=channel, ts=ts, text=rendered.text, blocks=rendered.blocks, or_plain=False
            )
        except SlackError as refused:
            if refused.code not in CAN_READ_NOTHING | REFUSED_BLOCKS:
                raise
            log.warning("chart goes to the thread", key=message.key, error=refused.code)
            return None
        return Outcome.SENT

    def _share(self, post: Post, message: OutboxMessage, show: Show, *, begun: datetime) -> Outcome:
        """Share a chart in the thread of its message."""
        channel, ts = show.message
        try:
            if message.file is not None and is_shared(post.gateway, file_id=message.file, channel=channel):
                return Outcome.SENT
        except SlackError as blind:
            if blind.code not in CAN_READ_NOTHING or message.settles_at is not None:
                raise  # otherwise the last attempt can't have shared it
        if not may_post(message, begun):
            return Outcome.LATER
        chart = show.chart
        file_id = upload(post.gateway, content=self._draw(chart), file=show.file, alt=chart.text)
        if not self.outbox.still_ours(message, now=self._clock(), file=file_id):
            return Outcome.NOTHING
        share(post.gateway, file_id=file_id, title=chart.title, channel=channel, thread_ts=ts)
        return Outcome.SENT

    def _attach(self, post: Post, waiting: Waiting, attach: Attach) -> Outcome:
        """Send a file to the recipient's DM. It is made before the attempt begins, because that may take
        long."""
        message = waiting.message
        with TemporaryFile() as content:
            try:
                attach.write(content)
            except Exception as broken:  # noqa: BLE001 - see `send_next`
                return self._recorder.unwritten(message, broken)
            now, channel, opened = self._slot(waiting), _known_channel(waiting), None
            methods = [*SHARING, *(["conversations.open"] if channel is None else [])]
            claim = self.outbox.begin(message, methods=methods, channel=channel, text=attach.title, now=now)
            if claim is not Claim.OURS:
                return Outcome.NOTHING
            self._wait_for(now)
            try:
                if channel is None:
                    channel = opened = _opened(post, message)
                if not self._is_attached(post, message, attach, channel):
                    if not may_post(message, now):
                        return self._recorder.not_there_yet(message)
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
                return self._recorder.not_sent(message, error, begun=now, opened=opened)
            except SlackError as error:
                is_settled = may_post(message, now)
                error.code, now = f"{NOT_ATTACHED}: {error.code}", self._clock()
                return self._recorder.again(
                    message,
                    error,
                    until=now,
                    now=now,
                    attempt=message.attempts + 1,
                    is_settled=is_settled,
                )
        return self._recorder.shown(message, channel=channel, opened=opened)

    @staticmethod
    def _is_attached(post: Post, message: OutboxMessage, attach: Attach, channel: str) -> bool:
        """Whether an attempt with an unclear result has shared the file."""
        if message.file is None or message.first_attempt_at is None:
            return False
        try:
            return is_shared(post.gateway, file_id=message.file, channel=channel)
        except SlackError as blind:
            if blind.code not in CAN_READ_NOTHING:
                raise
            # Also for workspaces that installed the bot before it requested `files:read`: it can still read
            # the DM.
            since = message.first_attempt_at
            return is_attached(
                post.gateway, file=attach.file, channel=channel, since=since, bot=post.identity
            )

    def _still_ours(self, message: OutboxMessage, *, begun: datetime) -> bool:
        """Check, after a long look for the message, that no other worker has taken it over."""
        now = self._clock()
        return abs(now - begun) < FRESH or self.outbox.still_ours(message, now=now)

    def _found(self, post: Post, message: OutboxMessage, channel: str) -> tuple[str | None, str]:
        """After an unclear attempt: the `ts` of the message if it was posted, and a remark for its row."""
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
            if not is_alert(message.kind):  # better to repeat an alert than to lose it
                raise _CannotLook from blind
            return None, "possibly repeated: the channel's history can't be read"
        return found, ""

    def soon(self, workspace_id: str, recipient: str) -> float | None:
        """Seconds until a recipient's next message can go out; None if none waits, or not only for its
        slot."""
        now = self._clock()
        slot = self.outbox.slot_of(workspace_id, recipient, now=now)
        if slot is None or not now < slot <= now + SOON:
            return None
        return (slot - now).total_seconds()

    def drain(self, *, patient: bool = True) -> dict[Outcome, int]:
        """Send everything that is due, one message after another, at each channel's pace.

        `patient` waits for a channel's slot; otherwise such messages are left for the next time.
        """
        totals: dict[Outcome, int] = {}
        while True:
            progressed = False
            for workspace_id, recipient in self.due():
                outcome = self.send_next(workspace_id, recipient)
                if outcome is not Outcome.NOTHING:
                    totals[outcome] = totals.get(outcome, 0) + 1
                    progressed = True
            slot = self.outbox.next_slot(now=self._clock()) if patient and not progressed else None
            if slot is not None:
                self._sleep(max(0.001, (slot - self._clock()).total_seconds()))
            elif not progressed:
                return totals


def _known_channel(waiting: Waiting) -> str | None:
    """The channel, or a person's DM if it was opened before."""
    recipient = waiting.message.recipient
    return waiting.dm if is_person(recipient) else recipient


def _rewritten(post: Post, rendered: Rendered, *, channel: str, ts: str) -> str:
    """Rewrite a message; returns what to note, if that lost its picture."""
    whole = post.gateway.update(channel=channel, ts=ts, text=rendered.text, blocks=rendered.blocks)
    pictured = any(block["type"] == "image" for block in rendered.blocks)
    return "" if whole or not pictured else WITHOUT_PICTURE


def _opened(post: Post, message: OutboxMessage) -> str:
    channel = post.gateway.open_dm(message.recipient)
    if not channel:
        raise SlackRefused("no DM with this person")
    return channel


def _methods(message: OutboxMessage, *, rewrites: bool, channel: str | None) -> list[str]:
    """The methods of Slack's API that sending a message will need."""
    if rewrites:
        return ["chat.update"]
    return [
        POSTING,
        *(["conversations.open"] if channel is None else []),
        *(["conversations.history"] if message.attempts else []),
    ]
