"""Queries of planning: plain columns of a range of teams, without objects, so that a large workspace fits in
memory.

A range is (after, up to): teams with an id above the first, up to the second.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Date,
    String,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    null,
    select,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlmodel import col

from storage.engine import connection_of
from storage.queries.streams import takes_no_part
from storage.tables import (
    Adoption,
    AdoptionState,
    Away,
    Cycle,
    CycleKind,
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
    """A cycle of an active run, with its team.

    `watched`: it is a watch period. `ends`: another one follows it, because the planned cycles are over.
    """

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
    watched: bool
    ends: bool


class PlaceRow(NamedTuple):
    """A person in a team; `joined` says when, if that was recently."""

    member: str
    team_id: int
    team: str
    timezone: str
    country: str | None
    joined: datetime | None


class PersonRow(NamedTuple):
    """What planning needs to know about a person: their profile if Slack has sent one, or days away."""

    member: str
    timezone: str | None
    gone: bool
    muted: bool
    away_from: date | None
    away_until: date | None


# Every statement is built once: planning runs all of them every time, and building takes longer than running.
_WORKSPACE: Final[Any] = bindparam("workspace")
_FIRST: Final[Any] = bindparam("first")
_LAST: Final[Any] = bindparam("last")


def _within(column: Any) -> ColumnElement[bool]:
    """Condition: a team's id is in a range."""
    return and_(col(column) > bindparam("after"), col(column) <= bindparam("up_to"))


def _among(column: Any) -> ColumnElement[bool]:
    """Condition: an id is one of some."""
    return col(column).in_(bindparam("ids", expanding=True))


def _in_teams(column: Any) -> ColumnElement[bool]:
    """Condition: a person belongs to one of a range of teams."""
    inside = select(col(TeamMember.member)).where(
        col(TeamMember.workspace_id) == _WORKSPACE,
        col(TeamMember.left_at).is_(None),
        _within(TeamMember.team_id),
    )
    return col(column).in_(inside)


def _ranges(stretch: Stretch) -> dict[str, Any]:
    return {"after": stretch[0], "up_to": stretch[1]}


def _chunks(ids: Sequence[Any]) -> Iterator[dict[str, Any]]:
    return ({"ids": list(ids[start : start + CHUNK])} for start in range(0, len(ids), CHUNK))


def _rows(uow: UnitOfWork, query: Any, given: Mapping[str, Any]) -> Any:
    return connection_of(uow.session).execute(query, {"workspace": uow.workspace_id, **given})


_STRETCH: Final = (
    select(col(Team.id))
    .where(col(Team.workspace_id) == _WORKSPACE, col(Team.id) > bindparam("after"))
    .order_by(col(Team.id))
    .limit(bindparam("limit"))
)


def stretch_of_teams(uow: UnitOfWork, *, after: int, limit: int) -> tuple[int, bool] | None:
    """The last id of the next range of teams after one, and whether there may be more, or None."""
    ids = list(_rows(uow, _STRETCH, {"after": after, "limit": limit}).scalars())
    return (ids[-1], len(ids) == limit) if ids else None


_OTHER = aliased(Cycle)
_RUNS: Final = (
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
        col(Cycle.kind) == CycleKind.WATCH,
        case(
            (
                col(Adoption.planned_cycles).is_not(None),
                col(Adoption.planned_cycles)
                <= select(func.count())
                .where(col(_OTHER.adoption_id) == col(Adoption.id), col(_OTHER.kind) == CycleKind.ROLLOUT)
                .correlate(Adoption)
                .scalar_subquery(),
            ),
            else_=False,
        ),
    )
    .join(Playbook, col(Playbook.id) == col(Adoption.playbook_id))
    .join(Team, col(Team.id) == col(Adoption.team_id))
    .join(Cycle, col(Cycle.adoption_id) == col(Adoption.id))
    .where(
        col(Adoption.workspace_id) == _WORKSPACE,
        col(Adoption.state) == AdoptionState.ACTIVE,
        col(Cycle.starts_on) >= _FIRST,
        col(Cycle.starts_on) <= _LAST,
    )
    .order_by(col(Playbook.slug), col(Team.slug), col(Cycle.number))
)
_RUNS_WITHIN: Final = _RUNS.where(_within(Adoption.team_id))
_RUNS_AMONG: Final = _RUNS.where(_among(Adoption.team_id))


def runs(uow: UnitOfWork, *, teams: Stretch | Sequence[int], first: date, last: date) -> list[AdoptionRow]:
    """The cycles of active runs that begin in an interval of days, by playbook, team and cycle."""
    when = {"first": first, "last": last}
    if isinstance(teams, tuple):
        return [AdoptionRow(*row) for row in _rows(uow, _RUNS_WITHIN, when | _ranges(teams))]
    return [AdoptionRow(*row) for chunk in _chunks(teams) for row in _rows(uow, _RUNS_AMONG, when | chunk)]


_BEGUN: Final = (
    select(col(Cycle.starts_on), func.min(Cycle.started_at))
    .join(Adoption, col(Adoption.id) == col(Cycle.adoption_id))
    .where(
        col(Cycle.workspace_id) == _WORKSPACE,
        col(Adoption.state) != AdoptionState.ENDED,
        col(Cycle.starts_on) >= _FIRST,
        col(Cycle.starts_on) <= _LAST,
    )
    .group_by(col(Cycle.starts_on))
)


