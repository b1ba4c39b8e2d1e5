"""A workspace as planning sees it, as a whole or in batches of teams, so that memory doesn't grow with it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from cadence.flows.core import (
    adoption_hours,
    is_person,
    public_holidays,
    working_days,
    workspace_hours,
)
from cadence.nudges import ActiveAdoption, Hour, Person, Rollout
from cadence.nudges.slots import ZONES_APART
from cadence.rules.calendar import WEEKS, local_day, monday_of
from storage.queries import people, schedule
from storage.queries.schedule import AdoptionRow, PersonRow, PlaceRow, Stretch
from storage.tables import Workspace
from storage.work import UnitOfWork

TEAMS_AT_ONCE = 200
_EVERYONE: Stretch = (0, 2**31 - 1)
_NOBODY: Stretch = (0, 0)
_LATELY = timedelta(weeks=1)
_zone = lru_cache(maxsize=None)(ZoneInfo)
"""A zone by its name. ZoneInfo itself keeps only eight that nobody holds, and reads the others from disk again."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is planned: a workspace, and the weeks that contain the slots between two instants.

    `audited` says which versions have audited steps. `resumed` are the adoptions whose pause ended recently.
    """

    workspace: Workspace
    now: datetime
    first: date
    last: date
    audited: dict[int, bool] = field(default_factory=dict)
    resumed: dict[int, datetime] = field(default_factory=dict)

    @classmethod
    def between(cls, workspace: Workspace, since: datetime, until: datetime, *, now: datetime) -> "Scope":
        """The weeks of the slots after one instant and up to another, and the week before them."""
        zone = ZoneInfo(workspace.timezone)
        first = monday_of(local_day(since - ZONES_APART, zone)) - timedelta(weeks=2)
        last = monday_of(local_day(until + ZONES_APART, zone)) + timedelta(weeks=1)
        return cls(workspace, now, first, last)

    @property
    def lately(self) -> datetime:
        """Members who joined since then weren't there when others were asked."""
        return self.now - _LATELY

    def learn_pauses(self, uow: UnitOfWork) -> None:
        """Load the adoptions whose pause ended recently, for the whole workspace at once."""
        self.resumed.update(schedule.resumed(uow, since=self.lately))

    def zone(self, name: str) -> ZoneInfo:
        """A zone by its name."""
        return _zone(name)

    def days_off(self, country: str | None) -> frozenset[date]:
        """The public holidays of a country, else of the workspace's, in these weeks."""
        return public_holidays(country or self.workspace.country, self.first.year, self.last.year)


def rollout(uow: UnitOfWork, workspace: Workspace, *, until: datetime | None = None) -> Rollout:
    """A whole workspace."""
    scope = Scope.between(workspace, uow.now, until or uow.now, now=uow.now)
    scope.learn_pauses(uow)
    everyone, digest = _part(uow, scope, _EVERYONE), _curators_part(uow, scope)
    return replace(digest, people={**digest.people, **everyone.people}, runs=(*everyone.runs, *digest.runs))


def rollout_of(uow: UnitOfWork, workspace: Workspace, asked: Sequence[str], *, until: datetime) -> Rollout:
    """The rollout for the check-ins of some people."""
    scope = Scope.between(workspace, uow.now, until, now=uow.now)
    scope.learn_pauses(uow)
    places: dict[str, list[PlaceRow]] = defaultdict(list)
    for place in schedule.places(uow, lately=scope.lately, members=asked):
        places[place.member].append(place)
    teams = sorted({place.team_id for found in places.values() for place in found})
    rows = schedule.runs(uow, teams=teams, first=_earliest(scope), last=scope.last) if teams else []
    persons = _persons(uow, scope, _NOBODY, places, ())
    scope.audited.update({row.version_id: False for row in rows})  # audits aren't check-ins
    members: dict[int, list[PlaceRow]] = defaultdict(list)
    for member, found in places.items():
        for place in found if member in persons else ():
            members[place.team_id].append(place)
    return _rollout(scope, persons, tuple(_runs(scope, rows, members, own=False)))


