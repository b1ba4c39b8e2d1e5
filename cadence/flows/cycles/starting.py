"""Starting a cycle: when it can start, and its number."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from cadence.flows.adoption import capacity_form, require_capacity
from cadence.flows.core import (
    AdoptionView,
    adoption_by_id,
    expected_members,
    is_curator,
    is_watch,
    once,
    require_not_retired,
    require_owner_or_curator,
    require_playbook,
    require_workspace,
    rewrite_as_next_begins,
    rewrite_last_closing,
    rewrite_setup,
    spec_of,
    state_of,
    version_to_run,
    visible_adoptions,
    zone_of,
)
from cadence.flows.cycles.announcing import first_checkin, tell_start
from cadence.flows.cycles.resuming import NextAsked, resumed, rewrite_pause_post, started
from cadence.flows.people import likely_team
from cadence.flows.pilots import first_cycles_form, require_approved, require_first_cycle_room
from cadence.flows.training import require_trained
from cadence.mrkdwn import code, say
from cadence.refusals import NotAllowed, Offer, Refusal
from cadence.rules.calendar import WEEKS, closing_day, local_day, monday_of, next_monday
from cadence.rules.modes import Mode
from storage.queries import adoptions, people, playbooks, standards, workspaces
from storage.queries import cycles as cycle_rows
from storage.tables import (
    Adoption,
    AdoptionState,
    AdoptionStep,
    Cycle,
    CycleKind,
    CycleState,
    ModeChange,
    Playbook,
    Team,
)
from storage.work import UnitOfWork
from templates.contexts.base import Choice
from templates.contexts.cycles import CycleStarted, CycleStartForm
from templates.contexts.pilots import FirstCyclesForm
from templates.ids import Action


def start_day(view: AdoptionView, asked: date | None) -> date:
    """The Monday a cycle starts on: the requested one, else today or the next Monday.

    Raises:
        Refusal: another day of the week, or one too long ago or too far ahead.
    """
    if asked is None:
        fresh = view.today.weekday() == 0 and not _is_being_watched(view)
        return view.today if fresh else next_monday(view.today)
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
    if asked < view.week_start:
        raise Refusal(
            say(
                "{asked:%-d %B} is in the past. Start this week with {this:%Y-%m-%d} or next week with "
                "{next:%Y-%m-%d}.",
                asked=asked,
                this=view.week_start,
                next=next_monday(view.today),
            ),
            field="date",
        )
    if asked == view.week_start and _is_being_watched(view):
        raise Refusal(
            say(
                "This week is already watched. A cycle can start on {next:%A %-d %B}.",
                next=next_monday(view.today),
            ),
            field="date",
        )
    if asked > view.today + timedelta(days=366):
        raise Refusal("That's more than a year away. Choose an earlier Monday.", field="date")
    return asked


def _is_being_watched(view: AdoptionView) -> bool:
    """Whether today is in a watch period that hasn't ended."""
    return view.is_watched and view.cycle is not None and view.cycle.state is CycleState.RUNNING


def next_number(uow: UnitOfWork, view: AdoptionView, starts_on: date) -> int:
    """The number of the cycle that starts on a Monday; watch periods have numbers too, and give way to it.

    Raises:
        Refusal: another one isn't over by then.
    """
    cycles = cycle_rows.cycles_of(uow, adoption_id=view.id)
    for cycle in cycles:
        if is_watch(cycle):
            continue
        if cycle.state is CycleState.RUNNING or cycle.starts_on + timedelta(weeks=WEEKS) > starts_on:
            raise Refusal(
                say(
                    "{team} is already in cycle {number} of {title}, "
                    "from {starts:%-d %b} to {closes:%-d %b}. {after}",
                    team=view.team.title,
                    number=cycle.number,
                    title=view.playbook.title,
                    starts=cycle.starts_on,
                    closes=cycle.closes_on,
                    after=_what_follows(view, cycle),
                ),
                field="date",
            )
    return len(cycles) + 1


