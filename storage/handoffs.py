"""Queries on handoffs between teams."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, or_, select

from storage.tables import Handoff, HandoffState


def get(session: Session, *, workspace_id: str, handoff_id: int) -> Handoff | None:
    """One handoff."""
    query = select(Handoff).where(Handoff.workspace_id == workspace_id, Handoff.id == handoff_id)
    return session.exec(query).first()


def by_source(session: Session, *, workspace_id: str, source: str) -> Handoff | None:
    """The handoff a request has already sent, if it has."""
    query = select(Handoff).where(Handoff.workspace_id == workspace_id, Handoff.source == source)
    return session.exec(query).first()


def waiting(
    session: Session,
    *,
    workspace_id: str,
    adoption_ids: Sequence[int] | None = None,
    team_ids: Sequence[int] | None = None,
) -> list[Handoff]:
    """What nobody has accepted or sent back yet, due first: sent by these adoptions or to these teams.

    All of the workspace's when neither is given.
    """
    query = select(Handoff).where(Handoff.workspace_id == workspace_id, Handoff.state == HandoffState.SENT)
    parties = []
    if adoption_ids is not None:
        parties.append(col(Handoff.adoption_id).in_(adoption_ids))
    if team_ids is not None:
        parties.append(col(Handoff.team_id).in_(team_ids))
    if parties:
        query = query.where(or_(*parties))
    return list(session.exec(query.order_by(col(Handoff.due_at), col(Handoff.id)).limit(500)))


def overdue(session: Session, *, workspace_id: str, now: datetime) -> list[Handoff]:
    """What should have been accepted by now, the longest overdue first."""
    query = select(Handoff).where(
        Handoff.workspace_id == workspace_id, Handoff.state == HandoffState.SENT, Handoff.due_at <= now
    )
    return list(session.exec(query.order_by(col(Handoff.due_at), col(Handoff.id)).limit(500)))


def failed_between(session: Session, *, workspace_id: str, since: datetime, until: datetime) -> list[Handoff]:
    """What was sent back in an interval, oldest first."""
    query = select(Handoff).where(
        Handoff.workspace_id == workspace_id,
        Handoff.state == HandoffState.FAILED,
        col(Handoff.decided_at) >= since,
        col(Handoff.decided_at) < until,
    )
    return list(session.exec(query.order_by(col(Handoff.id)).limit(500)))
