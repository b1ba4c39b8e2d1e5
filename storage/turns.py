"""Who is written to next: the recipients whose turn it is, and the message each has waited for longest.

The two that every message asks are put together once: that takes longer than running them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import ColumnElement, bindparam, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage.engine import connection_of
from storage.lanes import BUDGET, POSTING
from storage.tables import Lane, Member, MessageState, OwedMessage

SETTLING = 5
"""Attempts during which later messages to the same recipient wait, so that order holds; one that can't be
sent for longer no longer holds them up."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def _held_up(row: Any, *, at: Any) -> ColumnElement[bool]:
    """Whether another message to the recipient of `row` is on its way, or to be tried again, at an instant."""
    ahead = aliased(OwedMessage)
    return (
        select(ahead.id)
        .where(
            ahead.state == MessageState.DUE,
            ahead.workspace_id == row.workspace_id,
            ahead.recipient == row.recipient,
            ahead.attempts >= 1,
            ahead.attempts <= SETTLING,
            ahead.not_before > at,
        )
        .exists()
    )


def _closed(now: datetime) -> ColumnElement[bool]:
    """Whether the recipient's turn, a pause in posting or the budget of the workspace is still to wait for."""
    return (
        select(Lane.name)
        .where(
            Lane.workspace_id == OwedMessage.workspace_id,
            col(Lane.name).in_([col(OwedMessage.recipient), POSTING, BUDGET]),
            Lane.free_at > now,
        )
        .exists()
    )


def due_recipients(
    session: Session, *, now: datetime, limit: int = 500, within: Sequence[str] | None = None
) -> list[tuple[str, str]]:
    """(workspace, recipient) pairs whose next message may go out now, the longest waiting first.

    `within` looks at these workspaces only: those of others must not take up the limit.
    """
    query = (
        select(OwedMessage.workspace_id, OwedMessage.recipient, func.min(OwedMessage.due_at).label("first"))
        .where(
            OwedMessage.state == MessageState.DUE,
            OwedMessage.not_before <= now,
            ~_held_up(OwedMessage, at=now),
            ~_closed(now),
        )
        .group_by(col(OwedMessage.workspace_id), col(OwedMessage.recipient))
        .order_by("first")
        .limit(limit)
    )
    if within is not None:
        query = query.where(col(OwedMessage.workspace_id).in_(within))
    return [(workspace_id, recipient) for workspace_id, recipient, _ in session.exec(query)]


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
    """

    message: OwedMessage
    dm: str | None
    turn: datetime
    closed: datetime


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
    .limit(1)
)
_TURN: Final = select(_lane(bindparam("recipient")), func.count()).where(*_DUE)


def oldest_due(session: Session, *, workspace_id: str, recipient: str, now: datetime) -> Waiting | None:
    """The message this recipient has waited for longest, of those that may be sent now.

    Messages go out in the order they were due; one that was postponed doesn't hold up the others.
    """
    asked = {"workspace": workspace_id, "recipient": recipient, "now": now}
    found = session.execute(_OLDEST, asked).first()
    if found is None:
        return None
    message, dm, turn, closed = found
    return Waiting(message, dm, turn or LONG_AGO, closed or LONG_AGO)


def turn_of(session: Session, *, workspace_id: str, recipient: str, now: datetime) -> datetime | None:
    """When the recipient's lane is free, at the earliest now; None when no message is waiting for that."""
    asked = {"workspace": workspace_id, "recipient": recipient, "now": now}
    turn, waiting = connection_of(session).execute(_TURN, asked).one()
    return max(now, turn or now) if waiting else None
