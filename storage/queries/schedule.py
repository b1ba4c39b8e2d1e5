"""Queries of planning: plain columns of a range of teams, without objects, so that a large workspace fits in
memory.

A range is (after, up to): teams with an id above the first, up to the second.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlmodel import col

from storage.engine import connection_of
from storage.queries.streams import takes_no_part
from storage.tables import (
    Adoption,
    AdoptionState,
    Away,
    Cycle,
    Member,
    Playbook,
    PlaybookVersion,
    Team,
    TeamMember,
    TrailEntry,
)
from storage.work import UnitOfWork

Stretch: TypeAlias = tuple[int, int]
CHUNK = 500
"""Ids per query."""


class AdoptionRow(NamedTuple):
    """A cycle of an active run, with its team."""

    adoption_id: int
    team_id: int
    hours: dict[str, Any]
    playbook: str
    owner: str
    team: str
    channel: str
    timezone: str
    country: str | None
    reporter: str | None
    starts_on: date
    started_at: datetime
    version_id: int


class PlaceRow(NamedTuple):
    """A person in a team; `joined` says when, if that was recently."""

    member: str
    team_id: int
    team: str
    timezone: str
    country: str | None
    joined: datetime | None


class PersonRow(NamedTuple):
    """The facts that planning needs about a person."""

    member: str
    timezone: str | None
    gone: bool
    muted: bool


def stretch_of_teams(uow: UnitOfWork, *, after: int, limit: int) -> int | None:
    """The last id of the next range of teams after one; None if there are no more."""
    query = (
        select(col(Team.id))
        .where(col(Team.workspace_id) == uow.workspace_id, col(Team.id) > after)
        .order_by(col(Team.id))
        .limit(limit)
    )
    ids = list(connection_of(uow.session).execute(query).scalars())
    return ids[-1] if ids else None


def runs(uow: UnitOfWork, *, teams: Stretch | Sequence[int], first: date, last: date) -> list[AdoptionRow]:
    """The cycles of active runs that begin in an interval of days, by playbook, team and cycle."""
    found: list[AdoptionRow] = []
    for which in _teams(Adoption.team_id, teams):
        query = (
            select(
                col(Adoption.id),
                col(Adoption.team_id),
                col(Adoption.hours),
                col(Playbook.slug),
                col(Playbook.owner),
                col(Team.slug),
                col(Team.channel),
                col(Team.timezone),
                col(Team.country),
                col(Team.reporter),
                col(Cycle.starts_on),
                col(Cycle.started_at),
                col(Cycle.version_id),
            )
            .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
            .join(Team, col(Team.id) == col(Adoption.team_id))
            .join(Cycle, col(Cycle.adoption_id) == col(Adoption.id))
            .where(
                col(Adoption.workspace_id) == uow.workspace_id,
                col(Adoption.state) == AdoptionState.ACTIVE,
                col(Cycle.starts_on) >= first,
                col(Cycle.starts_on) <= last,
                which,
            )
            .order_by(col(Playbook.slug), col(Team.slug), col(Cycle.number))
        )
        found += [AdoptionRow(*row) for row in connection_of(uow.session).execute(query)]
    return found


def begun(uow: UnitOfWork, *, first: date, last: date) -> list[tuple[date, datetime]]:
    """When the first cycle of a run that hasn't ended was started, by the Monday it begins on."""
    query = (
        select(col(Cycle.starts_on), func.min(Cycle.started_at))
        .join(Adoption, col(Adoption.id) == col(Cycle.adoption_id))
        .where(
            col(Cycle.workspace_id) == uow.workspace_id,
            col(Adoption.state) != AdoptionState.ENDED,
            col(Cycle.starts_on) >= first,
            col(Cycle.starts_on) <= last,
        )
        .group_by(col(Cycle.starts_on))
    )
    return [(day, at) for day, at in connection_of(uow.session).execute(query)]


def places(
    uow: UnitOfWork, *, lately: datetime, stretch: Stretch | None = None, members: Sequence[str] = ()
) -> list[PlaceRow]:
    """The current teams of everybody in a range of teams, or of these people."""
    found: list[PlaceRow] = []
    for which in _people(uow.workspace_id, TeamMember.member, stretch, members):
        query = (
            select(
                col(TeamMember.member),
                col(TeamMember.team_id),
                col(Team.slug),
                col(Team.timezone),
                col(Team.country),
                case((col(TeamMember.joined_at) > lately, col(TeamMember.joined_at))),
            )
            .join(Team, col(Team.id) == col(TeamMember.team_id))
            .where(col(TeamMember.workspace_id) == uow.workspace_id, col(TeamMember.left_at).is_(None), which)
            .order_by(col(TeamMember.id))
        )
        found += [PlaceRow(*row) for row in connection_of(uow.session).execute(query)]
    return found


