"""Start a four-week cycle."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from cadence.documents import playbook_from_data
from cadence.flows.asked_members import expected_members
from cadence.flows.callers import Caller, require_owner_or_curator
from cadence.flows.capacity import require_capacity
from cadence.flows.coming_back import next_checkin, owe_missed_checkin
from cadence.flows.cycle_days import next_number, start_day
from cadence.flows.cycle_rewrites import rewrite_as_next_begins, rewrite_last_closing
from cadence.flows.kpis import kpi_context
from cadence.flows.lookups import require_playbook, require_team
from cadence.flows.noting import note
from cadence.flows.repeats import once
from cadence.flows.runs import TeamRun, require_workspace, run_by_id
from cadence.flows.setups import rewrite as rewrite_setup
from cadence.flows.versions import require_not_retired, state_of, version_to_run
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from cadence.rules.calendar import (
    closing_day,
)
from cadence.rules.modes import Mode
from storage import people, playbooks, reports
from storage.engine import Database
from storage.tables import (
    Adoption,
    AdoptionState,
    AdoptionStep,
    Cycle,
    CycleState,
    ModeChange,
    Playbook,
    Team,
)
from templates.contexts.playbooks import CycleStarted


@dataclass(frozen=True, slots=True)
class CycleGiven:
    """A cycle as someone asked for it; `starts_on` is a Monday, by default today's or the next one.

    `override` is a curator's reason to start it although the team has as many cycles running as it is given.
    """

    playbook: str
    team: str | None = None
    starts_on: date | None = None
    champion: str | None = None
    override: str | None = None


@once
def start_cycle(db: Database, caller: Caller, given: CycleGiven, *, now: datetime) -> CycleStarted:
    """Start a cycle for the pilot team or another one; on the version that team is on.

    Raises:
        Refusal: not the owner or a curator, no such playbook or team, a cycle runs already, not a Monday.
        CapacityFull: the team has as many cycles running as it is given.
    """
    with db.write() as session:
        workspace = require_workspace(session, caller.workspace_id)
        playbook = require_playbook(session, workspace.id, given.playbook)
        require_owner_or_curator(session, caller, owner=playbook.owner, to="start a cycle")
        require_not_retired(playbook)
        version = version_to_run(session, playbook, None)
        pilot = playbook_from_data(version.spec).pilot
        team = _team_for(session, caller, playbook, given.team, pilot=pilot)
        _require_in_team(session, playbook, team, given.champion)
        adoption = _adopt(session, playbook, version.id or 0, team, champion=given.champion, now=now)
        version = version_to_run(session, playbook, adoption)
        spec = playbook_from_data(version.spec)
        run = run_by_id(session, workspace_id=workspace.id, adoption_id=adoption.id or 0, now=now)
        under_way = run.cycle is not None and run.week is not None and run.cycle.state is CycleState.RUNNING
        if adoption.state is AdoptionState.PAUSED and run.cycle is not None and under_way:
            return _resumed(session, caller, run, run.cycle, now=now)
        starts_on = start_day(run, given.starts_on)
        number = next_number(session, run, starts_on)
        require_capacity(session, caller, run, starts_on=starts_on, reason=given.override, now=now)
        adoption.version_id, adoption.state = version.id or 0, AdoptionState.ACTIVE
        declare_modes(session, run, steps=[(s.key, Mode(s.mode)) for s in spec.steps], now=now)
        cycle = add_cycle(session, adoption, number=number, starts_on=starts_on, by=caller.member, now=now)
        playbook.state = state_of(session, playbook)
        note(
            session,
            caller,
            action="cycle-started",
            subject=f"cycle:{cycle.id}",
            after={"number": number, "starts_on": starts_on.isoformat(), "revision": version.revision},
            now=now,
        )
        session.flush()
        run = run_by_id(session, workspace_id=workspace.id, adoption_id=run.id, now=now)
        rewrite_setup(session, run, mark=f"cycle:{cycle.id}:{now.timestamp()}", now=now)
        rewrite_last_closing(session, caller, run, mark=f"started:{cycle.id}:{now.timestamp()}", now=now)
        rewrite_as_next_begins(session, run, now=now)
        return _started(session, run, cycle)


def _started(session: Session, run: TeamRun, cycle: Cycle) -> CycleStarted:
    return CycleStarted(
        slug=run.playbook.slug,
        playbook=run.playbook.title,
        team=run.team.title,
        number=cycle.number,
        starts=cycle.starts_on,
        closes=cycle.closes_on,
        first_checkin=cycle.starts_on + timedelta(days=3),
        kpi=kpi_context(run, value=None),
        members=len(expected_members(session, run, week_start=cycle.starts_on)),
        champion=run.adoption.champion,
    )


def _resumed(session: Session, caller: Caller, run: TeamRun, cycle: Cycle, *, now: datetime) -> CycleStarted:
    """A team that was paused in the middle of a cycle goes on with it."""
    run.adoption.state = AdoptionState.ACTIVE
    session.add(run.adoption)
    note(
        session,
        caller,
        action="resumed",
        subject=f"adoption:{run.id}",
        before=AdoptionState.PAUSED,
        after=AdoptionState.ACTIVE,
        now=now,
    )
    session.flush()
    asked = expected_members(session, run, week_start=run.week_start)
    owe_missed_checkin(session, run.workspace, *asked, now=now, correlation_id=caller.request)
    rewrite_last_closing(session, caller, run, mark=f"resumed:{now.timestamp()}", now=now)
    return _goes_on(session, run, cycle, now=now)


def _goes_on(session: Session, run: TeamRun, cycle: Cycle, *, now: datetime) -> CycleStarted:
    thursday = run.week_start + timedelta(days=3)
    usual = thursday if run.today <= thursday else thursday + timedelta(weeks=1)
    asked = expected_members(session, run, week_start=run.week_start)
    return CycleStarted(
        slug=run.playbook.slug,
        playbook=run.playbook.title,
        team=run.team.title,
        number=cycle.number,
        starts=cycle.starts_on,
        closes=cycle.closes_on,
        first_checkin=next_checkin(session, run.workspace, asked, now=now) or usual,
        kpi=kpi_context(run, value=None),
        members=len(asked),
        champion=run.adoption.champion,
        resumed=True,
    )


def _team_for(
    session: Session, caller: Caller, playbook: Playbook, slug: str | None, *, pilot: str | None
) -> Team:
    if slug is not None:
        return require_team(session, caller.workspace_id, slug)
    if pilot is not None:
        return require_team(session, caller.workspace_id, pilot)
    if caller.channel is not None:
        team = people.team_by_channel(session, workspace_id=caller.workspace_id, channel=caller.channel)
        if team is not None:
            return team
    mine = people.teams_of(session, workspace_id=caller.workspace_id, member_id=caller.member)
    if len(mine) == 1:
        return mine[0]
    raise Refusal(
        say(
            "Which team runs {title}? Add it, for example {example}.",
            title=playbook.title,
            example=code(f"/cadence cycle start {playbook.slug} team=support-emea"),
        ),
        field="team",
    )


def _require_in_team(session: Session, playbook: Playbook, team: Team, champion: str | None) -> None:
    """A champion is of the team, or the playbook's owner (SPEC §6)."""
    members = people.memberships(session, workspace_id=team.workspace_id, team_ids=[team.id or 0])
    if champion is None or champion == playbook.owner or any(row.member == champion for row in members):
        return
    raise Refusal(
        say(
            "That person isn't in {team}, and its champion has to be. {command} adds them.",
            team=team.title,
            command=code(f"/cadence team join {team.slug} @name"),
        ),
        field="champion",
    )


