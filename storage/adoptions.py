"""Queries on adoptions beside each other: the first of a playbook, what a team has running."""

from sqlalchemy import String, cast
from sqlmodel import Session, col, select

from storage.tables import Adoption, Cycle, CycleState


def first_of(session: Session, *, workspace_id: str, playbook_id: int) -> Adoption | None:
    """The playbook's first adoption, ended or not: the team it was won with."""
    query = (
        select(Adoption)
        .where(Adoption.workspace_id == workspace_id, Adoption.playbook_id == playbook_id)
        .order_by(col(Adoption.id))
        .limit(1)
    )
    return session.exec(query).first()


def by_id(session: Session, *, workspace_id: str, adoption_id: int) -> Adoption | None:
    """One adoption."""
    query = select(Adoption).where(Adoption.workspace_id == workspace_id, Adoption.id == adoption_id)
    return session.exec(query).first()


def with_hours(session: Session, *, workspace_id: str) -> list[Adoption]:
    """The adoptions whose nudges have hours of their own."""
    query = select(Adoption).where(
        Adoption.workspace_id == workspace_id, cast(col(Adoption.hours), String) != "{}"
    )
    return list(session.exec(query.order_by(col(Adoption.id))))


def running_of_team(session: Session, *, workspace_id: str, team_id: int) -> list[Adoption]:
    """The adoptions of a team that have a running cycle, one to come included."""
    running = select(Cycle.adoption_id).where(
        Cycle.workspace_id == workspace_id, Cycle.state == CycleState.RUNNING
    )
    query = select(Adoption).where(
        Adoption.workspace_id == workspace_id,
        Adoption.team_id == team_id,
        col(Adoption.id).in_(running),
    )
    return list(session.exec(query.order_by(col(Adoption.id))))
