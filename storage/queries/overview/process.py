"""Counts of a rollout by month: adoptions, closed cycles, exceptions, runs."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, func, select, tuple_
from sqlalchemy.orm import Mapped
from sqlmodel import col

from storage.engine import connection_of
from storage.tables import Adoption, CheckIn, Cycle, CycleKind, LoggedException, MeasuredRuns
from storage.work import UnitOfWork


def adopted(uow: UnitOfWork, *, bounds: Sequence[datetime]) -> list[int]:
    """Adoptions begun between each two instants, those that ended since included."""
    moment = col(Adoption.created_at)
    return _counted(uow, moment, bounds, col(Adoption.workspace_id) == uow.workspace_id)


def completed(uow: UnitOfWork, *, bounds: Sequence[datetime]) -> list[int]:
    """Cycles closed between each two instants, without watch periods."""
    own = col(Cycle.workspace_id) == uow.workspace_id
    return _counted(uow, col(Cycle.closed_at), bounds, own, col(Cycle.kind) == CycleKind.ROLLOUT)


def exceptions(uow: UnitOfWork, *, bounds: Sequence[datetime]) -> list[int]:
    """Exceptions of all steps logged between each two instants, without those taken back."""
    own = col(LoggedException.workspace_id) == uow.workspace_id
    standing = col(LoggedException.withdrawn_after).is_(None)
    return _counted(uow, col(LoggedException.logged_at), bounds, own, standing)


def _counted(
    uow: UnitOfWork, moment: Mapped[Any], bounds: Sequence[datetime], *where: ColumnElement[bool]
) -> list[int]:
    counts = [
        func.sum(case(((moment >= since) & (moment < until), 1), else_=0))
        for since, until in pairwise(bounds)
    ]
    query = select(*counts).where(*where, moment >= bounds[0], moment < bounds[-1])
    return [int(count or 0) for count in connection_of(uow.session).execute(query).one()]


class CountedRuns(NamedTuple):
    """Runs of an adoption's week: of a `member`, "" if it isn't known whose, and of a `step`, "" for each."""

    adoption: int
    week: date
    step: str
    member: str
    runs: int


def measured(uow: UnitOfWork, *, first: date, until: date) -> list[CountedRuns]:
    """The runs that tools counted in all adoptions, from one Monday to before another."""
    keys = (
        col(MeasuredRuns.adoption_id),
        col(MeasuredRuns.week_start),
        col(MeasuredRuns.step),
        col(MeasuredRuns.member),
    )
    query = (
        select(*keys, func.sum(col(MeasuredRuns.runs)))
        .where(*_measured_between(uow, first, until), col(MeasuredRuns.replaced_by).is_(None))
        .group_by(*keys)
    )
    rows: Any = connection_of(uow.session).execute(query)
    return [CountedRuns(*row) for row in rows]


def reported_beside(uow: UnitOfWork, *, first: date, until: date) -> list[CountedRuns]:
    """The runs that members reported in the weeks in which tools counted runs of their adoption too."""
    weeks = select(col(MeasuredRuns.adoption_id), col(MeasuredRuns.week_start)).where(
        *_measured_between(uow, first, until)
    )
    query = select(
        col(CheckIn.adoption_id), col(CheckIn.week_start), col(CheckIn.member), col(CheckIn.runs)
    ).where(
        col(CheckIn.workspace_id) == uow.workspace_id,
        col(CheckIn.replaced_at).is_(None),
        tuple_(col(CheckIn.adoption_id), col(CheckIn.week_start)).in_(weeks),
    )
    rows: Any = connection_of(uow.session).execute(query)
    return [CountedRuns(adoption, week, "", member, int(runs or 0)) for adoption, week, member, runs in rows]


def _measured_between(uow: UnitOfWork, first: date, until: date) -> tuple[ColumnElement[bool], ...]:
    return (
        col(MeasuredRuns.workspace_id) == uow.workspace_id,
        col(MeasuredRuns.week_start) >= first,
        col(MeasuredRuns.week_start) < until,
    )


def runs_by_week(uow: UnitOfWork, *, first: date, until: date) -> dict[date, int]:
    """Reported runs of all adoptions by week, from one Monday to before another."""
    query = (
        select(col(CheckIn.week_start), func.sum(col(CheckIn.runs)))
        .where(
            col(CheckIn.workspace_id) == uow.workspace_id,
            col(CheckIn.week_start) >= first,
            col(CheckIn.week_start) < until,
            col(CheckIn.replaced_at).is_(None),
        )
        .group_by(col(CheckIn.week_start))
    )
    rows: Any = connection_of(uow.session).execute(query)
    return {week: int(runs or 0) for week, runs in rows}
