"""Queries on what a cycle has produced, and on the cycles beside it."""

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, exists, func
from sqlalchemy import select as select_rows
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from cadence.rules.verdicts import Decision
from storage.engine import connection_of
from storage.tables import (
    Adoption,
    AdoptionState,
    AdoptionStep,
    CheckIn,
    Cycle,
    CycleState,
    LoggedException,
    StepVerdict,
    Team,
    Workspace,
)
from storage.work import UnitOfWork


class ClosingRow(NamedTuple):
    """A running cycle, and what says when it closes."""

    workspace_id: str
    adoption_id: int
    cycle_id: int
    closes_on: date
    timezone: str
    hours: dict[str, Any]


def closings(session: Session, *, closing_by: date | None = None) -> list[ClosingRow]:
    """Running cycles of any workspace that has the bot, oldest first.

    Args:
        closing_by: only those whose fourth Friday has come by this date.
    """
    query = (
        select_rows(
            col(Cycle.workspace_id),
            col(Cycle.adoption_id),
            col(Cycle.id),
            col(Cycle.closes_on),
            col(Team.timezone),
            col(Adoption.hours),
        )
        .join(Adoption, col(Adoption.id) == col(Cycle.adoption_id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .join(Workspace, col(Workspace.id) == col(Cycle.workspace_id))
        .where(
            col(Cycle.state) == CycleState.RUNNING,
            col(Adoption.state) != AdoptionState.ENDED,
            col(Workspace.uninstalled_at).is_(None),
        )
        .order_by(col(Cycle.id))
    )
    if closing_by is not None:
        query = query.where(col(Cycle.closes_on) <= closing_by)
    return [ClosingRow(*row) for row in connection_of(session).execute(query)]


class WatchedRow(NamedTuple):
    """A step of a running cycle that is watched, and when it was last judged."""

    workspace_id: str
    adoption_id: int
    cycle_id: int
    step: str
    verdict_id: int | None
    judged_at: datetime
    closes_on: date
    timezone: str


def watched(session: Session) -> list[WatchedRow]:
    """The steps watched in running cycles of any workspace that has the bot, oldest first."""
    later = aliased(StepVerdict)
    query = (
        select_rows(
            col(StepVerdict.workspace_id),
            col(StepVerdict.adoption_id),
            col(StepVerdict.cycle_id),
            col(StepVerdict.step),
            col(StepVerdict.id),
            col(StepVerdict.judged_at),
            col(Cycle.closes_on),
            col(Team.timezone),
        )
        .join(Cycle, col(Cycle.id) == col(StepVerdict.cycle_id))
        .join(Adoption, col(Adoption.id) == col(StepVerdict.adoption_id))
        .join(Team, col(Team.id) == col(Adoption.team_id))
        .join(Workspace, col(Workspace.id) == col(StepVerdict.workspace_id))
        .join(
            AdoptionStep,
            and_(
                col(AdoptionStep.adoption_id) == col(StepVerdict.adoption_id),
                col(AdoptionStep.step) == col(StepVerdict.step),
                col(AdoptionStep.after_exception) == col(StepVerdict.after_exception),
            ),
        )
        .where(
            col(StepVerdict.decision) == Decision.WATCH,
            col(Cycle.state) == CycleState.RUNNING,
            col(Adoption.state) != AdoptionState.ENDED,
            col(Workspace.uninstalled_at).is_(None),
            ~exists().where(
                col(later.adoption_id) == col(StepVerdict.adoption_id),
                col(later.step) == col(StepVerdict.step),
                col(later.id) > col(StepVerdict.id),
            ),
        )
        .order_by(col(StepVerdict.id))
    )
    return [WatchedRow(*row) for row in connection_of(session).execute(query)]


def attested_runs(uow: UnitOfWork, *, cycle_id: int) -> int:
    """Runs that the cycle's current check-ins attest."""
    query = select(func.sum(CheckIn.runs)).where(
        CheckIn.workspace_id == uow.workspace_id,
        CheckIn.cycle_id == cycle_id,
        col(CheckIn.replaced_at).is_(None),
    )
    return int(uow.session.exec(query).one() or 0)


def exception_reasons(uow: UnitOfWork, *, cycle_id: int) -> list[str]:
    """The reasons of the cycle's exceptions, oldest first; an exception without one has an empty one."""
    query = select(LoggedException.reason).where(
        LoggedException.workspace_id == uow.workspace_id,
        LoggedException.cycle_id == cycle_id,
        col(LoggedException.withdrawn_after).is_(None),
    )
    return list(uow.session.exec(query.order_by(col(LoggedException.id))))


def joined_since(uow: UnitOfWork, *, playbook_id: int, team_id: int, since: datetime) -> Team | None:
    """The first other team that took the playbook up from an instant on."""
    query = (
        select(Team)
        .join(Adoption, col(Adoption.team_id) == col(Team.id))
        .where(
            Adoption.workspace_id == uow.workspace_id,
            Adoption.playbook_id == playbook_id,
            Adoption.team_id != team_id,
            Adoption.state != AdoptionState.ENDED,
            Adoption.created_at >= since,
        )
        .order_by(col(Adoption.id))
        .limit(1)
    )
    return uow.session.exec(query).first()


def team(uow: UnitOfWork, *, team_id: int) -> Team | None:
    """One team by its id."""
    return uow.session.exec(
        select(Team).where(Team.workspace_id == uow.workspace_id, Team.id == team_id)
    ).first()


def take_away(uow: UnitOfWork, *, cycle_id: int) -> bool:
    """Delete a cycle that nothing belongs to yet; False when something does, or it isn't there."""
    query = select(Cycle).where(Cycle.workspace_id == uow.workspace_id, Cycle.id == cycle_id)
    row = uow.session.exec(query).first()
    if row is None:
        return False
    try:
        with uow.session.begin_nested():
            uow.session.delete(row)
            uow.session.flush()
    except IntegrityError:
        return False
    return True
