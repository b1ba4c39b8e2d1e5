"""The worker's side of the ledger: each step of sending a message is a short transaction of its own."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cadence.actor import Actor
from cadence.flows import checkins
from storage.engine import Database
from storage.outbox import attempts, leases, ledger, rate_limits
from storage.outbox.leases import Waiting
from storage.queries import people
from storage.tables import MessageState, OwedMessage
from storage.work import UnitOfWork

AHEAD = timedelta(milliseconds=100)
"""A turn that is so near is taken already: all is ready when it comes, and only the call is left."""

BURST = timedelta(seconds=5)
"""A workspace that was quiet may have so much of its budget at once."""


class Turn(StrEnum):
    """Whether a message may go out now."""

    OURS = "ours"
    TAKEN = "taken"
    """Another worker is ahead."""
    WAIT = "wait"
    """The recipient's second, the budget, or a pause that Slack asked for isn't over."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast messages may follow each other, whoever sends them.

    Args:
        apart: between two messages to one recipient; zero lets rehearsals run through, without a budget.
        a_minute: messages at most in a workspace.
    """

    apart: timedelta = timedelta(seconds=1)
    a_minute: int = 500

    def at_most(self, seconds: float) -> int:
        """How many recipients to begin with at once for so long: twice the budget, so that it is spent whole."""
        return min(leases.MOST, max(8, round(2 * seconds * self.a_minute / 60)))

    @property
    def between(self) -> timedelta:
        """The budget's share of one message."""
        return timedelta(minutes=1) / self.a_minute


def may_post(message: OwedMessage, now: datetime) -> bool:
    """Whether no earlier attempt can post the message any more, should it not be there yet."""
    return message.settles_at is None or message.settles_at <= now


