"""Send what is owed: one function sends the next message of one recipient, whoever runs it (SPEC §4, §9).

The database is never held while Slack is called. An attempt is written down before the call and the `ts`
after it, so whatever happens in between can be settled: the next attempt first looks for the message.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from bot.gateway import Gateway, Identity, SlackBusy, SlackError, SlackRefused, SlackUnclear, SlackUnreachable
from bot.metrics import MESSAGES
from cadence.flows.compose import Later, Say, Skip, compose
from cadence.flows.outbox import Outbox
from storage.engine import Database
from storage.tables import MessageState, OwedMessage
from templates.render import render

log = structlog.get_logger(__name__)

PACE = timedelta(seconds=1)
"""Slack takes one message a second in a channel."""
BACKOFF = (2, 5, 15, 60, 300)
"""Seconds before the next attempt after an unclear one."""
FIXABLE_EVERY = timedelta(hours=1)


class Outcome(StrEnum):
    """What became of one attempt to send."""

    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"
    LATER = "later"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Post:
    """Where and how the messages of one workspace go out."""

    gateway: Gateway
    identity: Identity


class Pace:
    """Keeps the messages of one channel a second apart; `PACE` of zero lets rehearsals run through."""

    def __init__(self, apart: timedelta = PACE) -> None:
        self._apart = apart.total_seconds()
        self._last: dict[str, float] = {}

    def wait_left(self, recipient: str) -> float:
        """Seconds until this recipient may get another message."""
        last = self._last.get(recipient)
        return 0.0 if last is None else max(0.0, last + self._apart - time.monotonic())

    def mark(self, recipient: str) -> None:
        """A message has just gone out."""
        self._last[recipient] = time.monotonic()


class Delivery:
    """Sends the messages of the ledger.

    Args:
        post_for: how to post in a workspace; None when this process can't.
        clock: the time, passed in.
    """

    def __init__(
        self,
        db: Database,
        *,
        post_for: Callable[[str], Post | None],
        clock: Callable[[], datetime],
        pace: Pace | None = None,
    ) -> None:
        self.outbox = Outbox(db)
        self._db = db
        self._post_for = post_for
        self._clock = clock
        self._pace = pace or Pace()

    def wait_left(self, recipient: str) -> float:
        """Seconds until this recipient may get another message."""
        return self._pace.wait_left(recipient)

    def send_next(self, workspace_id: str, recipient: str) -> Outcome:
        """Send the message that this recipient has waited for longest, or say why not."""
        now = self._clock()
        message = self.outbox.next(workspace_id, recipient, now=now)
        post = self._post_for(workspace_id)
        if message is None or post is None:
            return Outcome.NOTHING
        composed = compose(self._db, message, now=now)
        if isinstance(composed, Skip):
            self.outbox.finish(message, MessageState.SKIPPED, now=now, reason=composed.reason)
            return self._count(message, Outcome.SKIPPED, composed.reason)
        if isinstance(composed, Later):
            self.outbox.postpone(message, until=composed.until, reason="waits for working hours")
            return Outcome.LATER
        return self._send(post, message, composed, now=now)

    def _send(self, post: Post, message: OwedMessage, composed: Say, *, now: datetime) -> Outcome:
        rendered = render(composed.context)
        try:
            channel = composed.rewrites[0] if composed.rewrites else self._channel(post, message)
            if not self.outbox.begin(message, channel=channel, text=rendered.text, now=now):
                return Outcome.NOTHING
            if composed.rewrites:
                ts = composed.rewrites[1]
                post.gateway.update(channel=channel, ts=ts, text=rendered.text, blocks=rendered.blocks)
            else:
                ts = self._found(post, message, channel) or post.gateway.post(
                    channel=channel, text=rendered.text, blocks=rendered.blocks, key=message.key
                )
            self._pace.mark(message.recipient)
        except SlackError as error:
            return self._not_sent(message, error, now=now)
        self.outbox.finish(message, MessageState.SENT, now=self._clock(), ts=ts)
        return self._count(message, Outcome.SENT)

    def _channel(self, post: Post, message: OwedMessage) -> str:
        if not message.recipient.startswith(("U", "W")):
            return message.recipient
        known = self.outbox.dm_channel(message)
        if known:
            return known
        channel = post.gateway.open_dm(message.recipient)
        if not channel:
            raise SlackRefused("no DM with this person")
        self.outbox.remember_dm(message, channel=channel, now=self._clock())
        return channel

    def _found(self, post: Post, message: OwedMessage, channel: str) -> str | None:
        """After an unclear attempt: the `ts` of the message if it did get through."""
        if not message.attempts or message.first_attempt_at is None:
            return None
        try:
            return post.gateway.find(
                channel=message.channel or channel,
                key=message.key,
                text=message.text,
                since=message.first_attempt_at,
                bot=post.identity,
            )
        except (SlackUnreachable, SlackRefused) as blind:
            # Without the right to read, posting again is the lesser evil; the row says it may be a repeat.
            log.warning("history can't be read", key=message.key, error=blind.code)
            self.outbox.note(message, "possibly repeated: the channel's history can't be read")
            return None

    def _not_sent(self, message: OwedMessage, error: SlackError, *, now: datetime) -> Outcome:
        log.warning("message not sent", key=message.key, error=error.code, attempts=message.attempts + 1)
        if isinstance(error, SlackBusy):
            until = now + timedelta(seconds=error.retry_after)
            self.outbox.hold(message, until=until)
            return Outcome.LATER
        if isinstance(error, SlackUnclear):
            wait = BACKOFF[min(message.attempts, len(BACKOFF) - 1)]
            return self._again(message, error, until=now + timedelta(seconds=wait), now=now)
        if isinstance(error, SlackUnreachable):
            return self._again(message, error, until=now + FIXABLE_EVERY, now=now)
        self.outbox.finish(message, MessageState.FAILED, now=now, reason=error.code)
        return self._count(message, Outcome.FAILED, error.code)

    def _again(self, message: OwedMessage, error: SlackError, *, until: datetime, now: datetime) -> Outcome:
        if until > message.useful_until:
            self.outbox.finish(message, MessageState.FAILED, now=now, reason=error.code)
            return self._count(message, Outcome.FAILED, error.code)
        self.outbox.postpone(message, until=until, reason=error.code)
        return Outcome.LATER

    def _count(self, message: OwedMessage, outcome: Outcome, reason: str = "") -> Outcome:
        MESSAGES.labels(kind=message.kind, outcome=outcome).inc()
        log.info(
            f"message {outcome}",
            kind=message.kind,
            recipient=message.recipient,
            reason=reason,
            correlation_id=message.correlation_id,
        )
        return outcome

    def drain(self, *, patient: bool = True) -> dict[Outcome, int]:
        """Send everything due now, one message after the other, at each channel's pace.

        `patient` waits for a channel's second to pass; otherwise what can't go yet is left for the next time.
        """
        totals: dict[Outcome, int] = {}
        while True:
            lanes = self.outbox.recipients(now=self._clock())
            waits = [self._pace.wait_left(recipient) for _, recipient in lanes]
            progressed = False
            for (workspace_id, recipient), wait in zip(lanes, waits, strict=True):
                if wait:
                    continue
                outcome = self.send_next(workspace_id, recipient)
                totals[outcome] = totals.get(outcome, 0) + 1
                progressed = progressed or outcome is not Outcome.NOTHING
            if not progressed:
                if not (patient and any(waits)):
                    return totals
                time.sleep(min(wait for wait in waits if wait))
