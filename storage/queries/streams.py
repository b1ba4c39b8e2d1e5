"""Helpers that queries share: streaming, the columns of a named tuple, values by time zone, the cycle of a date,
people who don't take part."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Date, String, and_, bindparam, case, func, or_, select
from sqlmodel import Session, SQLModel, col
from sqlmodel.sql.sqltypes import UTCDateTime

from cadence.rules.calendar import WEEKS
from storage.engine import connection_of
from storage.tables import Cycle, Member, Team, Workspace

BATCH = 1000
"""Rows held as objects at a time."""

_Value = TypeVar("_Value", date, datetime)


Zones = tuple[tuple[str, ...], ...]
"""Time zones, grouped by a value that each group shares."""

WORKSPACE: Final[Any] = bindparam("workspace", type_=String())
SHAPES: Final = 64
"""Statements kept of one that depends on how time zones are grouped; that changes when clocks do."""


def stream(session: Session, query: Any, given: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """Stream rows in batches; the calling query documents their columns.

    PostgreSQL sends all of them at once, a hundred bytes or so each: its cursors need a transaction.

    Args:
        given: values of the statement's parameters, if it was built before.
    """
    return iter(connection_of(session).execute(query, given).yield_per(BATCH))


def columns(table: type[SQLModel], names: Sequence[str]) -> list[Any]:
    """The columns of a table that a query reads as a named tuple: its fields, in their order."""
    return [col(getattr(table, name)) for name in names]


def zoned(name: str, values: Mapping[str, _Value]) -> tuple[Zones, dict[str, _Value]]:
    """The zones that share a value, and each group's value as a parameter of `by_zone`."""
    zones: dict[_Value, list[str]] = {}
    for zone, value in values.items():
        zones.setdefault(value, []).append(zone)
    groups = tuple(tuple(sorted(names)) for names in zones.values())
    return groups, {f"{name}{at}": value for at, value in enumerate(zones)}


def by_zone(name: str, zones: Zones, kind: type[UTCDateTime | Date]) -> Any:
    """A team's value by its time zone, as a parameter of each group of zones (see `zoned`)."""
    values: list[Any] = [bindparam(f"{name}{at}", type_=kind()) for at in range(len(zones))]
    whens = [(col(Team.timezone).in_(names), value) for names, value in zip(zones, values, strict=True)]
    return case(*whens[1:], else_=values[0]) if len(whens) > 1 else values[0]


DAY: Final[Any] = bindparam("day", type_=Date())
"""A date; its parameter is one of `on_day`'s."""
COVERS: Final = and_(
    col(Cycle.starts_on) <= DAY,
    col(Cycle.starts_on) > bindparam("ended_from", type_=Date()),
    col(Cycle.closes_on) >= bindparam("closes_from", type_=Date()),
)
"""Condition: a cycle's weeks, Monday to Sunday, contain a date; its parameters are `on_day`'s."""


def on_day(day: date) -> dict[str, date]:
    """The parameters of `COVERS` and `DAY`."""
    return {"day": day, "ended_from": day - timedelta(weeks=WEEKS), "closes_from": day - timedelta(days=2)}


def takes_no_part(workspace_id: str | BindParameter[str]) -> ColumnElement[bool]:
    """Condition: a `Member` row is of somebody who isn't asked anything, even as a team member."""
    allowed = select(col(Workspace.guests_allowed)).where(col(Workspace.id) == workspace_id)
    return or_(
        func.coalesce(col(Member.deleted), False),
        func.coalesce(col(Member.is_bot), False),
        func.coalesce(col(Member.is_stranger), False),
        and_(func.coalesce(col(Member.is_guest), False), ~allowed.scalar_subquery()),
    )


def cycles_of_day() -> Any:
    """(adoption, number) of the cycle that contains a date; the later one of two. See `on_day`."""
    query: Any = (
        select(col(Cycle.adoption_id).label("adoption_id"), func.max(col(Cycle.number)).label("number"))
        .where(col(Cycle.workspace_id) == WORKSPACE, COVERS)
        .group_by(col(Cycle.adoption_id))
    )
    return query.cte("cycles")
