"""Lanes: when the next call may go out to a recipient, of a method, or in a workspace as a whole.

They stand in the database, so that every worker keeps them and a restart forgets none. Whoever takes a turn locks
lanes first and the ledger's row after, always in this order.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import case, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from storage.tables import Lane, MessageState, OwedMessage

POSTING = "chat.postMessage"
"""The lane of posting; other methods of Slack's have theirs under their own names."""
BUDGET = "budget"
"""The lane that all messages of a workspace go through."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def free_at(session: Session, *, workspace_id: str, names: Sequence[str]) -> dict[str, datetime]:
    """When lanes are free, by name; those that never were in use are left out."""
    query = select(Lane).where(Lane.workspace_id == workspace_id, col(Lane.name).in_(names))
    return {lane.name: lane.free_at for lane in session.exec(query)}


def lock(session: Session, *, workspace_id: str, names: Sequence[str]) -> dict[str, datetime]:
    """The same, and nobody else changes these lanes before the transaction ends."""
    rows = [{"workspace_id": workspace_id, "name": name, "free_at": LONG_AGO} for name in sorted(names)]
    if not rows:
        return {}
    known = free_at(session, workspace_id=workspace_id, names=names)
    for row in rows:
        if row["name"] not in known:
            session.execute(_insert(session).values(row).on_conflict_do_nothing())
    query = select(Lane).where(Lane.workspace_id == workspace_id, col(Lane.name).in_(names))
    query = query.order_by(col(Lane.name)).with_for_update().execution_options(populate_existing=True)
    return {lane.name: lane.free_at for lane in session.exec(query)}


def close(session: Session, *, workspace_id: str, name: str, until: datetime) -> None:
    """Nothing goes through a lane before `until`; one that is closed for longer stays so."""
    insert = _insert(session).values(workspace_id=workspace_id, name=name, free_at=until)
    later = case(
        (col(Lane.free_at) > insert.excluded.free_at, col(Lane.free_at)), else_=insert.excluded.free_at
    )
    session.execute(
        insert.on_conflict_do_update(index_elements=["workspace_id", "name"], set_={"free_at": later})
    )


def next_turn(session: Session, *, now: datetime, within: timedelta) -> datetime | None:
    """When the first of those who wait only for their turn, or for the budget, has it; None when nobody does soon."""
    query = (
        select(func.min(Lane.free_at))
        .select_from(OwedMessage)
        .join(Lane, (col(Lane.workspace_id) == OwedMessage.workspace_id))
        .where(
            OwedMessage.state == MessageState.DUE,
            OwedMessage.not_before <= now,
            col(Lane.name).in_([col(OwedMessage.recipient), BUDGET]),
            Lane.free_at > now,
            Lane.free_at <= now + within,
        )
    )
    return session.exec(query).one()


def _insert(session: Session) -> Any:
    build = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    return build(Lane)