def resumed(uow: UnitOfWork, *, since: datetime) -> dict[int, datetime]:
    """When paused runs recently resumed, by adoption."""
    query = (
        select(col(TrailEntry.subject), func.max(TrailEntry.at))
        .where(
            col(TrailEntry.workspace_id) == uow.workspace_id,
            col(TrailEntry.action) == "resumed",
            col(TrailEntry.at) > since,
        )
        .group_by(col(TrailEntry.subject))
    )
    return {int(subject.partition(":")[2]): at for subject, at in connection_of(uow.session).execute(query)}


def persons(
    uow: UnitOfWork, *, stretch: Stretch | None = None, members: Sequence[str] = ()
) -> list[PersonRow]:
    """The members of a range of teams, or these people."""
    found: list[PersonRow] = []
    for which in _people(uow.workspace_id, Member.id, stretch, members):
        query = select(
            col(Member.id), col(Member.timezone), takes_no_part(uow.workspace_id), col(Member.muted)
        ).where(col(Member.workspace_id) == uow.workspace_id, which)
        found += [
            PersonRow(member, zone, bool(gone), muted)
            for member, zone, gone, muted in connection_of(uow.session).execute(query)
        ]
    return found


def days_away(
    uow: UnitOfWork, *, first: date, last: date, stretch: Stretch | None = None, members: Sequence[str] = ()
) -> list[tuple[str, date, date]]:
    """(member, first day, last day) of valid absences that overlap a range."""
    found: list[tuple[str, date, date]] = []
    for which in _people(uow.workspace_id, Away.member, stretch, members):
        query = select(col(Away.member), col(Away.first_day), col(Away.last_day)).where(
            col(Away.workspace_id) == uow.workspace_id,
            col(Away.first_day) <= last,
            col(Away.last_day) >= first,
            col(Away.ended_at).is_(None),
            which,
        )
        found += [(member, start, end) for member, start, end in connection_of(uow.session).execute(query)]
    return found


def specs(uow: UnitOfWork, *, version_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The documents of these versions, by id."""
    ids = sorted(set(version_ids))
    found: dict[int, dict[str, Any]] = {}
    for start in range(0, len(ids), CHUNK):
        query = select(col(PlaybookVersion.id), col(PlaybookVersion.spec)).where(
            col(PlaybookVersion.workspace_id) == uow.workspace_id,
            col(PlaybookVersion.id).in_(ids[start : start + CHUNK]),
        )
        found.update({number or 0: spec for number, spec in connection_of(uow.session).execute(query)})
    return found


def changes(uow: UnitOfWork, *, after: int) -> tuple[int, frozenset[str]]:
    """The id of the trail's last entry, and the actions recorded after an id."""
    query = (
        select(col(TrailEntry.action), func.max(TrailEntry.id))
        .where(col(TrailEntry.workspace_id) == uow.workspace_id, col(TrailEntry.id) > after)
        .group_by(col(TrailEntry.action))
    )
    found = [(action, last or 0) for action, last in connection_of(uow.session).execute(query)]
    return max([after, *(last for _, last in found)]), frozenset(action for action, _ in found)


def last_change(uow: UnitOfWork) -> int:
    """The id of the trail's last entry; 0 if there is none."""
    query = select(func.max(TrailEntry.id)).where(col(TrailEntry.workspace_id) == uow.workspace_id)
    return connection_of(uow.session).execute(query).scalar() or 0


def _teams(column: Any, teams: Stretch | Sequence[int]) -> Iterable[ColumnElement[bool]]:
    if isinstance(teams, tuple):
        return [_within(column, teams)]
    return [col(column).in_(teams[start : start + CHUNK]) for start in range(0, len(teams), CHUNK)]


def _within(column: Any, stretch: Sequence[int]) -> ColumnElement[bool]:
    return and_(col(column) > stretch[0], col(column) <= stretch[1])


def _people(
    workspace_id: str, column: Any, stretch: Stretch | None, members: Sequence[str]
) -> Iterable[ColumnElement[bool]]:
    if stretch is not None:
        inside = select(col(TeamMember.member)).where(
            col(TeamMember.workspace_id) == workspace_id,
            col(TeamMember.left_at).is_(None),
            _within(TeamMember.team_id, stretch),
        )
        return [col(column).in_(inside)]
    return [col(column).in_(members[start : start + CHUNK]) for start in range(0, len(members), CHUNK)]