def begun(uow: UnitOfWork, *, first: date, last: date) -> list[tuple[date, datetime]]:
    """When the first cycle of a run that hasn't ended was started, by the Monday it begins on."""
    return [(day, at) for day, at in _rows(uow, _BEGUN, {"first": first, "last": last})]


_PLACES: Final = (
    select(
        col(TeamMember.member),
        col(TeamMember.team_id),
        col(Team.slug),
        col(Team.timezone),
        col(Team.country),
        case((col(TeamMember.joined_at) > bindparam("lately"), col(TeamMember.joined_at))),
    )
    .join(Team, col(Team.id) == col(TeamMember.team_id))
    .where(col(TeamMember.workspace_id) == _WORKSPACE, col(TeamMember.left_at).is_(None))
    .order_by(col(TeamMember.id))
)
_PLACES_WITHIN: Final = _PLACES.where(_in_teams(TeamMember.member))
_PLACES_AMONG: Final = _PLACES.where(_among(TeamMember.member))


def places(
    uow: UnitOfWork, *, lately: datetime, stretch: Stretch | None = None, members: Sequence[str] = ()
) -> list[PlaceRow]:
    """The current teams of everybody in a range of teams, or of these people."""
    given = {"lately": lately}
    return [PlaceRow(*row) for row in _of_people(uow, _PLACES_WITHIN, _PLACES_AMONG, given, stretch, members)]


_RESUMED: Final = (
    select(col(TrailEntry.subject), func.max(TrailEntry.at))
    .where(
        col(TrailEntry.workspace_id) == _WORKSPACE,
        col(TrailEntry.action) == "resumed",
        col(TrailEntry.at) > bindparam("since"),
    )
    .group_by(col(TrailEntry.subject))
)


def resumed(uow: UnitOfWork, *, since: datetime) -> dict[int, datetime]:
    """When paused runs recently resumed, by adoption."""
    uow.flush_trail("resumed")
    return {int(subject.partition(":")[2]): at for subject, at in _rows(uow, _RESUMED, {"since": since})}


_NO_DAY: Final = cast(null(), Date)
_PROFILES: Final = select(
    col(Member.id),
    col(Member.timezone),
    takes_no_part(bindparam("workspace", type_=String())),
    col(Member.muted),
    _NO_DAY,
    _NO_DAY,
).where(col(Member.workspace_id) == _WORKSPACE)
_AWAY: Final = select(
    col(Away.member), cast(null(), String), false(), false(), col(Away.first_day), col(Away.last_day)
).where(
    col(Away.workspace_id) == _WORKSPACE,
    col(Away.first_day) <= _LAST,
    col(Away.last_day) >= _FIRST,
    col(Away.ended_at).is_(None),
)
_PERSONS_WITHIN: Final[Any] = union_all(
    _PROFILES.where(_in_teams(Member.id)), _AWAY.where(_in_teams(Away.member))
)
_PERSONS_AMONG: Final[Any] = union_all(_PROFILES.where(_among(Member.id)), _AWAY.where(_among(Away.member)))


def persons(
    uow: UnitOfWork, *, first: date, last: date, stretch: Stretch | None = None, members: Sequence[str] = ()
) -> list[PersonRow]:
    """The members of a range of teams, or these people: a row for each profile, and one for each valid absence
    that overlaps a range of days."""
    given = {"first": first, "last": last}
    rows = _of_people(uow, _PERSONS_WITHIN, _PERSONS_AMONG, given, stretch, members)
    return [
        PersonRow(member, zone, bool(gone), bool(muted), *away) for member, zone, gone, muted, *away in rows
    ]


_SPECS: Final = select(col(PlaybookVersion.id), col(PlaybookVersion.spec)).where(
    col(PlaybookVersion.workspace_id) == _WORKSPACE, _among(PlaybookVersion.id)
)


def specs(uow: UnitOfWork, *, version_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The documents of these versions, by id."""
    ids = sorted(set(version_ids))
    return {number or 0: spec for chunk in _chunks(ids) for number, spec in _rows(uow, _SPECS, chunk)}


_CHANGES: Final = (
    select(col(TrailEntry.action), func.max(TrailEntry.id))
    .where(col(TrailEntry.workspace_id) == _WORKSPACE, col(TrailEntry.id) > bindparam("after"))
    .group_by(col(TrailEntry.action))
)


def changes(uow: UnitOfWork, *, after: int) -> tuple[int, frozenset[str]]:
    """The id of the trail's last entry, and the actions recorded after an id."""
    uow.flush_trail()
    found = [(action, last or 0) for action, last in _rows(uow, _CHANGES, {"after": after})]
    return max([after, *(last for _, last in found)]), frozenset(action for action, _ in found)


def last_change(uow: UnitOfWork) -> int:
    """The id of the trail's last entry, or 0."""
    uow.flush_trail()
    return _rows(uow, _LAST_CHANGE, {}).scalar() or 0


_LAST_CHANGE: Final = select(func.max(TrailEntry.id)).where(col(TrailEntry.workspace_id) == _WORKSPACE)


def _of_people(
    uow: UnitOfWork,
    within: Any,
    among: Any,
    given: Mapping[str, Any],
    stretch: Stretch | None,
    members: Sequence[str],
) -> Iterator[Any]:
    """The rows of the members of a range of teams, or of these people."""
    if stretch is not None:
        yield from _rows(uow, within, {**given, **_ranges(stretch)})
        return
    for chunk in _chunks(members):
        yield from _rows(uow, among, {**given, **chunk})
