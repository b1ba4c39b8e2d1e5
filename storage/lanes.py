"""Lanes: when the next call may go out to a recipient, of a method, or in a workspace as a whole.

They stand in the database, so that every worker keeps them and a restart forgets none. Whoever sends takes the
recipient's lane first, the ledger's row after, and the budget last, always in this order.
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


def take(session: Session, *, workspace_id: str, name: str, now: datetime, until: datetime) -> bool:
    """Take the turn in a lane and close it `until` then; False when it isn't free. Of several at once one gets it."""
    insert = _insert(session).values(workspace_id=workspace_id, name=name, free_at=until)
    taken = session.execute(
        insert.on_conflict_do_update(
            index_elements=["workspace_id", "name"],
            set_={"free_at": insert.excluded.free_at},
            where=col(Lane.free_at) <= now,
        ).returning(col(Lane.name))
    )
    return taken.first() is not None


def spend(session: Session, *, workspace_id: str, now: datetime, share: timedelta, burst: timedelta) -> bool:
    """Take a message's share of the workspace's budget; False when it is spent for now.

    Every message of the workspace comes through here: call it last in a transaction, so that nobody waits long.
    """
    if session.get_bind().dialect.name == "sqlite":  # its writers come one after the other anyway
        free = free_at(session, workspace_id=workspace_id, names=[BUDGET]).get(BUDGET, LONG_AGO)
        until = max(free, now - burst) + share
        return take(session, workspace_id=workspace_id, name=BUDGET, now=now, until=until)
    insert = postgresql.insert(Lane).values(
        workspace_id=workspace_id, name=BUDGET, free_at=now - burst + share
    )
    spent = session.execute(
        insert.on_conflict_do_update(
            index_elements=["workspace_id", "name"],
            set_={"free_at": func.greatest(col(Lane.free_at), now - burst) + share},
            where=col(Lane.free_at) <= now,
        ).returning(col(Lane.name))
    )
    return spent.first() is not None


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