def parts(uow: UnitOfWork, scope: Scope, *, teams_at_once: int = TEAMS_AT_ONCE) -> Iterator[Rollout]:
    """The workspace in parts: each person's check-in is in exactly one, and so are each adoption and the
    digest."""
    after, more = 0, True
    while more:
        found = []
        with uow.read():
            if not after:
                scope.learn_pauses(uow)
                found.append(_curators_part(uow, scope))
            stretch = schedule.stretch_of_teams(uow, after=after, limit=teams_at_once)
            up_to, more = stretch or (after, False)
            if stretch is not None:
                found.append(_part(uow, scope, (after, up_to)))
        yield from found
        after = up_to


def curators_of(uow: UnitOfWork, workspace: Workspace) -> tuple[str, ...]:
    """The recipients of the digest: the curators' channel, else each of them."""
    if workspace.curator_channel:
        return (workspace.curator_channel,)
    return tuple(people.curators(uow))


def _curators_part(uow: UnitOfWork, scope: Scope) -> Rollout:
    """The part for the digest, which depends on whether a cycle of some adoption had begun, paused or not."""
    begun = schedule.begun(uow, first=_earliest(scope), last=scope.last)
    runs = tuple(ActiveAdoption(0, (one,), (), "", None, own=False) for one in begun)
    curators = curators_of(uow, scope.workspace)
    persons = _persons(uow, scope, _NOBODY, {}, (), also=curators)
    return _rollout(scope, persons, runs, curators=curators)


def _earliest(scope: Scope) -> date:
    """The first Monday of a cycle that still contains a week of the scope."""
    return scope.first - timedelta(weeks=WEEKS - 1)


def _rollout(
    scope: Scope,
    persons: dict[str, Person],
    runs: tuple[ActiveAdoption, ...],
    *,
    curators: tuple[str, ...] = (),
) -> Rollout:
    workspace = scope.workspace
    return Rollout(
        workspace_id=workspace.id,
        zone=scope.zone(workspace.timezone),
        curators=curators,
        people=persons,
        runs=runs,
        working_days=working_days(workspace),
        hours=workspace_hours(workspace),
        days_off=scope.days_off(None),
    )


def _part(uow: UnitOfWork, scope: Scope, stretch: Stretch) -> Rollout:
    when: Any = {"first": _earliest(scope), "last": scope.last}
    rows = schedule.runs(uow, teams=stretch, **when)
    if not rows:
        return _rollout(scope, {}, ())
    places: dict[str, list[PlaceRow]] = defaultdict(list)
    for place in schedule.places(uow, lately=scope.lately, stretch=stretch):
        places[place.member].append(place)
    others = sorted(
        {one.team_id for found in places.values() for one in found if not _inside(stretch, one.team_id)}
    )
    beside = schedule.runs(uow, teams=others, **when) if others else []
    running = {row.team_id for row in (*rows, *beside)}
    persons = _persons(uow, scope, stretch, places, rows)
    members: dict[int, list[PlaceRow]] = defaultdict(list)
    for member, found in places.items():
        active = [one for one in found if one.team_id in running]
        if member in persons and active and _inside(stretch, min(one.team_id for one in active)):
            for one in active:
                members[one.team_id].append(one)
    _learn_audits(uow, scope, (*rows, *beside))
    runs = (*_runs(scope, rows, members), *_runs(scope, beside, members, own=False))
    return _rollout(scope, persons, runs)


def _asked_since(places: Sequence[PlaceRow], resumed: datetime | None) -> dict[str, datetime]:
    """Since when an adoption's members are asked: recent members, and everybody where a pause ended
    recently."""
    since = {}
    for place in places:
        marks = [mark for mark in (place.joined, resumed) if mark is not None]
        if marks:
            since[place.member] = max(marks)
    return since


def _inside(stretch: Stretch, team_id: int) -> bool:
    return stretch[0] < team_id <= stretch[1]