class _NotNow(Exception):
    """Nothing of the transaction is kept."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        super().__init__(turn)


class Outbox:
    """Takes messages out of the ledger and writes down what became of them."""

    def __init__(self, db: Database, pace: Pace) -> None:
        self._db = db
        self.pace = pace

    def recipients(
        self, *, now: datetime, limit: int, serves: Callable[[str], bool]
    ) -> list[tuple[str, str]]:
        """(workspace, recipient) pairs whose next message may go out now, so many in each that is served."""
        with self._db.read() as session:
            known = [row.id for row in people.workspaces(session)]
        served = [workspace_id for workspace_id in known if serves(workspace_id)]
        with self._db.read() as session:
            return leases.due_recipients(session, now=now, limit=limit, within=served)

    def next(self, workspace_id: str, recipient: str, *, now: datetime) -> Waiting | None:
        """The message a recipient has waited for longest; None as well while their turn isn't near."""
        with self._db.read() as session:
            found = leases.oldest_due(session, workspace_id=workspace_id, recipient=recipient, now=now)
        if found is None or found.closed > now or found.turn > now + min(AHEAD, self.pace.apart):
            return None
        return found

    def next_turn(self, *, now: datetime) -> datetime | None:
        """When somebody who waits only for their turn has it; None when nobody does soon."""
        with self._db.read() as session:
            return rate_limits.next_turn(session, now=now, within=self.pace.apart)

    def turn_of(self, workspace_id: str, recipient: str, *, now: datetime) -> datetime | None:
        """When the recipient's second is over; None when no message is waiting for that alone."""
        with self._db.read() as session:
            return leases.turn_of(session, workspace_id=workspace_id, recipient=recipient, now=now)

    def begin(
        self, message: OwedMessage, *, methods: Collection[str], channel: str | None, text: str, now: datetime
    ) -> Turn:
        """Take a message's turn and write its attempt down before it is made.

        While an earlier attempt may still post the message, this one only looks for it (`may_post`).

        Args:
            methods: those of Slack's that it will need; a pause in one of them is waited for.
            now: when it will be made: the recipient's turn, which may be just ahead.
        """

        def work(uow: UnitOfWork) -> Turn:
            names = {message.recipient, rate_limits.BUDGET, *methods}
            free = rate_limits.free_at(uow, names=list(names))
            until = max((at for name, at in free.items() if name in methods), default=now)
            if until > now:
                reason = "waits while Slack asks for a pause"
                attempts.postpone(uow.session, message_id=message.id or 0, until=until, reason=reason)
                return Turn.WAIT
            if self.pace.apart and max(free.values(), default=now) > now:
                return Turn.WAIT
            budget = free.get(rate_limits.BUDGET, rate_limits.LONG_AGO)
            self._take_turn(uow.at(now), message, channel=channel, text=text, budget=budget)
            return Turn.OURS

        try:
            return self._db.together(
                lambda session: work(UnitOfWork.around(session, Actor.system(message.workspace_id), now))
            )
        except _NotNow as found:
            return found.turn

    def _take_turn(
        self, uow: UnitOfWork, message: OwedMessage, *, channel: str | None, text: str, budget: datetime
    ) -> None:
        """Raises what undoes the transaction when somebody else is ahead."""
        _where, pace = message.workspace_id, self.pace
        until = uow.now + pace.apart
        if pace.apart and not rate_limits.take(uow, name=message.recipient, until=until):
            raise _NotNow(Turn.WAIT)
        begun = attempts.begin(
            uow.session,
            message_id=message.id or 0,
            attempts=message.attempts,
            now=uow.now,
            channel=channel,
            text=text,
            settles_at=None if may_post(message, uow.now) else message.settles_at,
        )
        if not begun:
            raise _NotNow(Turn.TAKEN)
        if pace.apart and not rate_limits.spend(uow, share=pace.between, burst=BURST, free=budget):
            raise _NotNow(Turn.WAIT)

    def still_ours(self, message: OwedMessage, *, now: datetime, file: str | None = None) -> bool:
        """Whether nobody took the message up since its attempt began; asked right before it is posted.

        Args:
            file: the ID of the uploaded file that is about to be shared; kept for the look after an unclear end.
        """
        nth = message.attempts + 1
        with self._db.write() as session:
            return attempts.renew(session, message_id=message.id or 0, attempts=nth, now=now, file=file)

    def finish(
        self,
        message: OwedMessage,
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
        """The message was sent (there, under that `ts`), skipped or has failed; `attempt`: only if it is the last.

        The recipient's next turn is counted from when Slack had the message, where that is known: `arrived`. A DM
        that was `opened` for it is remembered.
        """

        def work(uow: UnitOfWork) -> None:
            if state is MessageState.SENT and self.pace.apart:
                until = (arrived or now) + self.pace.apart
                rate_limits.close(uow, name=message.recipient, until=until)
            if opened:
                self._remember(uow.at(now), message, opened)
            attempts.finish(
                uow.session,
                message_id=message.id or 0,
                state=state,
                now=now,
                reason=reason,
                ts=ts,
                channel=channel,
                attempts=attempt,
            )
            if state is MessageState.SENT and message.kind in checkins.CLOSING_KINDS:
                checkins.came(uow.at(now), message)

        self._db.together(
            lambda session: work(UnitOfWork.around(session, Actor.system(message.workspace_id), now))
        )

    def postpone(
        self,
        message: OwedMessage,
        *,
        until: datetime,
        reason: str,
        pause: str = "",
        attempt: int | None = None,
        is_settled: bool = False,
    ) -> None:
        """Try this message again later.

        Args:
            pause: a method that the workspace leaves alone until then.
            is_settled: nothing that was asked of Slack can post it any more.
        """
        with self._db.write() as session:
            if pause:
                rate_limits.close(
                    UnitOfWork.around(session, Actor.system(message.workspace_id)), name=pause, until=until
                )
            attempts.postpone(
                session,
                message_id=message.id or 0,
                until=until,
                reason=reason,
                attempts=attempt,
                is_settled=is_settled,
            )

    def correct_future(self, *, now: datetime) -> int:
        """Take back what was written before the clock was set back; returns how many rows that were."""
        with self._db.write() as session:
            return attempts.correct_future(session, now=now) + rate_limits.correct_future(session, now=now)

    def take_back(self, workspace_id: str, recipient: str, *, now: datetime) -> int:
        """Who was sending to a recipient is known to be gone; returns how many messages are tried again."""
        with self._db.write() as session:
            return attempts.take_back(
                UnitOfWork.around(session, Actor.system(workspace_id), now), recipient=recipient
            )

    def take_all_back(self, *, now: datetime) -> int:
        """The only worker there may be has just started: whoever was sending is gone."""
        with self._db.read() as session:
            left = attempts.under_way(session)
        return sum(self.take_back(workspace_id, recipient, now=now) for workspace_id, recipient in left)

    def sent_timestamps(self, message: OwedMessage, *, channel: str) -> set[str]:
        """The messages of a channel that other rows account for."""
        with self._db.read() as session:
            return ledger.timestamps(
                UnitOfWork.around(session, Actor.system(message.workspace_id)), channel=channel
            )

    def remember_dm(self, message: OwedMessage, *, channel: str, now: datetime) -> None:
        """Keep the DM channel of a recipient."""
        with self._db.write() as session:
            self._remember(
                UnitOfWork.around(session, Actor.system(message.workspace_id), now), message, channel
            )

    @staticmethod
    def _remember(uow: UnitOfWork, message: OwedMessage, channel: str) -> None:
        _where, who = message.workspace_id, message.recipient
        people.remember_dm(uow, member_id=who, channel=channel)
