"""Queries on what a cycle has produced, and on the cycles beside it."""

from datetime import datetime

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from storage.tables import (
    Adoption,
    AdoptionState,
    CheckIn,
    Cycle,
    LoggedException,
    Team,
)


def attested_runs(session: Session, *, workspace_id: str, cycle_id: int) -> int:
    """Runs that the cycle's current check-ins attest."""
    query = select(func.sum(CheckIn.runs)).where(
        CheckIn.workspace_id == workspace_id,
        CheckIn.cycle_id == cycle_id,
        col(CheckIn.replaced_at).is_(None),
    )
    return int(session.exec(query).one() or 0)


def exception_reasons(session: Session, *, workspace_id: str, cycle_id: int) -> list[str]:
    """The reasons of the cycle's exceptions, oldest first; an exception without one has an empty one."""
    query = select(LoggedException.reason).where(
        LoggedException.workspace_id == workspace_id, LoggedException.cycle_id == cycle_id
    )
    return list(session.exec(query.order_by(col(LoggedException.id))))


def joined_since(
    session: Session, *, workspace_id: str, playbook_id: int, team_id: int, since: datetime
) -> Team | None:
    """The first other team that took the playbook up from an instant on."""
    query = (
        select(Team)
        .join(Adoption, col(Adoption.team_id) == col(Team.id))
        .where(
            Adoption.workspace_id == workspace_id,
            Adoption.playbook_id == playbook_id,
            Adoption.team_id != team_id,
            Adoption.state != AdoptionState.ENDED,
            Adoption.created_at >= since,
        )
        .order_by(col(Adoption.id))
        .limit(1)
    )
    return session.exec(query).first()


def team(session: Session, *, workspace_id: str, team_id: int) -> Team | None:
    """One team by its id."""
    return session.exec(select(Team).where(Team.workspace_id == workspace_id, Team.id == team_id)).first()


def take_away(session: Session, *, workspace_id: str, cycle_id: int) -> bool:
    """Delete a cycle that nothing belongs to yet; False when something does, or it isn't there."""
    query = select(Cycle).where(Cycle.workspace_id == workspace_id, Cycle.id == cycle_id)
    row = session.exec(query).first()
    if row is None:
        return False
    try:
        with session.begin_nested():
            session.delete(row)
            session.flush()
    except IntegrityError:
        return False
    return True
