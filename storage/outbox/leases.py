"""Who is written to next: the recipients whose turn it is, and the message each has waited for longest.

The two that every message asks are put together once: that takes longer than running them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import ColumnElement, bindparam, func, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage.engine import connection_of
from storage.outbox.rate_limits import BUDGET, POSTING
from storage.tables import Lane, Member, MessageState, OwedMessage

SETTLING = 5
"""Attempts during which later messages to the same recipient wait, so that order holds; one that can't be
sent for longer no longer holds them up."""
MOST = 500
"""Recipients found at a time, in all workspaces together."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def _ahead(row: Any, *, at: Any) -> tuple[ColumnElement[bool], ...]:
    """What is true of a message that is on its way, or to be tried again, at an instant."""
    return (
        row.state == MessageState.DUE,
        row.attempts >= 1,
        row.attempts <= SETTLING,
        row.not_before > at,
    )


def _held_up(row: Any, *, at: Any) -> ColumnElement[bool]:
    """Whether another message to the recipient of `row` is ahead."""
    ahead: Any = aliased(OwedMessage)
    of_theirs = (ahead.workspace_id == row.workspace_id, ahead.recipient == row.recipient)
    return select(ahead.id).where(*_ahead(ahead, at=at), *of_theirs).exists()


def _all_held_up(at: datetime) -> Any:
    """The (workspace, recipient) pairs to whom a message is ahead: read once, as `_paced` is, not for each."""
    ahead: Any = aliased(OwedMessage)
    return select(ahead.workspace_id, ahead.recipient).where(*_ahead(ahead, at=at))


def _paced(now: datetime) -> Any:
    """The (workspace, recipient) pairs whose turn is still to come."""
    return select(Lane.workspace_id, Lane.name).where(Lane.free_at > now)


def _closed(now: datetime) -> Any:
    """The workspaces in which all posting is paused, or whose budget is spent."""
    return select(Lane.workspace_id).where(col(Lane.name).in_([POSTING, BUDGET]), Lane.free_at > now)


def due_recipients(
    session: Session, *, now: datetime, limit: int = MOST, within: Sequence[str] | None = None
) -> list[tuple[str, str]]:
    """(workspace, recipient) pairs whose next message may go out now, the longest waiting of each workspace first.

    Args:
        limit: at most so many in a workspace: who has much to send must not keep the others waiting.
        within: look at these workspaces only: those of others must not take up the room.
    """
    where, who = col(OwedMessage.workspace_id), col(OwedMessage.recipient)
    first = func.min(OwedMessage.due_at)
    waiting = (
        select(where, who, first.label("first"))
        .add_columns(func.row_number().over(partition_by=where, order_by=[first, who]).label("place"))
        .where(
            col(OwedMessage.state) == MessageState.DUE,
            col(OwedMessage.not_before) <= now,
            where.not_in(_closed(now)),
            tuple_(where, who).not_in(_all_held_up(now)),
            tuple_(where, who).not_in(_paced(now)),
        )
        .group_by(where, who)
    )
    if within is not None:
        waiting = waiting.where(where.in_(within))
    ranked = waiting.subquery().c
    query = select(ranked.workspace_id, ranked.recipient).where(ranked.place <= limit)
    return [
        (workspace_id, recipient)
        for workspace_id, recipient in session.exec(query.order_by(ranked.place, ranked.first).limit(MOST))
    ]


def next_due(session: Session, *, within: Sequence[str] | None = None) -> datetime | None:
    """When the earliest waiting message may be sent; `within` looks at these workspaces only."""
    query = (
        select(OwedMessage.workspace_id, func.min(OwedMessage.not_before), func.max(Lane.free_at))
        .outerjoin(Lane, (col(Lane.workspace_id) == OwedMessage.workspace_id) & (col(Lane.name) == POSTING))
        .where(OwedMessage.state == MessageState.DUE, ~_held_up(OwedMessage, at=OwedMessage.not_before))
        .group_by(col(OwedMessage.workspace_id))
    )
    if within is not None:
        query = query.where(col(OwedMessage.workspace_id).in_(within))
    return min((max(first, paused or first) for _, first, paused in session.exec(query)), default=None)


class Waiting(NamedTuple):
    """The message that a recipient has waited for longest.

    Args:
        dm: the recipient's DM channel, where it is known.
        turn: when the recipient's lane is free; long ago when it never was in use.
        closed: until when all posting, or the budget of the workspace, is closed.
        is_last: whether no other message waits for this recipient now.
    """

    message: OwedMessage
    dm: str | None
    turn: datetime
    closed: datetime
    is_last: bool


def _lane(*names: Any) -> Any:
    """When the last of these lanes is free."""
    return (
        select(func.max(Lane.free_at))
        .where(Lane.workspace_id == bindparam("workspace"), col(Lane.name).in_(names))
        .scalar_subquery()
    )


_NOW: Final = cast(ColumnElement[datetime], bindparam("now"))
_DUE: Final = (
    OwedMessage.state == MessageState.DUE,
    OwedMessage.workspace_id == bindparam("workspace"),
    OwedMessage.recipient == bindparam("recipient"),
    OwedMessage.not_before <= _NOW,
    ~_held_up(OwedMessage, at=_NOW),
)
_OLDEST: Final = (
    select(
        OwedMessage,
        select(Member.dm_channel)
        .where(Member.workspace_id == bindparam("workspace"), Member.id == bindparam("recipient"))
        .scalar_subquery(),
        _lane(bindparam("recipient")),
        _lane(POSTING, BUDGET),
    )
    .where(*_DUE)
    .order_by(col(OwedMessage.due_at), col(OwedMessage.id))
    .limit(2)
)
_TURN: Final = select(_lane(bindparam("recipient")), _lane(POSTING, BUDGET), func.count()).where(*_DUE)


def oldest_due(session: Session, *, workspace_id: str, recipient: str, now: datetime) -> Waiting | None:
    """The message this recipient has waited for longest, of those that may be sent now.

    Messages go out in the order they were due; one that was postponed doesn't hold up the others.
    """
    asked = {"workspace": workspace_id, "recipient": recipient, "now": now}
    found = session.execute(_OLDEST, asked).all()
    if not found:
        return None
    message, dm, turn, closed = found[0]
    return Waiting(message, dm, turn or LONG_AGO, closed or LONG_AGO, is_last=len(found) == 1)


def turn_of(session: Session, *, workspace_id: str, recipient: str, now: datetime) -> datetime | None:
    """When the recipient's lane is free, at the earliest now; None when no message is waiting for that alone."""
    asked = {"workspace": workspace_id, "recipient": recipient, "now": now}
    turn, closed, waiting = connection_of(session).execute(_TURN, asked).one()
    return max(now, turn or now) if waiting and (closed or now) <= now else None
