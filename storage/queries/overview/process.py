"""Counts of a rollout by month: adoptions, closed cycles, exceptions, runs."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Mapped
from sqlmodel import col

from storage.engine import connection_of
from storage.tables import Adoption, CheckIn, Cycle, CycleKind, LoggedException
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
