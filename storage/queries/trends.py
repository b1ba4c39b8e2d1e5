"""Queries on the months after the last planned cycle: weekly figures, courses, who is watched."""

from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import func
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
    query = (
        select_rows(col(Adoption.id), col(Team.timezone), col(Cycle.starts_on), col(Cycle.closes_on))
        .join(Cycle, col(Cycle.adoption_id) == col(Adoption.id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .where(
            col(Adoption.workspace_id) == uow.workspace_id,
            col(Adoption.state) != AdoptionState.ENDED,
            col(Cycle.kind) == CycleKind.WATCH,
            col(Cycle.starts_on) <= last,
            col(Cycle.closes_on) >= first,
        )
        .order_by(col(Adoption.id), col(Cycle.number))
    )
    rows: Any = connection_of(uow.session).execute(query)
    return [WatchedRow(*row) for row in rows]
