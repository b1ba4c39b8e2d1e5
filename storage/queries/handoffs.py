"""Queries on handoffs between teams."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import and_, col, func, or_, select

from storage.query_cache import cached
from storage.tables import Handoff, HandoffState, TeamMember
from storage.work import UnitOfWork


def get(uow: UnitOfWork, *, handoff_id: int) -> Handoff | None:
    """One handoff."""
    query = select(Handoff).where(Handoff.workspace_id == uow.workspace_id, Handoff.id == handoff_id)
    return uow.session.exec(query).first()


def _to_teams_of(uow: UnitOfWork, member: str) -> ColumnElement[bool]:
    """Whether a handoff goes to a current team of a person."""
    theirs = select(TeamMember.team_id).where(
        TeamMember.workspace_id == uow.workspace_id,
        TeamMember.member == member,
        col(TeamMember.left_at).is_(None),
    )
    return col(Handoff.team_id).in_(theirs)


@cached(Handoff, TeamMember)
def open_for(uow: UnitOfWork, *, adoption_ids: Sequence[int], member: str) -> list[Handoff]:
    """What a person's teams were sent and isn't over, then what these adoptions sent and nobody has accepted.

    Of each, what waits to be accepted comes first, and then what is due first.
    """
    received = _to_teams_of(uow, member)
    waits = col(Handoff.state) == HandoffState.SENT
    query = select(Handoff).where(
        Handoff.workspace_id == uow.workspace_id,
        col(Handoff.state).in_((HandoffState.SENT, HandoffState.ACCEPTED)),
        or_(received, and_(waits, col(Handoff.adoption_id).in_(adoption_ids))),
    )
    order = received.desc(), waits.desc(), col(Handoff.due_at), col(Handoff.id)
    return list(uow.session.exec(query.order_by(*order).limit(300)))


def waiting(
    uow: UnitOfWork,
    *,
    adoption_ids: Sequence[int] | None = None,
    member: str | None = None,
    state: HandoffState = HandoffState.SENT,
) -> list[Handoff]:
    """Handoffs that wait to be accepted (or in another state), due first: sent by these adoptions or to this
    person's teams.

    All of the workspace's if neither is given.
    """
    query = select(Handoff).where(Handoff.workspace_id == uow.workspace_id, Handoff.state == state)
    parties: list[ColumnElement[bool]] = []
    if adoption_ids is not None:
        parties.append(col(Handoff.adoption_id).in_(adoption_ids))
    if member is not None:
        parties.append(_to_teams_of(uow, member))
    if parties:
        query = query.where(or_(*parties))
    return list(uow.session.exec(query.order_by(col(Handoff.due_at), col(Handoff.id)).limit(100)))


def holding_fallbacks(
    uow: UnitOfWork, *, adoption_id: int, team_id: int, before: int | None = None
) -> list[Handoff]:
    """Failed handoffs between two teams whose fallback hasn't been taken back, oldest first.

    Args:
        before: only those sent before the handoff with this id.
    """
    query = select(Handoff).where(
        Handoff.workspace_id == uow.workspace_id,
        Handoff.adoption_id == adoption_id,
        Handoff.team_id == team_id,
        col(Handoff.fallback_id).is_not(None),
    )
    if before is not None:
        query = query.where(col(Handoff.id) < before)
    return list(uow.session.exec(query.order_by(col(Handoff.id))))


def is_held(uow: UnitOfWork, *, change_id: int) -> bool:
    """Whether a failed handoff still holds a step in its fallback mode."""
    query = select(Handoff.id).where(
        Handoff.workspace_id == uow.workspace_id, Handoff.fallback_id == change_id
    )
    return uow.session.exec(query.limit(1)).first() is not None


def overdue(uow: UnitOfWork, *, limit: int) -> list[Handoff]:
    """Handoffs past their time limit and not accepted, the longest overdue first."""
    query = select(Handoff).where(*_overdue(uow.workspace_id, uow.now))
    return list(uow.session.exec(query.order_by(col(Handoff.due_at), col(Handoff.id)).limit(limit)))


def counts(uow: UnitOfWork, *, since: datetime, until: datetime) -> tuple[int, int]:
    """How many handoffs are overdue now, and how many were returned in an interval."""
    late = select(func.count()).where(*_overdue(uow.workspace_id, uow.now))
    failed = select(func.count()).where(*_failed(uow.workspace_id, since, until))
    return uow.session.exec(late).one(), uow.session.exec(failed).one()


def _overdue(workspace_id: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Handoff.workspace_id) == workspace_id,
        col(Handoff.state) == HandoffState.SENT,
        col(Handoff.due_at) <= now,
    )


def _failed(workspace_id: str, since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Handoff.workspace_id) == workspace_id,
        col(Handoff.state) == HandoffState.FAILED,
        col(Handoff.decided_at) >= since,
        col(Handoff.decided_at) < until,
    )


def failed_between(uow: UnitOfWork, *, since: datetime, until: datetime, limit: int) -> list[Handoff]:
    """Handoffs returned in an interval, newest first."""
    query = select(Handoff).where(*_failed(uow.workspace_id, since, until))
    return list(
        uow.session.exec(query.order_by(col(Handoff.decided_at).desc(), col(Handoff.id)).limit(limit))
    )


def ended_between(uow: UnitOfWork, *, since: datetime, until: datetime) -> dict[HandoffState, int]:
    """How many handoffs ended in an interval, by state."""
    query = (
        select(Handoff.state, func.count())
        .where(
            col(Handoff.workspace_id) == uow.workspace_id,
            col(Handoff.state).in_((HandoffState.DONE, HandoffState.WITHDRAWN)),
            col(Handoff.decided_at) >= since,
            col(Handoff.decided_at) < until,
        )
        .group_by(col(Handoff.state))
    )
    return {HandoffState(state): count for state, count in uow.session.exec(query)}
