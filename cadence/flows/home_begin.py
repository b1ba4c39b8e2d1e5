"""Where a person begins: the first step of their role, and when their next check-in comes."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.people import open_runs, zone_of
from cadence.flows.rollouts import rollout_of
from cadence.flows.snoozing import pending
from cadence.nudges import CHECKIN, due
from cadence.refusals import Offer
from storage import people, playbooks
from storage.tables import Workspace
from templates.ids import Action

AHEAD = timedelta(days=15)
TEAMS_OFFERED = 4


@dataclass(frozen=True, slots=True)
class Begin:
    """Sentences that say how to begin, and the buttons for it; empty when there is nothing to say."""

    lines: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()


def first_steps(
    session: Session, caller: Caller, workspace: Workspace, *, busy: bool, curator: bool
) -> Begin:
    """What a person whose Home is empty otherwise (not `busy`) does first, by their role."""
    if not people.curators(session, workspace_id=workspace.id):
        member = people.member(session, workspace_id=workspace.id, member_id=caller.member)
        if member is not None and member.is_admin:
            line = "This workspace has no curator yet: name one, and a channel for the weekly digest."
            return Begin((line,), (Offer("Set up", Action.OPEN_SETTINGS),))
        return Begin(("Nobody has set this up yet. A workspace admin does it with `/cadence settings`.",))
    if busy:
        return Begin()
    if curator:
        if playbooks.playbooks(session, workspace_id=workspace.id):
            return Begin()
        line = "There is no playbook yet: write or import one, then start its first cycle in a team."
        offers = (
            Offer("New playbook", Action.NEW_PLAYBOOK),
            Offer("Import a playbook", Action.IMPORT_PLAYBOOK),
        )
        return Begin((line,), offers)
    return _join(session, caller, workspace)


def _join(session: Session, caller: Caller, workspace: Workspace) -> Begin:
    if people.teams_of(session, workspace_id=workspace.id, member_id=caller.member):
        return Begin(("Your team runs no playbook yet; `/cadence playbook list` shows what there is.",))
    teams = people.teams(session, workspace_id=workspace.id)
    if not teams:
        return Begin(("There is no team yet; `/cadence team create` makes one.",))
    more = " `/cadence team join` with a team's name joins any other." if len(teams) > TEAMS_OFFERED else ""
    return Begin(
        (f"You are in no team yet: join the one you work in.{more}",),
        tuple(
            Offer(f"Join {team.title}"[:75], Action.TEAM_JOIN, team.slug) for team in teams[:TEAMS_OFFERED]
        ),
    )


def next_checkin(session: Session, caller: Caller, workspace: Workspace, *, now: datetime) -> datetime | None:
    """When the person's next check-in comes, in their own zone; None when none is planned."""
    until = now + AHEAD
    own = rollout_of(session, workspace, [caller.member], now=now, until=until)
    snoozed = pending(session, workspace_id=workspace.id, member=caller.member)
    slots = [
        slot.at
        for slot in due(now, until, own)
        if slot.kind == CHECKIN.kind and not slot.skipped and slot.subject["week"] not in snoozed
    ]
    for week, at in snoozed.items():
        if open_runs(session, caller, week_start=date.fromisoformat(week), now=now):
            slots.append(at)
    return min(slots).astimezone(zone_of(session, workspace, caller.member)) if slots else None
