"""Helpers that queries share: streaming, values by time zone, the cycle of a date, people who don't take
part."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Date, and_, case, func, literal, or_, select
from sqlmodel import Session, col
from sqlmodel.sql.sqltypes import UTCDateTime

from cadence.rules.calendar import WEEKS
from storage.engine import connection_of
from storage.tables import Cycle, Member, Team, Workspace

BATCH = 1000
"""Rows held in memory at a time."""

_Value = TypeVar("_Value", date, datetime)


def stream(session: Session, query: Any) -> Iterator[Any]:
    """Stream rows in batches; the calling query documents their columns."""
    return iter(connection_of(session).execute(query.execution_options(yield_per=BATCH)))


def by_zone(values: Mapping[str, _Value]) -> Any:
    """A team's value by its time zone; zones are few, and those with the same value become one case."""
    zones: dict[_Value, list[str]] = {}
    for zone, value in values.items():
        zones.setdefault(value, []).append(zone)
    kind = UTCDateTime() if isinstance(next(iter(zones)), datetime) else Date()
    whens = [(col(Team.timezone).in_(sorted(names)), literal(value, kind)) for value, names in zones.items()]
    return case(*whens[1:], else_=whens[0][1]) if len(whens) > 1 else whens[0][1]


def covers(day: date) -> ColumnElement[bool]:
    """Condition: a cycle's weeks, Monday to Sunday, contain a date."""
    return and_(
        col(Cycle.starts_on) <= day,
        col(Cycle.starts_on) > day - timedelta(weeks=WEEKS),
        col(Cycle.closes_on) >= day - timedelta(days=2),
    )


def takes_no_part(workspace_id: str | BindParameter[str]) -> ColumnElement[bool]:
    """Condition: a `Member` row is of somebody who isn't asked anything, even as a team member."""
    allowed = select(col(Workspace.guests_allowed)).where(col(Workspace.id) == workspace_id)
    return or_(
        func.coalesce(col(Member.deleted), False),
        func.coalesce(col(Member.is_bot), False),
        func.coalesce(col(Member.is_stranger), False),
        and_(func.coalesce(col(Member.is_guest), False), ~allowed.scalar_subquery()),
    )


def cycles_of(workspace_id: str, day: date) -> Any:
    """(adoption, number) of the cycle that contains a date; the later one of two."""
    query: Any = (
        select(col(Cycle.adoption_id).label("adoption_id"), func.max(col(Cycle.number)).label("number"))
        .where(col(Cycle.workspace_id) == workspace_id, covers(day))
        .group_by(col(Cycle.adoption_id))
    )
    return query.cte("cycles")
