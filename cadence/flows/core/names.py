"""The names a person can use in a command, and the day it is for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from cadence.flows.core.adoptions import spec_of, visible_runs
from cadence.rules.calendar import local_day
from storage.queries import people, playbooks
from storage.queries import people as names
from storage.queries.people import Known, Named, Whereabouts
from storage.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Step keys by playbook slug: of a person's own playbooks, and of the workspace's others; titles, team slugs.

    `today` is the person's local date.
    """

    today: date
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    teams: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def lexicon(uow: UnitOfWork, *, steps: bool = True, teams: bool = True) -> Lexicon:
    """The playbooks a person has to do with: their teams' and those they own; when there are none, all.

    What a command has no use for can be left out: `steps` (every playbook then has none), `teams`.
    """
    with uow.read():
        found = known_to(uow)
        return lexicon_of(uow, found, steps=steps, teams=teams)


def known_to(uow: UnitOfWork) -> Known:
    """Where the caller is, and what playbooks there are; on the command line all of them count."""
    return names.known_to(uow, member_id=uow.actor.member, everywhere=uow.actor.surface == "cli")


def lexicon_of(uow: UnitOfWork, found: Known, *, steps: bool = True, teams: bool = True) -> Lexicon:
    """`lexicon` within a transaction, from what `known_to` found."""
    there, known = found
    if there is None:
        return Lexicon(uow.now.date())
    if steps:
        every = _steps(uow, known)
        runs = visible_runs(uow, there=there)
        mine = {run.playbook.slug: tuple(step.key for step in run.spec.steps) for run in runs}
    else:
        every = {row.slug: () for row in known}
        mine = {row.slug: () for row in known if row.run}
    owned = {row.slug for row in known if row.owner == uow.actor.member}
    mine |= {slug: keys for slug, keys in every.items() if slug in owned and slug not in mine}
    return Lexicon(
        today=local_day(uow.now, _zone(uow, there)),
        steps=mine or every,
        teams=tuple(people.team_slugs(uow)) if teams else (),
        titles={row.slug: row.title for row in known},
        others={slug: keys for slug, keys in every.items() if mine and slug not in mine},
    )


def _steps(uow: UnitOfWork, known: Sequence[Named]) -> dict[str, tuple[str, ...]]:
    """Step keys of every playbook's newest revision, by slug."""
    newest = playbooks.newest_versions(uow)
    return {
        row.slug: tuple(step.key for step in spec_of(uow, newest[row.id]).steps)
        for row in known
        if row.id in newest
    }


def _zone(uow: UnitOfWork, there: Whereabouts) -> ZoneInfo:
    """A person's zone: Slack's, else their team's, else the workspace's."""
    if there.own:
        return ZoneInfo(there.own)
    teams = people.teams_of(uow, member_id=uow.actor.member)
    return ZoneInfo(teams[0].timezone if teams else there.here)
