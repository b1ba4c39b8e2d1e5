"""What became of an attempt to send: written down, counted, and when there is another one."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import structlog

from bot.gateway import SlackBusy, SlackError, SlackGone, SlackUnclear, SlackUnreachable
from bot.metrics import MESSAGES, note_attempt
from cadence.flows.outbox import Outbox
from storage.engine import Unreachable
from storage.tables import MessageState, OwedMessage

log = structlog.get_logger(__name__)

BACKOFF = (2, 5, 10, 20, 60, 300)
"""Seconds before the next attempt after an unclear one."""
FIXABLE_EVERY = timedelta(hours=1)
RECORD_AFTER = (0.2, 0.5, 1, 2, 4)
"""Seconds between tries to write down that a message was sent."""
FRESH = timedelta(seconds=2)
"""An attempt older than this, after a look for the message or a machine that slept, asks whether it still holds."""


class Outcome(StrEnum):
    """What became of one attempt to send."""

    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"
    LATER = "later"
    NOTHING = "nothing"


class Ends:
    """Ends the attempts of a delivery.

    Args:
        sleep: lets so many seconds pass, until a database that went away is asked again.
    """

    def __init__(
        self, outbox: Outbox, *, clock: Callable[[], datetime], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._sleep = sleep

    def skipped(self, message: OwedMessage, reason: str) -> Outcome:
        """It needn't be sent, or can't be."""
        self._outbox.finish(message, MessageState.SKIPPED, now=self._clock(), reason=reason)
        return self._count(message, Outcome.SKIPPED, reason)

    def shown(self, message: OwedMessage, *, channel: str, opened: str | None = None) -> Outcome:
        """A file of it is where it belongs; files have no `ts`."""
        self._outbox.finish(message, MessageState.SENT, now=self._clock(), channel=channel, opened=opened)
        return self._count(message, Outcome.SENT)

    def sent(
        self,
        message: OwedMessage,
        *,
        note: str,
        ts: str,
        channel: str,
        called: datetime,
        opened: str | None,
    ) -> Outcome:
        """Slack has it; a database that just went away is given a moment to come back."""
        note_attempt("sent")
        at = arrived(ts, called=called, answered=self._clock())
        for pause in (*RECORD_AFTER, None):
            now = self._clock()
            try:
                self._outbox.finish(
                    message,
                    MessageState.SENT,
                    now=now,
                    reason=note,
                    ts=ts,
                    channel=channel,
                    arrived=at,
                    opened=opened,
                )
            except Unreachable:
                if pause is None:
                    raise
                self._sleep(pause)
            else:
                break
        return self._count(message, Outcome.SENT, note)

    def unwritten(self, message: OwedMessage, broken: Exception) -> Outcome:
        """What it says, or its file, couldn't be made."""
        now = self._clock()
        log.error("message can't be written", key=message.key, exc_info=broken)
        wait = SlackError(f"couldn't be written: {type(broken).__name__}")
        return self.again(message, wait, until=now + FIXABLE_EVERY, now=now, attempt=message.attempts)

    def not_sent(self, message: OwedMessage, error: SlackError, *, opened: str | None = None) -> Outcome:
        """Slack didn't take it, or didn't say."""
        now, attempt = self._clock(), message.attempts + 1
        if opened:
            self._outbox.remember_dm(message, channel=opened, now=now)
        note_attempt(type(error).__name__.removeprefix("Slack").lower(), error.code)
        log.warning(
            "message not sent",
            kind=message.kind,
            key=message.key,
            error=error.code,
            attempts=attempt,
            correlation_id=message.correlation_id,
        )
        if isinstance(error, SlackBusy):
            until = now + timedelta(seconds=error.retry_after)
            self._outbox.postpone(
                message, until=until, reason=error.code, pause=error.method, attempt=attempt
            )
            return Outcome.LATER
        if isinstance(error, SlackUnclear):
            wait = BACKOFF[min(message.attempts, len(BACKOFF) - 1)]
            return self.again(message, error, until=now + timedelta(seconds=wait), now=now, attempt=attempt)
        if isinstance(error, SlackUnreachable):
            return self.again(message, error, until=now + FIXABLE_EVERY, now=now, attempt=attempt)
        gone = isinstance(error, SlackGone)
        state = MessageState.SKIPPED if gone else MessageState.FAILED
        self._outbox.finish(message, state, now=now, reason=error.code, attempt=attempt)
        return self._count(message, Outcome.SKIPPED if gone else Outcome.FAILED, error.code)

    def again(
        self, message: OwedMessage, error: SlackError, *, until: datetime, now: datetime, attempt: int
    ) -> Outcome:
        """Another attempt, if the message is still useful by then."""
        if until > message.useful_until:
            self._outbox.finish(message, MessageState.FAILED, now=now, reason=error.code, attempt=attempt)
            return self._count(message, Outcome.FAILED, error.code)
        self._outbox.postpone(message, until=until, reason=error.code, attempt=attempt)
        return Outcome.LATER

    def _count(self, message: OwedMessage, outcome: Outcome, reason: str = "") -> Outcome:
        MESSAGES.labels(kind=message.kind, outcome=outcome).inc()
        log.info(
            f"message {outcome}",
            kind=message.kind,
            key=message.key,
            recipient=message.recipient,
            reason=reason,
            correlation_id=message.correlation_id,
        )
        return outcome


def arrived(ts: str, *, called: datetime, answered: datetime) -> datetime:
    """When Slack had a message, by the `ts` it gave it; a clock that goes wrong moves that within the call only.

    An older message, rewritten or found again, was there before the call; its turn counts from the answer.
    """
    try:
        at = datetime.fromtimestamp(float(ts), UTC)
    except (ValueError, OverflowError, OSError):
        return answered
    return min(max(at, called), answered) if at >= called - FRESH else answered
