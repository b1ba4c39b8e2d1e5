"""When a cycle may start, and which number it has."""

from dataclasses import dataclass
from datetime import date, timedelta

from cadence.documents import playbook_from_data
from cadence.flows.adoption import require_capacity
from cadence.flows.checkins import next_checkin, owe_missed_checkin
from cadence.flows.core import (
    TeamRun,
    expected_members,
    note,
    once,
    require_not_retired,
    require_owner_or_curator,
    require_playbook,
    require_team,
    require_workspace,
    rewrite_as_next_begins,
    rewrite_last_closing,
    run_by_id,
    state_of,
    version_to_run,
)
from cadence.flows.numbers import kpi_context
from cadence.flows.setup import rewrite as rewrite_setup
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from cadence.rules.calendar import WEEKS, closing_day, monday_of, next_monday
from cadence.rules.modes import Mode
from storage.queries import people, playbooks, reports
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
from storage.work import UnitOfWork
from templates.contexts.playbooks import CycleStarted


def start_day(run: TeamRun, asked: date | None) -> date:
    """The Monday a cycle starts on: the one asked for, else today or the next.

    Raises:
        Refusal: another day of the week, or one too long ago or too far ahead.
    """
    if asked is None:
        return run.today if run.today.weekday() == 0 else next_monday(run.today)
    if asked.weekday() != 0:
        raise Refusal(
            say(
                "A cycle starts on a Monday, and {asked:%-d %B} is a {asked:%A}. "
                "The nearest are {before:%Y-%m-%d} and {after:%Y-%m-%d}.",
                asked=asked,
                before=monday_of(asked),
                after=next_monday(asked),
            ),
            field="date",
        )
    if asked < run.week_start:
        raise Refusal(
            say(
                "{asked:%-d %B} is past, and nobody was asked then. "
                "Start this week with {this:%Y-%m-%d} or next week with {next:%Y-%m-%d}.",
                asked=asked,
                this=run.week_start,
                next=next_monday(run.today),
            ),
            field="date",
        )
    if asked > run.today + timedelta(days=366):
        raise Refusal("That is more than a year ahead; choose a nearer Monday.", field="date")
    return asked


def next_number(uow: UnitOfWork, run: TeamRun, starts_on: date) -> int:
    """The number of the cycle that starts on a Monday.

    Raises:
        Refusal: another one isn't over by then.
    """
    cycles = playbooks.cycles_of(uow, adoption_id=run.id)
    for cycle in cycles:
        if cycle.state is CycleState.RUNNING or cycle.starts_on + timedelta(weeks=WEEKS) > starts_on:
            raise Refusal(
                say(
                    "{team} is already in cycle {number} of {title}, "
                    "from {starts:%-d %b} to {closes:%-d %b}. {after}",
                    team=run.team.title,
                    number=cycle.number,
                    title=run.playbook.title,
                    starts=cycle.starts_on,
                    closes=cycle.closes_on,
                    after=_what_follows(run, cycle),
                ),
                field="date",
            )
    return len(cycles) + 1


def _what_follows(run: TeamRun, cycle: Cycle) -> str:
    if run.adoption.state is AdoptionState.ACTIVE:
        return "The next one follows by itself."
    monday = cycle.starts_on + timedelta(weeks=WEEKS)
    return f"The team is paused, so none follows by itself: start one for {monday:%Y-%m-%d} or later."


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
def start_cycle(uow: UnitOfWork, given: CycleGiven) -> CycleStarted:
    """Start a cycle for the pilot team or another one; on the version that team is on.

    Raises:
        Refusal: not the owner or a curator, no such playbook or team, a cycle runs already, not a Monday.
        CapacityFull: the team has as many cycles running as it is given.
    """
    with uow.write():
        require_workspace(uow)
        playbook = require_playbook(uow, given.playbook)
        require_owner_or_curator(uow, owner=playbook.owner, to="start a cycle")
        require_not_retired(playbook)
        version = version_to_run(uow, playbook, None)
        pilot = playbook_from_data(version.spec).pilot
        team = _team_for(uow, playbook, given.team, pilot=pilot)
        _require_in_team(uow, playbook, team, given.champion)
        adoption = _adopt(uow, playbook, version.id or 0, team, champion=given.champion)
        version = version_to_run(uow, playbook, adoption)
        spec = playbook_from_data(version.spec)
        run = run_by_id(uow, adoption_id=adoption.id or 0)
        under_way = run.cycle is not None and run.week is not None and run.cycle.state is CycleState.RUNNING
        if adoption.state is AdoptionState.PAUSED and run.cycle is not None and under_way:
            return _resumed(uow, run, run.cycle)
        starts_on = start_day(run, given.starts_on)
        number = next_number(uow, run, starts_on)
        require_capacity(uow, run, starts_on=starts_on, reason=given.override)
        adoption.version_id, adoption.state = version.id or 0, AdoptionState.ACTIVE
        declare_modes(uow, run, steps=[(s.key, Mode(s.mode)) for s in spec.steps])
        cycle = add_cycle(uow, adoption, number=number, starts_on=starts_on, by=uow.actor.member)
        playbook.state = state_of(uow, playbook)
        note(
            uow,
            action="cycle-started",
            subject=f"cycle:{cycle.id}",
            after={"number": number, "starts_on": starts_on.isoformat(), "revision": version.revision},
        )
        uow.session.flush()
        run = run_by_id(uow, adoption_id=run.id)
        rewrite_setup(uow, run, mark=f"cycle:{cycle.id}:{uow.now.timestamp()}")
        rewrite_last_closing(uow, run, mark=f"started:{cycle.id}:{uow.now.timestamp()}")
        rewrite_as_next_begins(uow, run)
        return _started(uow, run, cycle)


