"""Rate limits: when the next call is allowed to a recipient, of a method, or in a workspace as a whole.

They are rows of the database, so that all workers share them and they survive a restart. A sender claims the
recipient's slot first, then the ledger's row, and the budget last, always in this order.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import DateTime, Interval, bindparam, case, func, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from storage.engine import connection_of
from storage.tables import MessageState, OutboxMessage, RateLimit
from storage.work import UnitOfWork

POSTING = "chat.postMessage"
"""The limit for posting; Slack's other methods have limits under their own names."""
BUDGET = "budget"
"""The limit shared by all messages of a workspace."""
READINESS = "readyz"
"""Not a limit: the row that `/readyz` writes to check that writes work."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST_SLOT = timedelta(minutes=1)
"""No recipient and no budget is closed for longer; if one is, it was closed before the clock was set back."""
LONGEST_PAUSE = timedelta(hours=1)
"""The longest pause of a method that is kept, as in `bot.delivery.gateway`."""


_WHERE: Final[Any] = bindparam("workspace")
_FREE: Final = select(col(RateLimit.name), col(RateLimit.free_at)).where(
    RateLimit.workspace_id == _WHERE, col(RateLimit.name).in_(bindparam("names", expanding=True))
)


def _insert(build: Any) -> Any:
    return build(RateLimit).values(workspace_id=_WHERE, name=bindparam("limit"), free_at=bindparam("until"))


def _taking(build: Any) -> Any:
    insert = _insert(build)
    return insert.on_conflict_do_update(
        index_elements=["workspace_id", "name"],
        set_={"free_at": insert.excluded.free_at},
        where=col(RateLimit.free_at) <= bindparam("now"),
    ).returning(col(RateLimit.name))


def _closing(build: Any) -> Any:
    insert = _insert(build)
    later = case(
        (col(RateLimit.free_at) > insert.excluded.free_at, col(RateLimit.free_at)),
        else_=insert.excluded.free_at,
    )
    return insert.on_conflict_do_update(index_elements=["workspace_id", "name"], set_={"free_at": later})


def _spending() -> Any:
    """Move the budget's limit on by one share, starting at least one burst before now; PostgreSQL computes
    it itself."""
    insert = _insert(postgresql.insert)
    share, floor = bindparam("share", type_=Interval()), bindparam("floor", type_=DateTime(timezone=True))
    return insert.on_conflict_do_update(
        index_elements=["workspace_id", "name"],
        set_={"free_at": func.greatest(col(RateLimit.free_at), floor) + share},
        where=col(RateLimit.free_at) <= bindparam("now"),
    ).returning(col(RateLimit.name))


# Built once: that takes longer than running them, and every message needs all of them.
_TAKE: Final = {"sqlite": _taking(sqlite.insert), "postgresql": _taking(postgresql.insert)}
_CLOSE: Final = {"sqlite": _closing(sqlite.insert), "postgresql": _closing(postgresql.insert)}
_SPEND: Final = _spending()


def free_at(uow: UnitOfWork, *, names: Sequence[str]) -> dict[str, datetime]:
    """When these limits are free, by name; unused ones are left out."""
    asked = {"workspace": uow.workspace_id, "names": list(names)}
    return {row.name: row.free_at for row in connection_of(uow.session).execute(_FREE, asked)}


def take(uow: UnitOfWork, *, name: str, until: datetime) -> bool:
    """Claim a limit's next slot and close it `until` then; False if it isn't free. Only one of several
    callers gets it."""
    connection = connection_of(uow.session)
    given = {"workspace": uow.workspace_id, "limit": name, "until": until, "now": uow.now}
    return connection.execute(_TAKE[connection.dialect.name], given).first() is not None


def spend(uow: UnitOfWork, *, share: timedelta, burst: timedelta, free: datetime | None = None) -> bool:
    """Use a message's share of the workspace's budget; False if the budget is used up for now.

    Every message of the workspace locks this row: call it last in a transaction, so that nobody waits long.

    Args:
        free: when the budget is free, as read in this transaction; saves SQLite a query.
    """
    connection = connection_of(uow.session)
    if connection.dialect.name == "sqlite":  # its writers are serialized anyway
        if free is None:
            free = free_at(uow, names=[BUDGET]).get(BUDGET, LONG_AGO)
        until = max(free, uow.now - burst) + share
        return take(uow, name=BUDGET, until=until)
    floor = uow.now - burst
    given = {"workspace": uow.workspace_id, "limit": BUDGET, "now": uow.now, "floor": floor, "share": share}
    return connection.execute(_SPEND, given | {"until": floor + share}).first() is not None


def close(uow: UnitOfWork, *, name: str, until: datetime) -> None:
    """Close a limit `until` then, unless it is already closed for longer."""
    connection = connection_of(uow.session)
    given = {"workspace": uow.workspace_id, "limit": name, "until": until}
    connection.execute(_CLOSE[connection.dialect.name], given)


def next_slot(session: Session, *, now: datetime, within: timedelta) -> datetime | None:
    """The next slot of a recipient who waits only for that or for the budget; None if none is near."""
    found: datetime | None = (
        connection_of(session).execute(_NEXT_SLOT, {"now": now, "soon": now + within}).scalar_one()
    )
    return found


_NEXT_SLOT: Final[Any] = (
    select(func.min(RateLimit.free_at))
    .select_from(OutboxMessage)
    .join(RateLimit, (col(RateLimit.workspace_id) == OutboxMessage.workspace_id))
    .where(
        OutboxMessage.state == MessageState.DUE,
        col(OutboxMessage.not_before) <= bindparam("now"),
        col(RateLimit.name).in_([col(OutboxMessage.recipient), BUDGET]),
        col(RateLimit.free_at) > bindparam("now"),
        col(RateLimit.free_at) <= bindparam("soon"),
    )
)


def correct_future(session: Session, *, now: datetime) -> int:
    """After the clock was set back, open the limits that would stay closed until the old time. Returns how
    many."""
    is_method = col(RateLimit.name).contains(".")
    changed = session.execute(
        update(RateLimit)
        .where(
            or_(
                ~is_method & (col(RateLimit.free_at) > now + LONGEST_SLOT),
                col(RateLimit.free_at) > now + LONGEST_PAUSE,
            )
        )
        .values(free_at=now)
    )
    return int(getattr(changed, "rowcount", 0))
