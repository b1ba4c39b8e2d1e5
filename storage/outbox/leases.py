"""The recipients whose slot is free now, and the message each has waited for longest.

Statements are built once: building takes longer than running them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import ColumnElement, bindparam, func, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage.engine import connection_of
from storage.outbox.rate_limits import BUDGET, POSTING
from storage.tables import Member, MessageState, OutboxMessage, RateLimit, Workspace
from storage.work import UnitOfWork

SETTLING = 5
"""Attempts during which later messages to the same recipient wait, to keep the order; after that they no
longer wait."""
MOST = 500
"""Recipients returned at a time, in all workspaces together."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def _ahead(row: Any, *, at: Any) -> tuple[ColumnElement[bool], ...]:
    """Condition: a message is under way, or scheduled for another try, at an instant."""
    return (
        row.state == MessageState.DUE,
        row.attempts >= 1,
        row.attempts <= SETTLING,
        row.not_before > at,
    )


def _held_up(row: Any, *, at: Any) -> ColumnElement[bool]:
    """Condition: an earlier message to the recipient of `row` must go first."""
    ahead: Any = aliased(OutboxMessage)
    of_theirs = (ahead.workspace_id == row.workspace_id, ahead.recipient == row.recipient)
    return select(ahead.id).where(*_ahead(ahead, at=at), *of_theirs).exists()


def _all_held_up(at: datetime) -> Any:
    """(workspace, recipient) pairs with an earlier message that must go first: read once, like `_paced`,
    not per row."""
    ahead: Any = aliased(OutboxMessage)
    return select(ahead.workspace_id, ahead.recipient).where(*_ahead(ahead, at=at))


def _paced(now: datetime) -> Any:
    """(workspace, recipient) pairs whose next slot is in the future."""
    return select(RateLimit.workspace_id, RateLimit.name).where(RateLimit.free_at > now)


def _closed(now: datetime) -> Any:
    """Workspaces in which all posting is paused, or whose budget is used up."""
    return select(RateLimit.workspace_id).where(
        col(RateLimit.name).in_([POSTING, BUDGET]), RateLimit.free_at > now
    )


def due_recipients(
    session: Session, *, now: datetime, limit: int = MOST, within: Sequence[str] | None = None
) -> list[tuple[str, str]]:
    """(workspace, recipient) pairs whose next message can go out now; of each workspace the longest waiting first.

    Workspaces that uninstalled the bot are left out.

    Args:
        limit: at most so many per workspace, so that one with many messages doesn't delay the others.
        within: these workspaces only; others must not use up the limit.
    """
    given: dict[str, Any] = {"now": now, "limit": limit} | (
        {} if within is None else {"within": list(within)}
    )
    rows = connection_of(session).execute(_due_recipients(some=within is not None), given)
    return [(workspace_id, recipient) for workspace_id, recipient in rows]


@cache
def _due_recipients(*, some: bool) -> Any:
    where, who = col(OutboxMessage.workspace_id), col(OutboxMessage.recipient)
    first, now = func.min(OutboxMessage.due_at), cast(datetime, bindparam("now"))
    waiting = (
        select(where, who, first.label("first"))
        .add_columns(func.row_number().over(partition_by=where, order_by=[first, who]).label("place"))
        .where(
            col(OutboxMessage.state) == MessageState.DUE,
            col(OutboxMessage.not_before) <= now,
            where.not_in(select(Workspace.id).where(col(Workspace.uninstalled_at).is_not(None))),
            where.not_in(_closed(now)),
            tuple_(where, who).not_in(_all_held_up(now)),
            tuple_(where, who).not_in(_paced(now)),
        )
        .group_by(where, who)
    )
    if some:
        waiting = waiting.where(where.in_(bindparam("within", expanding=True)))
    ranked = waiting.subquery().c
    query = select(ranked.workspace_id, ranked.recipient).where(ranked.place <= bindparam("limit"))
    return query.order_by(ranked.place, ranked.first).limit(MOST)


