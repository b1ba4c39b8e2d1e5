"""The names a person can use in a command, and the day it is for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.runs import visible_runs
from cadence.flows.specs import spec_of
from cadence.rules.calendar import local_day
from storage import names, people, playbooks
from storage.engine import Database
from storage.names import Known, Named
from storage.people import Whereabouts


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


def lexicon(
    db: Database, caller: Caller, *, now: datetime, steps: bool = True, teams: bool = True
) -> Lexicon:
    """The playbooks a person has to do with: their teams' and those they own; when there are none, all.

    What a command has no use for can be left out: `steps` (every playbook then has none), `teams`.
    """
    with db.read() as session:
        found = known_to(session, caller)
        return lexicon_of(session, caller, found, now=now, steps=steps, teams=teams)


def known_to(session: Session, caller: Caller) -> Known:
    """Where the caller is, and what playbooks there are; on the command line all of them count."""
    return names.known_to(
        session,
        workspace_id=caller.workspace_id,
        member_id=caller.member,
        everywhere=caller.surface == "cli",
    )


def lexicon_of(
    session: Session,
    caller: Caller,
    found: Known,
    *,
    now: datetime,
    steps: bool = True,
    teams: bool = True,
) -> Lexicon:
    """`lexicon` within a transaction, from what `known_to` found."""
    there, known = found
    if there is None:
        return Lexicon(now.date())
    if steps:
        every = _steps(session, caller, known)
        runs = visible_runs(session, caller, now=now, there=there)
        mine = {run.playbook.slug: tuple(step.key for step in run.spec.steps) for run in runs}
    else:
        every = {row.slug: () for row in known}
        mine = {row.slug: () for row in known if row.run}
    owned = {row.slug for row in known if row.owner == caller.member}
    mine |= {slug: keys for slug, keys in every.items() if slug in owned and slug not in mine}
    return Lexicon(
        today=local_day(now, _zone(session, caller, there)),
        steps=mine or every,
        teams=tuple(people.team_slugs(session, workspace_id=caller.workspace_id)) if teams else (),
        titles={row.slug: row.title for row in known},
        others={slug: keys for slug, keys in every.items() if mine and slug not in mine},
    )


def _steps(session: Session, caller: Caller, known: Sequence[Named]) -> dict[str, tuple[str, ...]]:
    """Step keys of every playbook's newest revision, by slug."""
    newest = playbooks.newest_versions(session, workspace_id=caller.workspace_id)
    return {
        row.slug: tuple(step.key for step in spec_of(session, newest[row.id]).steps)
        for row in known
        if row.id in newest
    }


def _zone(session: Session, caller: Caller, there: Whereabouts) -> ZoneInfo:
    """A person's zone: Slack's, else their team's, else the workspace's."""
    if there.own:
        return ZoneInfo(there.own)
    teams = people.teams_of(session, workspace_id=caller.workspace_id, member_id=caller.member)
    return ZoneInfo(teams[0].timezone if teams else there.here)
