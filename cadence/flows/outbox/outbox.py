"""The worker's side of the ledger: each step of sending a message is a separate short transaction."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from cadence.actor import Actor
from cadence.flows.core import WITHOUT_PICTURE
from cadence.flows.outbox.composing import KINDS, picture_lost
from storage.engine import Database
from storage.outbox import attempts, leases, ledger, rate_limits
from storage.outbox.leases import Waiting
from storage.queries import people, workspaces
from storage.tables import MessageState, OutboxMessage
from storage.work import UnitOfWork

AHEAD = timedelta(milliseconds=100)
"""How early a slot is claimed: the message is then composed, and only the call to Slack is left."""

BURST = timedelta(seconds=5)
"""How much of its budget an idle workspace can use at once."""


class Claim(StrEnum):
    """Whether a message may go out now."""

    OURS = "ours"
    TAKEN = "taken"
    """Another worker was faster."""
    WAIT = "wait"
    """The recipient's second, the budget, or a pause that Slack asked for isn't over."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The minimum time between messages of all workers.

    Args:
        apart: between two messages to one recipient; zero lets rehearsals run without waiting, and without a
            budget.
        a_minute: maximum number of messages in a workspace.
    """

    apart: timedelta = timedelta(seconds=1)
    a_minute: int = 500

    def at_most(self, seconds: float) -> int:
        """How many recipients to begin with at once in this many seconds: twice the budget, so that all of
        it is used."""
        return min(leases.MOST, max(8, round(2 * seconds * self.a_minute / 60)))

    @property
    def between(self) -> timedelta:
        """The budget's share of one message."""
        return timedelta(minutes=1) / self.a_minute


def may_post(message: OutboxMessage, now: datetime) -> bool:
    """Whether no earlier attempt can still post the message."""
    return message.settles_at is None or message.settles_at <= now


def _around(session: Session, workspace_id: str, now: datetime | None = None) -> UnitOfWork:
    return UnitOfWork.around(session, Actor.system(workspace_id), now)