def _started(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> CycleStarted:
    return CycleStarted(
        slug=run.playbook.slug,
        playbook=run.playbook.title,
        team=run.team.title,
        number=cycle.number,
        starts=cycle.starts_on,
        closes=cycle.closes_on,
        first_checkin=cycle.starts_on + timedelta(days=3),
        kpi=kpi_context(run, value=None),
        members=len(expected_members(uow, run, week_start=cycle.starts_on)),
        champion=run.adoption.champion,
    )


def _resumed(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> CycleStarted:
    """A team that was paused in the middle of a cycle goes on with it."""
    run.adoption.state = AdoptionState.ACTIVE
    uow.session.add(run.adoption)
    note(
        uow,
        action="resumed",
        subject=f"adoption:{run.id}",
        before=AdoptionState.PAUSED,
        after=AdoptionState.ACTIVE,
    )
    uow.session.flush()
    asked = expected_members(uow, run, week_start=run.week_start)
    owe_missed_checkin(uow, run.workspace, *asked)
    rewrite_last_closing(uow, run, mark=f"resumed:{uow.now.timestamp()}")
    return _goes_on(uow, run, cycle)


def _goes_on(uow: UnitOfWork, run: TeamRun, cycle: Cycle) -> CycleStarted:
    thursday = run.week_start + timedelta(days=3)
    usual = thursday if run.today <= thursday else thursday + timedelta(weeks=1)
    asked = expected_members(uow, run, week_start=run.week_start)
    return CycleStarted(
        slug=run.playbook.slug,
        playbook=run.playbook.title,
        team=run.team.title,
        number=cycle.number,
        starts=cycle.starts_on,
        closes=cycle.closes_on,
        first_checkin=next_checkin(uow, run.workspace, asked) or usual,
        kpi=kpi_context(run, value=None),
        members=len(asked),
        champion=run.adoption.champion,
        resumed=True,
    )


def _team_for(uow: UnitOfWork, playbook: Playbook, slug: str | None, *, pilot: str | None) -> Team:
    if slug is not None:
        return require_team(uow, slug)
    if pilot is not None:
        return require_team(uow, pilot)
    if uow.actor.channel is not None:
        team = people.team_by_channel(uow, channel=uow.actor.channel)
        if team is not None:
            return team
    mine = people.teams_of(uow, member_id=uow.actor.member)
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


def _require_in_team(uow: UnitOfWork, playbook: Playbook, team: Team, champion: str | None) -> None:
    """A champion is of the team, or the playbook's owner (SPEC §6)."""
    members = people.memberships(uow, team_ids=[team.id or 0])
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
    uow: UnitOfWork, playbook: Playbook, version_id: int, team: Team, *, champion: str | None
) -> Adoption:
    adoption = playbooks.adoption_of(uow, playbook_id=playbook.id or 0, team_id=team.id or 0)
    if adoption is None:
        adoption = Adoption(
            workspace_id=playbook.workspace_id,
            playbook_id=playbook.id or 0,
            version_id=version_id,
            team_id=team.id or 0,
            champion=champion or playbook.owner,
            created_at=uow.now,
        )
        uow.session.add(adoption)
        uow.session.flush()
    elif champion is not None:
        adoption.champion = champion
    return playbooks.lock_adoption(uow, adoption_id=adoption.id or 0)


def declare_modes(uow: UnitOfWork, run: TeamRun, *, steps: list[tuple[str, Mode]]) -> None:
    """Give new steps their declared mode; a step that was demoted stays where it is."""
    known = playbooks.steps(uow, adoption_id=run.id)
    there = reports.marks(uow, adoption_id=run.id)
    for key, mode in steps:
        if key in known:
            continue
        uow.session.add(
            AdoptionStep(
                workspace_id=run.workspace.id,
                adoption_id=run.id,
                step=key,
                mode=mode,
                since=uow.now,
                after_check_in=there.check_in,
            )
        )
        uow.session.add(
            ModeChange(
                workspace_id=run.workspace.id,
                adoption_id=run.id,
                step=key,
                kind="declaration",
                after=mode,
                reason="as the playbook declares it",
                changed_at=uow.now,
            )
        )


def add_cycle(uow: UnitOfWork, adoption: Adoption, *, number: int, starts_on: date, by: str) -> Cycle:
    """Save a new cycle."""
    cycle = Cycle(
        workspace_id=adoption.workspace_id,
        adoption_id=adoption.id or 0,
        version_id=adoption.version_id,
        number=number,
        starts_on=starts_on,
        closes_on=closing_day(starts_on),
        started_by=by,
        started_at=uow.now,
    )
    uow.session.add(cycle)
    uow.session.flush()
    return cycle
