"""Queries on the months after the last planned cycle: weekly figures, courses, who is watched."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, case, func
from sqlalchemy import select as select_rows
from sqlmodel import col, select

from storage.engine import connection_of
from storage.query_cache import cached
from storage.tables import (
    Adoption,
    AdoptionState,
    CheckIn,
    CourseChange,
    Cycle,
    CycleKind,
    CycleState,
    LoggedException,
    Team,
)
from storage.work import UnitOfWork


@cached(CourseChange)
def newest_changes(uow: UnitOfWork, *, adoption_ids: Collection[int]) -> list[CourseChange]:
    """The newest change of course of each of some adoptions, if any."""
    newest = (
        select_rows(func.max(col(CourseChange.id)))
        .where(
            col(CourseChange.workspace_id) == uow.workspace_id,
            col(CourseChange.adoption_id).in_(adoption_ids),
        )
        .group_by(col(CourseChange.adoption_id))
    )
    return list(uow.session.exec(select(CourseChange).where(col(CourseChange.id).in_(newest))))


def change(uow: UnitOfWork, *, change_id: int) -> CourseChange | None:
    """One change of course."""
    query = select(CourseChange).where(
        CourseChange.workspace_id == uow.workspace_id, CourseChange.id == change_id
    )
    return uow.session.exec(query).first()


def changes_of(uow: UnitOfWork, *, adoption_id: int) -> list[CourseChange]:
    """Every change of an adoption's course, oldest first."""
    query = select(CourseChange).where(
        CourseChange.workspace_id == uow.workspace_id, CourseChange.adoption_id == adoption_id
    )
    return list(uow.session.exec(query.order_by(col(CourseChange.id))))


def changes_of_week(uow: UnitOfWork, *, week_start: date) -> list[CourseChange]:
    """The changes of course found when a week ended, oldest first."""
    query = select(CourseChange).where(
        CourseChange.workspace_id == uow.workspace_id, CourseChange.week_start == week_start
    )
    return list(uow.session.exec(query.order_by(col(CourseChange.id))))


class WeekRow(NamedTuple):
    """A week's check-ins of an adoption: how many, their runs, and the value events they report, if any."""

    week_start: date
    answers: int
    runs: int
    value_events: int | None


def weeks_of_answers(uow: UnitOfWork, *, adoption_id: int) -> list[WeekRow]:
    """The weeks with check-ins of an adoption, oldest first."""
    query = (
        select_rows(
            col(CheckIn.week_start),
            func.count(),
            func.sum(col(CheckIn.runs)),
            func.sum(col(CheckIn.value_events)),
        )
        .where(
            col(CheckIn.workspace_id) == uow.workspace_id,
            col(CheckIn.adoption_id) == adoption_id,
            col(CheckIn.replaced_at).is_(None),
        )
        .group_by(col(CheckIn.week_start))
        .order_by(col(CheckIn.week_start))
    )
    return [WeekRow(*row) for row in connection_of(uow.session).execute(query)]


def exceptions_by_cycle(uow: UnitOfWork, *, adoption_id: int) -> dict[int, int]:
    """How many exceptions of an adoption count in each cycle, by the cycle's id."""
    query = (
        select_rows(col(LoggedException.cycle_id), func.count())
        .where(
            col(LoggedException.workspace_id) == uow.workspace_id,
            col(LoggedException.adoption_id) == adoption_id,
            col(LoggedException.withdrawn_after).is_(None),
        )
        .group_by(col(LoggedException.cycle_id))
    )
    rows: Any = connection_of(uow.session).execute(query)
    return dict(list(rows))


class WatchedRow(NamedTuple):
    """A watch period: its adoption, its team's time zone, its first Monday and last Friday."""

    adoption_id: int
    timezone: str
    starts_on: date
    closes_on: date


def watched(uow: UnitOfWork, *, first: date, last: date) -> list[WatchedRow]:
    """The watch periods with a week between two dates, by adoption."""
    asked = {"workspace": uow.workspace_id, "first": first, "last": last}
    return [WatchedRow(*row) for row in connection_of(uow.session).execute(_WATCHED, asked)]