def _end_watch(uow: UnitOfWork, view: AdoptionView, *, before: date) -> None:
    """Have a running watch period close on the Friday before a Monday; one that begins later is deleted."""
    for cycle in cycle_rows.cycles_of(uow, adoption_id=view.id):
        if not is_watch(cycle) or cycle.state is CycleState.CLOSED:
            continue
        if cycle.starts_on > view.today and cycle.starts_on <= before:
            cycle_rows.take_away(uow, cycle_id=cycle.id or 0)
        else:
            cycle.closes_on = min(cycle.closes_on, before - timedelta(days=3))
            uow.session.add(cycle)
            uow.session.flush()


def _what_follows(view: AdoptionView, cycle: Cycle) -> str:
    if view.adoption.state is AdoptionState.ACTIVE:
        return "The next one starts by itself."
    monday = cycle.starts_on + timedelta(weeks=WEEKS)
    return f"The team is paused, so the next one doesn't start by itself. Start one for {monday:%Y-%m-%d} or later."


@dataclass(frozen=True, slots=True)
class CycleGiven:
    """A request to start a cycle; `starts_on` is a Monday, by default today's or the next one.

    `override` is a curator's reason to start it although the team already has its maximum of running cycles,
    `over_limit` although the workspace has its maximum of first cycles.
    """

    playbook: str
    team: str | None = None
    starts_on: date | None = None
    champion: str | None = None
    override: str | None = None
    over_limit: str | None = None


@once
def start_cycle(uow: UnitOfWork, given: CycleGiven) -> CycleStarted:
    """Start a cycle for the pilot team or another one, on that team's version.

    Raises:
        Refusal: not the owner or a curator, no such playbook or team, a cycle already runs or is paused until a
        later day than the requested one, not a Monday, a champion of a wave's team who isn't trained yet.
        NotApproved: it's a draft that no curator approved. FirstCyclesFull: the workspace has its maximum of
        first cycles. CapacityFull: the team already has its maximum of running cycles.
    """
    with uow.write():
        require_workspace(uow)
        playbook = require_playbook(uow, given.playbook)
        require_owner_or_curator(uow, playbook=playbook, to="start a cycle")
        playbook = playbooks.lock_playbook(uow, playbook_id=playbook.id or 0)
        require_not_retired(playbook)
        require_approved(uow, playbook)
        version = version_to_run(uow, playbook, None)
        pilot = spec_of(uow, version).pilot
        team = _team_for(uow, playbook, given.team, pilot=pilot)
        _require_in_team(uow, playbook, team, given.champion)
        adoption = _adopt(uow, playbook, version.id or 0, team, champion=given.champion)
        version = version_to_run(uow, playbook, adoption)
        spec = spec_of(uow, version)
        view = adoption_by_id(uow, adoption_id=adoption.id or 0)
        if paused := _paused_cycle(view):
            if given.starts_on is not None and given.starts_on > view.today:  # it can only resume now
                raise _still_paused(view, paused, asked=given.starts_on)
            return resumed(uow, view, paused)
        starts_on = start_day(view, given.starts_on)
        number = next_number(uow, view, starts_on)
        require_trained(uow, view)
        workspaces.lock_workspace(uow)
        require_first_cycle_room(uow, view, starts_on=starts_on, reason=given.over_limit)
        require_capacity(uow, view, starts_on=starts_on, reason=given.override)
        if view.is_watched or adoption.planned_cycles is not None:
            _end_watch(uow, view, before=starts_on)
            number = next_number(uow, view, starts_on)
        adoption.version_id, adoption.state = version.id or 0, AdoptionState.ACTIVE
        declare_modes(uow, view, steps=[(s.key, Mode(s.mode)) for s in spec.steps])
        cycle = add_cycle(uow, adoption, number=number, starts_on=starts_on, by=uow.actor.member)
        playbook.state = state_of(uow, playbook)
        uow.record(
            action="cycle-started",
            subject=f"cycle:{cycle.id}",
            after={"number": number, "starts_on": starts_on.isoformat(), "revision": version.revision},
        )
        uow.session.flush()
        view = adoption_by_id(uow, adoption_id=view.id)
        rewrite_setup(uow, view, mark=f"cycle:{cycle.id}:{uow.now.timestamp()}")
        mark = f"started:{cycle.id}:{uow.now.timestamp()}"
        rewrite_last_closing(uow, view, mark=mark)
        if view.was_paused:
            rewrite_pause_post(uow, view, mark=mark)
        rewrite_as_next_begins(uow, view)
        tell_start(uow, view, cycle)
        return _started(uow, view, cycle)