def next_due(session: Session, *, within: Sequence[str] | None = None) -> datetime | None:
    """When the earliest waiting message can be sent; with `within`, in these workspaces only."""
    given = {} if within is None else {"within": list(within)}
    rows = connection_of(session).execute(_next_due(some=within is not None), given)
    return min((max(first, paused or first) for _, first, paused in rows), default=None)


@cache
def _next_due(*, some: bool) -> Any:
    query = (
        select(OutboxMessage.workspace_id, func.min(OutboxMessage.not_before), func.max(RateLimit.free_at))
        .outerjoin(
            RateLimit,
            (col(RateLimit.workspace_id) == OutboxMessage.workspace_id) & (col(RateLimit.name) == POSTING),
        )
        .where(OutboxMessage.state == MessageState.DUE, ~_held_up(OutboxMessage, at=OutboxMessage.not_before))
        .group_by(col(OutboxMessage.workspace_id))
    )
    return (
        query.where(col(OutboxMessage.workspace_id).in_(bindparam("within", expanding=True)))
        if some
        else query
    )


class Waiting(NamedTuple):
    """The message that a recipient has waited for longest.

    Args:
        dm: the recipient's DM channel, if known.
        slot: the recipient's next slot; far in the past if none was ever claimed.
        closed: until when the workspace's posting is paused or its budget is used up.
        is_last: whether no other message waits for this recipient now.
    """

    message: OutboxMessage
    dm: str | None
    slot: datetime
    closed: datetime
    is_last: bool


def _free_at(*names: Any) -> Any:
    """When the last of these rate limits allows another call."""
    return (
        select(func.max(RateLimit.free_at))
        .where(RateLimit.workspace_id == bindparam("workspace"), col(RateLimit.name).in_(names))
        .scalar_subquery()
    )


_NOW: Final = cast(ColumnElement[datetime], bindparam("now"))
_DUE: Final = (
    OutboxMessage.state == MessageState.DUE,
    OutboxMessage.workspace_id == bindparam("workspace"),
    OutboxMessage.recipient == bindparam("recipient"),
    OutboxMessage.not_before <= _NOW,
    ~_held_up(OutboxMessage, at=_NOW),
)
_OLDEST: Final = (
    select(
        OutboxMessage,
        select(Member.dm_channel)
        .where(Member.workspace_id == bindparam("workspace"), Member.id == bindparam("recipient"))
        .scalar_subquery(),
        _free_at(bindparam("recipient")),
        _free_at(POSTING, BUDGET),
    )
    .where(*_DUE)
    .order_by(col(OutboxMessage.due_at), col(OutboxMessage.id))
    .limit(2)
)
_SLOT: Final = select(_free_at(bindparam("recipient")), _free_at(POSTING, BUDGET), func.count()).where(*_DUE)


def oldest_due(uow: UnitOfWork, *, recipient: str) -> Waiting | None:
    """The message this recipient has waited for longest, among those that can be sent now.

    Messages go out in the order they were due; a postponed one doesn't block the others.
    """
    asked = {"workspace": uow.workspace_id, "recipient": recipient, "now": uow.now}
    found = uow.session.execute(_OLDEST, asked).all()
    if not found:
        return None
    message, dm, slot, closed = found[0]
    return Waiting(message, dm, slot or LONG_AGO, closed or LONG_AGO, is_last=len(found) == 1)


def slot_of(uow: UnitOfWork, *, recipient: str) -> datetime | None:
    """The recipient's next slot, now at the earliest; None if no message waits only for that."""
    asked = {"workspace": uow.workspace_id, "recipient": recipient, "now": uow.now}
    slot, closed, waiting = connection_of(uow.session).execute(_SLOT, asked).one()
    return max(uow.now, slot or uow.now) if waiting and (closed or uow.now) <= uow.now else None