_WATCHED: Final[Any] = (
    select_rows(col(Adoption.id), col(Team.timezone), col(Cycle.starts_on), col(Cycle.closes_on))
    .join(Cycle, col(Cycle.adoption_id) == col(Adoption.id))
    .join(Team, col(Team.id) == col(Adoption.team_id))
    .where(
        col(Adoption.workspace_id) == bindparam("workspace"),
        col(Adoption.state) != AdoptionState.ENDED,
        col(Cycle.kind) == CycleKind.WATCH,
        col(Cycle.starts_on) <= bindparam("last"),
        col(Cycle.closes_on) >= bindparam("first"),
    )
    .order_by(col(Adoption.id), col(Cycle.number))
)


def watching(uow: UnitOfWork) -> list[int]:
    """The adoptions with a watch period that hasn't ended."""
    query = (
        select_rows(col(Cycle.adoption_id))
        .where(
            col(Cycle.workspace_id) == uow.workspace_id,
            col(Cycle.state) == CycleState.RUNNING,
            col(Cycle.kind) == CycleKind.WATCH,
        )
        .distinct()
        .order_by(col(Cycle.adoption_id))
    )
    return list(connection_of(uow.session).execute(query).scalars())


class ValueRow(NamedTuple):
    """What value events are counted from: reported ones, runs of other check-ins, exceptions; and the first week
    with a check-in, where weeks were asked for."""

    reported: int
    other_runs: int
    exceptions: int
    since: date | None = None


_OTHER_RUNS = func.sum(case((col(CheckIn.value_events).is_(None), col(CheckIn.runs)), else_=0))


def values_of_cycles(uow: UnitOfWork, *, cycle_ids: Collection[int]) -> dict[int, ValueRow]:
    """The counts of some cycles, by the cycle's id; one without check-ins has none."""
    asked = {"workspace": uow.workspace_id, "cycles": list(cycle_ids)}
    return {
        cycle: ValueRow(int(reported or 0), int(other or 0), logged)
        for cycle, reported, other, logged in connection_of(uow.session).execute(_VALUES_OF_CYCLES, asked)
    }


_EXCEPTIONS_OF_CYCLE: Final = (
    select_rows(func.count())
    .select_from(LoggedException)
    .where(
        col(LoggedException.workspace_id) == bindparam("workspace"),
        col(LoggedException.cycle_id) == col(CheckIn.cycle_id),
        col(LoggedException.withdrawn_after).is_(None),
    )
    .correlate(CheckIn)
    .scalar_subquery()
)
_VALUES_OF_CYCLES: Final[Any] = (
    select_rows(col(CheckIn.cycle_id), func.sum(col(CheckIn.value_events)), _OTHER_RUNS, _EXCEPTIONS_OF_CYCLE)
    .where(
        col(CheckIn.workspace_id) == bindparam("workspace"),
        col(CheckIn.cycle_id).in_(bindparam("cycles", expanding=True)),
        col(CheckIn.replaced_at).is_(None),
    )
    .group_by(col(CheckIn.cycle_id))
)


def values_between(uow: UnitOfWork, *, first: date, last: date) -> dict[int, ValueRow]:
    """The counts of the weeks from one Monday to another, by adoption.

    Exceptions count from the first Monday's midnight UTC to the end of the last week's Sunday.
    """
    runs = (
        select_rows(
            col(CheckIn.adoption_id),
            func.sum(col(CheckIn.value_events)),
            _OTHER_RUNS,
            func.min(col(CheckIn.week_start)),
        )
        .where(
            col(CheckIn.workspace_id) == uow.workspace_id,
            col(CheckIn.week_start) >= first,
            col(CheckIn.week_start) <= last,
            col(CheckIn.replaced_at).is_(None),
        )
        .group_by(col(CheckIn.adoption_id))
    )
    since = datetime.combine(first, time.min, tzinfo=UTC)
    until = datetime.combine(last + timedelta(weeks=1), time.min, tzinfo=UTC)
    exceptions = (
        select_rows(col(LoggedException.adoption_id), func.count())
        .where(
            col(LoggedException.workspace_id) == uow.workspace_id,
            col(LoggedException.logged_at) >= since,
            col(LoggedException.logged_at) < until,
            col(LoggedException.withdrawn_after).is_(None),
        )
        .group_by(col(LoggedException.adoption_id))
    )
    logged: Any = connection_of(uow.session).execute(exceptions)
    counted = dict(list(logged))
    found: Any = connection_of(uow.session).execute(runs)
    return {
        adoption: ValueRow(int(reported or 0), int(other or 0), counted.get(adoption, 0), since)
        for adoption, reported, other, since in found
    }