def _started(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> CycleStarted:
    members = len(expected_members(uow, view, week_start=cycle.starts_on))
    return started(view, cycle, NextAsked(first_checkin(view, cycle), members, came=False))


def _paused_cycle(view: AdoptionView) -> Cycle | None:
    """The cycle that was paused in the middle, if any; a watch period isn't one."""
    return view.cycle if view.can_resume and not view.is_watched else None


def _still_paused(view: AdoptionView, cycle: Cycle, *, asked: date | None) -> Refusal:
    """Refuse to start a cycle while one is paused, which can be resumed.

    `asked` is the day it was to start on; without one the form would open, where another team could be chosen.
    """
    start, resume = (f"/cadence cycle {verb} {view.playbook.slug}" for verb in ("start", "resume"))
    return Refusal(
        say(
            "Cycle {number} of {title} is paused in {team} and runs until {closes:%A %-d %B}{so}. To resume it now, "
            "type {resume}. A new cycle can start once it has closed{elsewhere}.",
            number=cycle.number,
            title=view.playbook.title,
            team=view.team.title,
            closes=cycle.closes_on,
            so=f", so it can't start on {asked:%-d %B}" if asked else "",
            resume=code(f"{resume} team={view.team.slug}"),
            elsewhere=""
            if asked
            else say(", or in another team with {start}", start=code(f"{start} team=…")),
        ),
        field="date",
        offer=Offer("Resume", Action.RESUME, str(view.id)),
    )


def _team_for(uow: UnitOfWork, playbook: Playbook, slug: str | None, *, pilot: str | None) -> Team:
    team = likely_team(uow, pilot if slug is None else slug)
    if team is not None:
        return team
    raise Refusal(
        say(
            "Which team? Add it, like {example}.",
            title=playbook.title,
            example=code(f"/cadence cycle start {playbook.slug} team=support-emea"),
        ),
        field="team",
    )


def _require_in_team(uow: UnitOfWork, playbook: Playbook, team: Team, champion: str | None) -> None:
    """Check that the champion is in the team, or is the playbook's owner (SPEC §6)."""
    members = people.memberships(uow, team_ids=[team.id or 0])
    if champion is None or champion == playbook.owner or any(row.member == champion for row in members):
        return
    raise Refusal(
        say(
            "The champion must be in {team}. Add them with {command}.",
            team=team.title,
            command=code(f"/cadence team join {team.slug} @name"),
        ),
        field="champion",
    )


def _adopt(
    uow: UnitOfWork, playbook: Playbook, version_id: int, team: Team, *, champion: str | None
) -> Adoption:
    adoption = adoptions.adoption_of(uow, playbook_id=playbook.id or 0, team_id=team.id or 0)
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
    return adoptions.lock_adoption(uow, adoption_id=adoption.id or 0)


def declare_modes(uow: UnitOfWork, view: AdoptionView, *, steps: list[tuple[str, Mode]]) -> None:
    """Give new steps their declared mode; a demoted step keeps its mode."""
    known = adoptions.steps(uow, adoption_id=view.id)
    there = standards.marks(uow, adoption_id=view.id)
    for key, mode in steps:
        if key in known:
            continue
        uow.session.add(
            AdoptionStep(
                workspace_id=view.workspace.id,
                adoption_id=view.id,
                step=key,
                mode=mode,
                since=uow.now,
                after_check_in=there.check_in,
                after_measured=there.measured,
            )
        )
        uow.session.add(
            ModeChange(
                workspace_id=view.workspace.id,
                adoption_id=view.id,
                step=key,
                kind="declaration",
                after=mode,
                reason="as planned in the playbook",
                changed_at=uow.now,
            )
        )


def add_cycle(
    uow: UnitOfWork,
    adoption: Adoption,
    *,
    number: int,
    starts_on: date,
    by: str,
    kind: CycleKind = CycleKind.ROLLOUT,
) -> Cycle:
    """Save a new cycle, or a watch period."""
    cycle = Cycle(
        workspace_id=adoption.workspace_id,
        adoption_id=adoption.id or 0,
        version_id=adoption.version_id,
        number=number,
        kind=kind,
        starts_on=starts_on,
        closes_on=closing_day(starts_on),
        started_by=by,
        started_at=uow.now,
    )
    uow.session.add(cycle)
    uow.session.flush()
    return cycle


def suggested_start(today: date) -> date:
    """The day that the form suggests: today if it is a Monday, else the next one."""
    return today if today == monday_of(today) else next_monday(today)


def cycle_form(uow: UnitOfWork, *, playbook: str | None, team: str | None = None) -> CycleStartForm:
    """The form to start a cycle, prefilled with the playbook and team if known.

    Raises:
        Refusal: there is no playbook or no team to start one with, or the one that the form would suggest is paused.
    """
    with uow.read():
        workspace = require_workspace(uow)
        rows = playbooks.playbooks(uow)
        teams = people.teams(uow)
        if not rows:
            raise Refusal("There are no playbooks yet. Add the first one with `/cadence playbook new`.")
        rows = _startable(uow, rows, named=playbook)
        if not teams:
            raise Refusal("There are no teams yet. Create the first one with `/cadence team create`.")
        mine = {team.slug for team in people.teams_of(uow, member_id=uow.actor.member)}
        chosen = playbook or (rows[0].slug if len(rows) == 1 else None)
        where = team or (next(iter(mine)) if len(mine) == 1 else None)
        if chosen and where:
            for view in visible_adoptions(uow, playbook=chosen, team=where):
                may = is_curator(uow) or view.playbook.owner == uow.actor.member
                if may and (paused := _paused_cycle(view)):
                    raise _still_paused(view, paused, asked=None)
        return CycleStartForm(
            playbooks=tuple(Choice(label=row.title, value=row.slug) for row in rows),
            teams=tuple(
                Choice(label=team.title, value=team.slug)
                for team in sorted(teams, key=lambda team: (team.slug not in mine, team.title))
            ),
            starts=suggested_start(local_day(uow.now, zone_of(uow, workspace, uow.actor.member))),
            playbook=chosen,
            team=where,
        )


def _startable(uow: UnitOfWork, rows: Sequence[Playbook], *, named: str | None) -> list[Playbook]:
    """The playbooks of which the caller can start a cycle.

    Raises:
        NotAllowed: the named one isn't among them, or they can't start any.
    """
    for row in rows:
        if row.slug == named:
            require_owner_or_curator(uow, playbook=row, to="start a cycle")
    found = [row for row in rows if row.owner == uow.actor.member or is_curator(uow)]
    if not found:
        raise NotAllowed(
            "Only a playbook's owner or a curator can start its cycles, and you don't own a playbook."
        )
    return found


def over_limit_form(uow: UnitOfWork, given: CycleGiven) -> FirstCyclesForm:
    """The form that asks a curator why a first cycle starts over the workspace's limit, and over the team's own
    if it has reached that too.

    Raises:
        NotAllowed: the caller is no curator.
        Unknown: no such playbook or team.
    """
    with uow.read():
        which = {"playbook": given.playbook, "team": given.team or ""}
        form = first_cycles_form(uow, **which, starts_on=given.starts_on)
        team = capacity_form(uow, **which)
        return replace(form, of_team=team.running if len(team.running) >= team.most else ())
