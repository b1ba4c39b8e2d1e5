"""Queries on what the digest names: exceptions of a week, runs by member, overrides."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select

from storage.tables import CheckIn, LoggedException, Override
from storage.work import UnitOfWork


def exceptions_between(uow: UnitOfWork, *, since: datetime, until: datetime) -> int:
    """Exceptions logged in an interval, of all adoptions."""
    query = select(func.count()).where(
        LoggedException.workspace_id == uow.workspace_id,
        LoggedException.logged_at >= since,
        LoggedException.logged_at < until,
        col(LoggedException.withdrawn_after).is_(None),
    )
    return int(uow.session.exec(query).one())


def runs_by_member(uow: UnitOfWork, *, cycle_id: int) -> dict[str, int]:
    """Runs that each member attested in a cycle."""
    query = (
        select(CheckIn.member, func.sum(CheckIn.runs))
        .where(
            CheckIn.workspace_id == uow.workspace_id,
            CheckIn.cycle_id == cycle_id,
            col(CheckIn.replaced_at).is_(None),
        )
        .group_by(col(CheckIn.member))
    )
    return {member: int(runs or 0) for member, runs in uow.session.exec(query)}


def overrides_between(uow: UnitOfWork, *, since: datetime, until: datetime) -> list[Override]:
    """Curators' overrides in an interval, oldest first."""
    query = select(Override).where(
        Override.workspace_id == uow.workspace_id,
        Override.overridden_at >= since,
        Override.overridden_at < until,
    )
    return list(uow.session.exec(query.order_by(col(Override.id))))