class _NotNow(Exception):
    """Rolls the transaction back."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        super().__init__(claim)


class Outbox:
    """Claims messages from the ledger and records their outcome."""

    def __init__(self, db: Database, pace: Pace) -> None:
        self._db = db
        self.pace = pace

    def recipients(
        self, *, now: datetime, limit: int, serves: Callable[[str], bool]
    ) -> list[tuple[str, str]]:
        """(workspace, recipient) pairs whose next message can go out now, at most `limit` in each served
        workspace."""
        with self._db.read() as session:
            found = leases.due_recipients(session, now=now, limit=limit)
            if all(serves(workspace_id) for workspace_id in {workspace_id for workspace_id, _ in found}):
                return found
            served = [workspace_id for workspace_id in workspaces.ids(session) if serves(workspace_id)]
            return leases.due_recipients(session, now=now, limit=limit, within=served)

    def next(self, workspace_id: str, recipient: str, *, now: datetime) -> Waiting | None:
        """The message a recipient has waited for longest; None if their slot isn't near."""
        with self._db.read() as session:
            found = leases.oldest_due(_around(session, workspace_id, now), recipient=recipient)
        if found is None or found.closed > now or found.slot > now + min(AHEAD, self.pace.apart):
            return None
        return found

    def next_slot(self, *, now: datetime) -> datetime | None:
        """When the next recipient who waits only for a slot has it; None if that isn't soon."""
        if not self.pace.apart:
            return None
        with self._db.read() as session:
            return rate_limits.next_slot(session, now=now, within=self.pace.apart)

    def slot_of(self, workspace_id: str, recipient: str, *, now: datetime) -> datetime | None:
        """When the recipient's second is over; None if no message waits only for that."""
        with self._db.read() as session:
            return leases.slot_of(_around(session, workspace_id, now), recipient=recipient)

    def begin(
        self,
        message: OutboxMessage,
        *,
        methods: Collection[str],
        channel: str | None,
        text: str,
        now: datetime,
    ) -> Claim:
        """Claim a message for this worker: record the attempt before it is made.

        While an earlier attempt may still post the message, this one only looks for it (`may_post`).

        Args:
            methods: the methods of Slack's API that it will need; a pause of one of them is waited for.
            now: when it will be made: the recipient's slot, which may be slightly in the future.
        """

        def work(uow: UnitOfWork) -> Claim:
            names = {message.recipient, rate_limits.BUDGET, *methods}
            free = rate_limits.free_at(uow, names=list(names))
            until = max((at for name, at in free.items() if name in methods), default=now)
            if until > now:
                reason = "waiting: Slack asked for a pause"
                attempts.postpone(uow, message_id=message.id or 0, until=until, reason=reason)
                return Claim.WAIT
            if self.pace.apart and max(free.values(), default=now) > now:
                return Claim.WAIT
            budget = free.get(rate_limits.BUDGET, rate_limits.LONG_AGO)
            self._claim(uow, message, channel=channel, text=text, budget=budget)
            return Claim.OURS

        try:
            return self._db.grouped(lambda session: work(_around(session, message.workspace_id, now)))
        except _NotNow as found:
            return found.claim

    def _claim(
        self, uow: UnitOfWork, message: OutboxMessage, *, channel: str | None, text: str, budget: datetime
    ) -> None:
        """Raises an error that rolls the transaction back if another worker was faster."""
        pace = self.pace
        until = uow.now + pace.apart
        if pace.apart and not rate_limits.take(uow, name=message.recipient, until=until):
            raise _NotNow(Claim.WAIT)
        begun = attempts.begin(
            uow,
            message_id=message.id or 0,
            attempts=message.attempts,
            channel=channel,
            text=text,
            settles_at=None if may_post(message, uow.now) else message.settles_at,
        )
        if not begun:
            raise _NotNow(Claim.TAKEN)
        if pace.apart and not rate_limits.spend(uow, share=pace.between, burst=BURST, free=budget):
            raise _NotNow(Claim.WAIT)

    def still_ours(self, message: OutboxMessage, *, now: datetime, file: str | None = None) -> bool:
        """Whether no other worker took the message since its attempt began; checked right before it is
        posted.

        Args:
            file: the ID of the uploaded file that is about to be shared; stored so that it can be looked for
                after an unclear result.
        """
        nth = message.attempts + 1
        with self._db.write() as session:
            uow = _around(session, message.workspace_id, now)
            return attempts.renew(uow, message_id=message.id or 0, attempts=nth, file=file)

    def finish(
        self,
        message: OutboxMessage,
        state: MessageState,
        *,
        now: datetime,
        reason: str = "",
        ts: str | None = None,
        channel: str | None = None,
        attempt: int | None = None,
        arrived: datetime | None = None,
        opened: str | None = None,
    ) -> None:
        """Record that the message was sent (there, under that `ts`), skipped or has failed; with `attempt`,
        only if it is the last one.

        The recipient's next slot counts from when Slack received the message, if known: `arrived`. A DM that
        was `opened` for it is stored.
        """

        def work(uow: UnitOfWork) -> None:
            if state is MessageState.SENT and self.pace.apart:
                until = (arrived or now) + self.pace.apart
                rate_limits.close(uow, name=message.recipient, until=until)
            if opened:
                self._remember(uow, message, opened)
            attempts.finish(
                uow,
                message_id=message.id or 0,
                state=state,
                reason=reason,
                ts=ts,
                channel=channel,
                attempts=attempt,
            )
            sent = KINDS[message.kind].on_sent if message.kind in KINDS else None
            if state is MessageState.SENT and sent is not None:
                sent(uow, message)
            if state is MessageState.SENT and reason == WITHOUT_PICTURE:
                picture_lost(uow, message)

        self._db.grouped(lambda session: work(_around(session, message.workspace_id, now)))

    def postpone(
        self,
        message: OutboxMessage,
        *,
        until: datetime,
        reason: str,
        pause: str = "",
        attempt: int | None = None,
        is_settled: bool = False,
    ) -> None:
        """Retry this message later.

        Args:
            pause: a method that isn't called in the workspace until then.
            is_settled: no earlier call to Slack can post it any more.
        """
        with self._db.write() as session:
            uow = _around(session, message.workspace_id)
            if pause:
                rate_limits.close(uow, name=pause, until=until)
            attempts.postpone(
                uow,
                message_id=message.id or 0,
                until=until,
                reason=reason,
                attempts=attempt,
                is_settled=is_settled,
            )

    def correct_future(self, *, now: datetime) -> int:
        """Correct what was written before the clock was set back; returns how many rows that were."""
        with self._db.write() as session:
            return attempts.correct_future(session, now=now) + rate_limits.correct_future(session, now=now)

    def take_back(self, workspace_id: str, recipient: str, *, now: datetime) -> int:
        """Release a recipient whose sender is known to be gone; returns how many messages are tried again."""
        with self._db.write() as session:
            return attempts.take_back(_around(session, workspace_id, now), recipient=recipient)

    def take_all_back(self, *, now: datetime) -> int:
        """Release all recipients: the only possible worker has just started, so no other one is sending."""
        with self._db.read() as session:
            left = attempts.under_way(session)
        return sum(self.take_back(workspace_id, recipient, now=now) for workspace_id, recipient in left)

    def sent_timestamps(self, message: OutboxMessage, *, channel: str) -> set[str]:
        """The messages of a channel that belong to other rows."""
        with self._db.read() as session:
            return ledger.timestamps(_around(session, message.workspace_id), channel=channel)

    def remember_dm(self, message: OutboxMessage, *, channel: str, now: datetime) -> None:
        """Save the DM channel of a recipient."""
        with self._db.write() as session:
            self._remember(_around(session, message.workspace_id, now), message, channel)

    @staticmethod
    def _remember(uow: UnitOfWork, message: OutboxMessage, channel: str) -> None:
        people.remember_dm(uow, member_id=message.recipient, channel=channel)
