"""Queries on handoffs between teams."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy import select as select_rows
from sqlmodel import and_, col, func, or_, select

from storage.engine import connection_of
from storage.query_cache import cached
from storage.tables import Handoff, HandoffState, TeamMember
from storage.work import UnitOfWork


def get(uow: UnitOfWork, *, handoff_id: int) -> Handoff | None:
    """One handoff."""
    query = select(Handoff).where(Handoff.workspace_id == uow.workspace_id, Handoff.id == handoff_id)
    return uow.session.exec(query).first()


_TO_TEAMS_OF: Final[ColumnElement[bool]] = col(Handoff.team_id).in_(
    select(TeamMember.team_id).where(
        TeamMember.workspace_id == bindparam("workspace"),
        TeamMember.member == bindparam("member"),
        col(TeamMember.left_at).is_(None),
    )
)
"""Whether a handoff goes to a current team of a person."""
_OF_ADOPTIONS: Final = col(Handoff.adoption_id).in_(bindparam("adoptions", expanding=True))
_WAITS: Final = col(Handoff.state) == HandoffState.SENT
_IS_OPEN: Final = (
    col(Handoff.workspace_id) == bindparam("workspace"),
    col(Handoff.state).in_((HandoffState.SENT, HandoffState.ACCEPTED)),
    or_(_TO_TEAMS_OF, and_(_WAITS, _OF_ADOPTIONS)),
)
_HAS_OPEN: Final[Any] = select_rows(col(Handoff.id)).where(*_IS_OPEN).limit(1)
_OPEN_FOR: Final = (
    select(Handoff)
    .where(*_IS_OPEN)
    .order_by(_TO_TEAMS_OF.desc(), _WAITS.desc(), col(Handoff.due_at), col(Handoff.id))
    .limit(300)
)


@cached(Handoff, TeamMember)
def open_for(uow: UnitOfWork, *, adoption_ids: Sequence[int], member: str) -> list[Handoff]:
    """What a person's teams were sent and isn't over, then what these adoptions sent and nobody has accepted.

    Of each, what waits to be accepted comes first, and then what is due first.
    """
    asked = {"workspace": uow.workspace_id, "member": member, "adoptions": list(adoption_ids)}
    if connection_of(uow.session).execute(_HAS_OPEN, asked).first() is None:
        return []  # the usual case, and checking costs less than loading rows
    return list(uow.session.exec(_OPEN_FOR, params=asked))


@cached(Handoff, TeamMember)
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
    asked: dict[str, Any] = {"workspace": uow.workspace_id, "state": state}
    asked |= {} if adoption_ids is None else {"adoptions": list(adoption_ids)}
    asked |= {} if member is None else {"member": member}
    waits, query = _waiting(of_adoptions=adoption_ids is not None, to_teams=member is not None)
    if connection_of(uow.session).execute(waits, asked).first() is None:
        return []  # the usual case, and checking costs less than loading rows
    return list(uow.session.exec(query, params=asked))


@cache
def _waiting(*, of_adoptions: bool, to_teams: bool) -> tuple[Any, Any]:
    """The statements of `waiting`: whether there is one, and all of them."""
    parties = [*([_OF_ADOPTIONS] if of_adoptions else []), *([_TO_TEAMS_OF] if to_teams else [])]
    which: list[Any] = [
        col(Handoff.workspace_id) == bindparam("workspace"),
        col(Handoff.state) == bindparam("state"),
        *([or_(*parties)] if parties else []),
    ]
    found = select(Handoff).where(*which).order_by(col(Handoff.due_at), col(Handoff.id)).limit(100)
    return select_rows(col(Handoff.id)).where(*which).limit(1), found


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
