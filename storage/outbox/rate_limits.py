"""Lanes: when the next call may go out to a recipient, of a method, or in a workspace as a whole.

They stand in the database, so that every worker keeps them and a restart forgets none. Whoever sends takes the
recipient's lane first, the ledger's row after, and the budget last, always in this order.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import DateTime, Interval, bindparam, case, func, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from storage.engine import connection_of
from storage.tables import Lane, MessageState, OwedMessage
from storage.work import UnitOfWork

POSTING = "chat.postMessage"
"""The lane of posting; other methods of Slack's have theirs under their own names."""
BUDGET = "budget"
"""The lane that all messages of a workspace go through."""
READINESS = "readyz"
"""No lane: the row that `/readyz` writes to learn whether writes are kept."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST_TURN = timedelta(minutes=1)
"""No recipient and no budget is closed for longer; a lane that is was closed before the clock was set back."""
LONGEST_PAUSE = timedelta(hours=1)
"""The longest pause in a method that is kept, as `bot.delivery.gateway` has it."""


_WHERE: Final[Any] = bindparam("workspace")
_FREE: Final = select(col(Lane.name), col(Lane.free_at)).where(
    Lane.workspace_id == _WHERE, col(Lane.name).in_(bindparam("names", expanding=True))
)


def _insert(build: Any) -> Any:
    return build(Lane).values(workspace_id=_WHERE, name=bindparam("lane"), free_at=bindparam("until"))


def _taking(build: Any) -> Any:
    insert = _insert(build)
    return insert.on_conflict_do_update(
        index_elements=["workspace_id", "name"],
        set_={"free_at": insert.excluded.free_at},
        where=col(Lane.free_at) <= bindparam("now"),
    ).returning(col(Lane.name))


def _closing(build: Any) -> Any:
    insert = _insert(build)
    later = case(
        (col(Lane.free_at) > insert.excluded.free_at, col(Lane.free_at)), else_=insert.excluded.free_at
    )
    return insert.on_conflict_do_update(index_elements=["workspace_id", "name"], set_={"free_at": later})


def _spending() -> Any:
    """The budget's lane moves on by a share, from now less a burst at the earliest; PostgreSQL reckons it itself."""
    insert = _insert(postgresql.insert)
    share, floor = bindparam("share", type_=Interval()), bindparam("floor", type_=DateTime(timezone=True))
    return insert.on_conflict_do_update(
        index_elements=["workspace_id", "name"],
        set_={"free_at": func.greatest(col(Lane.free_at), floor) + share},
        where=col(Lane.free_at) <= bindparam("now"),
    ).returning(col(Lane.name))


# Put together once: that takes longer than running them, and every message needs them all.
_TAKE: Final = {"sqlite": _taking(sqlite.insert), "postgresql": _taking(postgresql.insert)}
_CLOSE: Final = {"sqlite": _closing(sqlite.insert), "postgresql": _closing(postgresql.insert)}
_SPEND: Final = _spending()


def free_at(uow: UnitOfWork, *, names: Sequence[str]) -> dict[str, datetime]:
    """When lanes are free, by name; those that never were in use are left out."""
    asked = {"workspace": uow.workspace_id, "names": list(names)}
    return {row.name: row.free_at for row in connection_of(uow.session).execute(_FREE, asked)}


def take(uow: UnitOfWork, *, name: str, until: datetime) -> bool:
    """Take the turn in a lane and close it `until` then; False when it isn't free. Of several at once one gets it."""
    connection = connection_of(uow.session)
    given = {"workspace": uow.workspace_id, "lane": name, "until": until, "now": uow.now}
    return connection.execute(_TAKE[connection.dialect.name], given).first() is not None


def spend(uow: UnitOfWork, *, share: timedelta, burst: timedelta, free: datetime | None = None) -> bool:
    """Take a message's share of the workspace's budget; False when it is spent for now.

    Every message of the workspace comes through here: call it last in a transaction, so that nobody waits long.

    Args:
        free: when the budget is free, as this transaction has read; spares SQLite the question.
    """
    connection = connection_of(uow.session)
    if connection.dialect.name == "sqlite":  # its writers come one after the other anyway
        if free is None:
            free = free_at(uow, names=[BUDGET]).get(BUDGET, LONG_AGO)
        until = max(free, uow.now - burst) + share
        return take(uow, name=BUDGET, until=until)
    floor = uow.now - burst
    given = {"workspace": uow.workspace_id, "lane": BUDGET, "now": uow.now, "floor": floor, "share": share}
    return connection.execute(_SPEND, given | {"until": floor + share}).first() is not None


def close(uow: UnitOfWork, *, name: str, until: datetime) -> None:
    """Nothing goes through a lane before `until`; one that is closed for longer stays so."""
    connection = connection_of(uow.session)
    given = {"workspace": uow.workspace_id, "lane": name, "until": until}
    connection.execute(_CLOSE[connection.dialect.name], given)


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


def correct_future(session: Session, *, now: datetime) -> int:
    """The clock was set back: open the lanes that would stay closed until the old time. Returns how many."""
    is_method = col(Lane.name).contains(".")
    changed = session.execute(
        update(Lane)
        .where(
            or_(
                ~is_method & (col(Lane.free_at) > now + LONGEST_TURN), col(Lane.free_at) > now + LONGEST_PAUSE
            )
        )
        .values(free_at=now)
    )
    return int(getattr(changed, "rowcount", 0))
