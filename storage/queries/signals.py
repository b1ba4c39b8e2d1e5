"""Queries on what the digest names: runs and exceptions of a week, who reports them, overrides, decisions."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import func
from sqlmodel import col, select

from storage.tables import (
    Attestation,
    CheckIn,
    LoggedException,
    Override,
    Promotion,
    Reading,
)
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


def latest_readings(
    uow: UnitOfWork, *, adoption_id: int, until: date, limit: int
) -> list[tuple[date, float]]:
    """(week, value) of the KPI's newest current readings up to a week, oldest first."""
    query = (
        select(col(Reading.week_start), col(Reading.value))
        .where(
            Reading.workspace_id == uow.workspace_id,
            Reading.adoption_id == adoption_id,
            Reading.week_start <= until,
            Reading.guardrail == "",
            col(Reading.replaced_at).is_(None),
        )
        .order_by(col(Reading.week_start).desc())
        .limit(limit)
    )
    return [(week, value) for week, value in reversed(uow.session.exec(query).all())]


def attestations(
    uow: UnitOfWork, *, adoption_id: int, weeks: Sequence[date]
) -> dict[tuple[date, Attestation], int]:
    """How many current answers of each kind came for some weeks."""
    query = (
        select(col(CheckIn.week_start), col(CheckIn.attestation), func.count())
        .where(
            CheckIn.workspace_id == uow.workspace_id,
            CheckIn.adoption_id == adoption_id,
            col(CheckIn.week_start).in_(weeks),
            col(CheckIn.replaced_at).is_(None),
        )
        .group_by(col(CheckIn.week_start), col(CheckIn.attestation))
    )
    return {(week, kind): count for week, kind, count in uow.session.exec(query)}


def overrides_between(uow: UnitOfWork, *, since: datetime, until: datetime) -> list[Override]:
    """What curators overrode in an interval, oldest first."""
    query = select(Override).where(
        Override.workspace_id == uow.workspace_id,
        Override.overridden_at >= since,
        Override.overridden_at < until,
    )
    return list(uow.session.exec(query.order_by(col(Override.id))))


def promotions_between(uow: UnitOfWork, *, since: datetime, until: datetime) -> list[Promotion]:
    """Promotions that were decided in an interval, or judged in it and not decided, oldest first."""
    moment = func.coalesce(col(Promotion.decided_at), col(Promotion.judged_at))
    query = select(Promotion).where(
        Promotion.workspace_id == uow.workspace_id, moment >= since, moment < until
    )
    return list(uow.session.exec(query.order_by(col(Promotion.id))))