def _persons(
    uow: UnitOfWork,
    scope: Scope,
    stretch: Stretch,
    places: dict[str, list[PlaceRow]],
    rows: Sequence[AdoptionRow],
    *,
    also: Sequence[str] = (),
) -> dict[str, Person]:
    """Everybody who may be nudged, each in their own zone, with holidays and days away.

    Args:
        also: curators who get the digest; channels among them are skipped.
    """
    asked = {one for row in rows for one in (row.owner, row.reporter) if one}
    asked |= {one for one in also if is_person(one)}
    outside = sorted(asked - places.keys() if stretch != _NOBODY else asked | places.keys())
    known: dict[str, PersonRow] = {}
    away: dict[str, list[tuple[date, date]]] = defaultdict(list)
    home = {member: min(found, key=lambda one: one.team) for member, found in places.items()}
    unplaced = [member for member in outside if member not in home]
    for place in schedule.places(uow, lately=scope.lately, members=unplaced) if unplaced else ():
        best = home.setdefault(place.member, place)
        if place.team < best.team:
            home[place.member] = place
    selections: list[dict[str, Any]] = [] if stretch == _NOBODY else [{"stretch": stretch}]
    for these in (*selections, {"members": outside}):
        for row in schedule.persons(uow, first=scope.first, last=scope.last + timedelta(weeks=1), **these):
            if row.away_from is None or row.away_until is None:
                known[row.member] = row
            else:
                away[row.member].append((row.away_from, row.away_until))
    found = {}
    for member in dict.fromkeys((*places, *outside)):
        profile, place_of = known.get(member), home.get(member)
        if profile is None or not profile.gone:
            found[member] = _person(scope, member, profile, place_of, tuple(away.get(member, ())))
    return found


def _person(
    scope: Scope,
    member: str,
    row: PersonRow | None,
    home: PlaceRow | None,
    away: tuple[tuple[date, date], ...],
) -> Person:
    """Their zone is Slack's, else their team's, else the workspace's, as when the message is composed."""
    zone = (row.timezone if row else None) or (home.timezone if home else scope.workspace.timezone)
    return Person(
        member=member,
        zone=scope.zone(zone),
        days_off=scope.days_off(home.country if home else None),
        away=away,
        muted=bool(row and row.muted),
    )


def _runs(
    scope: Scope, rows: Iterable[AdoptionRow], members: dict[int, list[PlaceRow]], *, own: bool = True
) -> Iterator[ActiveAdoption]:
    of_adoption: dict[int, list[AdoptionRow]] = {}
    for row in rows:
        of_adoption.setdefault(row.adoption_id, []).append(row)
    of_workspace = workspace_hours(scope.workspace)
    for adoption_id, cycles in of_adoption.items():
        row = cycles[0]
        places = members.get(row.team_id, [])
        zone = scope.zone(row.timezone)
        today = local_day(scope.now, zone)
        version = ([one for one in cycles if one.starts_on <= today] or cycles[:1])[-1].version_id
        yield ActiveAdoption(
            adoption_id=adoption_id,
            cycles=tuple((one.starts_on, one.started_at) for one in cycles),
            members=tuple(place.member for place in places),
            owner=row.owner,
            reporter=row.reporter,
            team=Person(row.channel, zone, scope.days_off(row.country)),
            audited=scope.audited[version],
            hours=_hours(row, of_workspace),
            joined=_asked_since(places, scope.resumed.get(adoption_id)),
            watched=frozenset(one.starts_on for one in cycles if one.watched),
            ends=cycles[-1].ends,
            own=own,
            resumed=scope.resumed.get(adoption_id),
        )


def _hours(row: AdoptionRow, of_workspace: dict[str, Hour]) -> dict[str, Hour]:
    return adoption_hours(row.hours, of_workspace) if row.hours else {}


_AUDITED: WeakKeyDictionary[Any, dict[int, bool]] = WeakKeyDictionary()
"""What a process has learned about the versions of each database: a version never changes."""


def _learn_audits(uow: UnitOfWork, scope: Scope, rows: Iterable[AdoptionRow]) -> None:
    known, wanted = _AUDITED.setdefault(uow.session.get_bind(), {}), {row.version_id for row in rows}
    for number, spec in schedule.specs(uow, version_ids=wanted - known.keys()).items():
        steps = spec.get("steps", [])
        known[number] = any((step.get("verify") or {}).get("sample") for step in steps)
    scope.audited.update({number: known[number] for number in wanted})
