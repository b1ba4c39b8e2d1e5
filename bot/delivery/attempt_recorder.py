"""Records the outcome of an attempt to send, and when to retry."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import structlog

from bot.delivery.gateway import SlackBusy, SlackError, SlackGone, SlackUnclear, SlackUnreachable
from bot.metrics import MESSAGES, note_attempt
from cadence.flows.outbox import Outbox, may_post
from storage.engine import Unreachable
from storage.outbox.attempts import SETTLED
from storage.outbox.rate_limits import POSTING
from storage.tables import MessageState, OutboxMessage

log = structlog.get_logger(__name__)

BACKOFF = (2, 5, 10, 20, 60, 300)
"""Seconds before the next attempt after an unclear one."""
FIRST_LOOK_SECONDS = 5
"""The earliest look for a message that Slack may still post after the call was abandoned. It is looked for
again once that attempt has settled, and only then posted again."""
POSTING_METHODS = frozenset({POSTING, "chat.update", "files.completeUploadExternal"})
"""Methods with a visible effect. A later attempt can repeat any other call without harm."""
FIXABLE_EVERY = timedelta(hours=1)
RECORD_AFTER = (0.2, 0.5, 1, 2, 4)
"""Seconds between tries to record that a message was sent."""
FRESH = timedelta(seconds=2)
"""An attempt older than this, after a look for the message or a suspended machine, checks whether it is
still current."""


class Outcome(StrEnum):
    """The outcome of one attempt to send."""

    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"
    LATER = "later"
    NOTHING = "nothing"


class AttemptRecorder:
    """Ends the attempts of a delivery.

    Args:
        sleep: waits this many seconds before a failed database is tried again.
    """

    def __init__(
        self, outbox: Outbox, *, clock: Callable[[], datetime], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._sleep = sleep

    def skipped(self, message: OutboxMessage, reason: str, detail: str = "") -> Outcome:
        """The message isn't needed, or can't be sent; `detail` is only logged."""
        self._outbox.finish(message, MessageState.SKIPPED, now=self._clock(), reason=reason)
        return self._count(message, Outcome.SKIPPED, f"{reason}: {detail}" if detail else reason)

    def shown(
        self, message: OutboxMessage, *, channel: str, note: str = "", opened: str | None = None
    ) -> Outcome:
        """Its file is where it belongs; files have no `ts`."""
        self._outbox.finish(
            message, MessageState.SENT, now=self._clock(), reason=note, channel=channel, opened=opened
        )
        return self._count(message, Outcome.SENT)

    def sent(
        self,
        message: OutboxMessage,
        *,
        note: str,
        ts: str,
        channel: str,
        called: datetime,
        opened: str | None,
    ) -> Outcome:
        """Slack accepted it; if the database just failed, saving is retried for a moment."""
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

    def given_up(self, message: OutboxMessage, reason: str) -> Outcome:
        """No further attempt is made."""
        attempt = message.attempts + 1
        self._outbox.finish(message, MessageState.FAILED, now=self._clock(), reason=reason, attempt=attempt)
        return self._count(message, Outcome.FAILED, reason)

    def unwritten(self, message: OutboxMessage, broken: Exception) -> Outcome:
        """Its text or its file couldn't be made."""
        now = self._clock()
        log.error("message can't be written", key=message.key, exc_info=broken)
        wait = SlackError(f"couldn't be written: {type(broken).__name__}")
        return self.again(message, wait, until=now + FIXABLE_EVERY, now=now, attempt=message.attempts)

    def not_there_yet(self, message: OutboxMessage) -> Outcome:
        """It wasn't found, but an earlier attempt may still post it: look again later."""
        now, until = self._clock(), message.settles_at or self._clock()
        attempt = message.attempts + 1
        return self.again(
            message, SlackError(message.reason), until=max(now, until), now=now, attempt=attempt
        )

    def not_sent(
        self, message: OutboxMessage, error: SlackError, *, begun: datetime, opened: str | None = None
    ) -> Outcome:
        """Slack refused it, or the result is unclear."""
        now, attempt = self._clock(), message.attempts + 1
        may_land = (
            isinstance(error, SlackUnclear) and error.may_land and error.method in POSTING_METHODS
        )  # of this attempt
        is_settled = not may_land and may_post(message, begun)
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
                message,
                until=until,
                reason=error.code,
                pause=error.method,
                attempt=attempt,
                is_settled=is_settled,
            )
            return Outcome.LATER
        if isinstance(error, SlackUnclear):
            # Earlier attempts only looked for the message while the last one could still post it: those
            # aren't counted.
            tries = message.attempts if message.settles_at is None else message.attempts // 2
            until = now + timedelta(seconds=BACKOFF[min(tries, len(BACKOFF) - 1)])
            if may_land:
                # An older rewrite that arrives late would undo a newer one, so this one is repeated once that
                # is impossible.
                is_rewrite = error.method == "chat.update"
                until = max(until, now + (SETTLED if is_rewrite else timedelta(seconds=FIRST_LOOK_SECONDS)))
            return self.again(message, error, until=until, now=now, attempt=attempt, is_settled=is_settled)
        if isinstance(error, SlackUnreachable):
            until = now + FIXABLE_EVERY
            return self.again(message, error, until=until, now=now, attempt=attempt, is_settled=is_settled)
        gone = isinstance(error, SlackGone)
        state = MessageState.SKIPPED if gone else MessageState.FAILED
        self._outbox.finish(message, state, now=now, reason=error.code, attempt=attempt)
        return self._count(message, Outcome.SKIPPED if gone else Outcome.FAILED, error.code)

    def again(
        self,
        message: OutboxMessage,
        error: SlackError,
        *,
        until: datetime,
        now: datetime,
        attempt: int,
        is_settled: bool = False,
    ) -> Outcome:
        """Retry, if the message is still useful by then."""
        if until > message.useful_until:
            self._outbox.finish(message, MessageState.FAILED, now=now, reason=error.code, attempt=attempt)
            return self._count(message, Outcome.FAILED, error.code)
        self._outbox.postpone(message, until=until, reason=error.code, attempt=attempt, is_settled=is_settled)
        return Outcome.LATER

    def _count(self, message: OutboxMessage, outcome: Outcome, reason: str = "") -> Outcome:
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
    """When Slack received a message, from its `ts`; a wrong clock is bounded by the duration of the call.

    A rewritten or found message existed before the call; its slot counts from the response.
    """
    try:
        at = datetime.fromtimestamp(float(ts), UTC)
    except (ValueError, OverflowError, OSError):
        return answered
    return min(max(at, called), answered) if at >= called - FRESH else answered