def _adopt(
    session: Session,
    playbook: Playbook,
    version_id: int,
    team: Team,
    *,
    champion: str | None,
    now: datetime,
) -> Adoption:
    adoption = playbooks.adoption_of(
        session, workspace_id=playbook.workspace_id, playbook_id=playbook.id or 0, team_id=team.id or 0
    )
    if adoption is None:
        adoption = Adoption(
            workspace_id=playbook.workspace_id,
            playbook_id=playbook.id or 0,
            version_id=version_id,
            team_id=team.id or 0,
            champion=champion or playbook.owner,
            created_at=now,
        )
        session.add(adoption)
        session.flush()
    elif champion is not None:
        adoption.champion = champion
    return playbooks.lock_adoption(session, workspace_id=playbook.workspace_id, adoption_id=adoption.id or 0)


def declare_modes(session: Session, run: TeamRun, *, steps: list[tuple[str, Mode]], now: datetime) -> None:
    """Give new steps their declared mode; a step that was demoted stays where it is."""
    known = playbooks.steps(session, workspace_id=run.workspace.id, adoption_id=run.id)
    there = reports.marks(session, workspace_id=run.workspace.id, adoption_id=run.id)
    for key, mode in steps:
        if key in known:
            continue
        session.add(
            AdoptionStep(
                workspace_id=run.workspace.id,
                adoption_id=run.id,
                step=key,
                mode=mode,
                since=now,
                after_check_in=there.check_in,
            )
        )
        session.add(
            ModeChange(
                workspace_id=run.workspace.id,
                adoption_id=run.id,
                step=key,
                kind="declaration",
                after=mode,
                reason="as the playbook declares it",
                changed_at=now,
            )
        )


def add_cycle(
    session: Session, adoption: Adoption, *, number: int, starts_on: date, by: str, now: datetime
) -> Cycle:
    """Save a new cycle."""
    cycle = Cycle(
        workspace_id=adoption.workspace_id,
        adoption_id=adoption.id or 0,
        version_id=adoption.version_id,
        number=number,
        starts_on=starts_on,
        closes_on=closing_day(starts_on),
        started_by=by,
        started_at=now,
    )
    session.add(cycle)
    session.flush()
    return cycle
