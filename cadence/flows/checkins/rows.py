"""What a member's check-in for a week shows: one row for each playbook they run, open or answered."""

from dataclasses import replace
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from cadence.flows.core import (
    TeamRun,
    current_modes,
    expected_members,
    is_asked_for,
    last_week,
    members_at_work,
    mode_of,
    require_workspace,
    team_runs,
)
from cadence.flows.numbers import kpi_context
from cadence.rules.calendar import WEEKS, instant, local_day, week_monday, week_number
from cadence.rules.evidence import TYPICAL_ANSWERS, typical_runs
from storage.queries import decisions, people, playbooks, reports
from storage.tables import AdoptionState, CheckIn, Cycle
from storage.work import UnitOfWork
from templates.contexts.base import Kpi, StepMode
from templates.contexts.checkins import Answer, CheckinRow, Drift

EARLY_IN_THE_WEEK = 2
"""Up to Tuesday, last week's open check-in is asked for once more."""


def member_zone(uow: UnitOfWork, *, member: str, fallback: str) -> ZoneInfo:
    """A person's own time zone as Slack gives it, else the one passed in."""
    known = people.member(uow, member_id=member)
    return ZoneInfo(known.timezone if known and known.timezone else fallback)


def may_answer(uow: UnitOfWork, run: TeamRun, *, member: str, week_start: date) -> bool:
    """Whether someone is in the team and was in a week; who has left asks the owner to put an old week right."""
    sunday = week_start + timedelta(days=6)
    rows = [
        row
        for row in people.memberships(uow, team_ids=[run.team.id or 0], current=False)
        if row.member == member
    ]
    return any(row.left_at is None for row in rows) and any(
        local_day(row.joined_at, run.zone) <= sunday
        and (row.left_at is None or local_day(row.left_at, run.zone) >= week_start)
        for row in rows
    )


def missed_last_week(uow: UnitOfWork, run: TeamRun, *, member: str) -> bool:
    """Whether someone is still asked about the week before today's and hasn't answered."""
    before = last_week(uow, run)
    if before is None or not is_asked_for(run, before.cycle):
        return False
    if member not in expected_members(uow, run, week_start=before.start):
        return False
    answered = reports.answered_members(uow, adoption_id=run.id, week_start=before.start)
    return member not in answered


def typical(uow: UnitOfWork, run: TeamRun, *, member: str) -> int:
    """The runs a member usually reports a week, to the nearest whole run."""
    rows = reports.answers(
        uow, adoption_id=run.id, first=run.week_start, last=run.week_start, latest=TYPICAL_ANSWERS
    )
    latest = [runs for who, _, runs in rows if who == member][:TYPICAL_ANSWERS]
    expected = members_at_work(uow, run, week_start=run.week_start)
    usual = typical_runs(latest, runs_per_week=run.spec.runs_per_week, members=len(expected))
    return int(usual + 0.5)


def cycle_of_week(uow: UnitOfWork, run: TeamRun, week_start: date) -> Cycle | None:
    """The cycle a week lies in."""
    if run.cycle and week_number(run.cycle.starts_on, week_start):
        return run.cycle
    return playbooks.cycle_on(uow, adoption_id=run.id, day=week_start)


def week_kpi(uow: UnitOfWork, run: TeamRun, *, week_start: date) -> Kpi:
    """The KPI with the reading of a week; without one, with the newest of the cycle before it."""
    row = reports.latest_reading(uow, adoption_id=run.id, until=week_start)
    cycle = cycle_of_week(uow, run, week_start)
    if row is None or cycle is None or row.cycle_id != cycle.id:
        return kpi_context(run, value=None)
    if row.week_start == week_start:
        return kpi_context(run, value=row.value)
    return replace(kpi_context(run, value=None), earlier=row.value, earlier_week=row.week)


def member_runs(uow: UnitOfWork, *, member: str, week_start: date) -> list[TeamRun]:
    """The runs whose check-in a member is asked for in a week."""
    workspace = require_workspace(uow)
    ids = [team.id or 0 for team in people.teams_of(uow, member_id=member)]
    return [
        run
        for run in team_runs(uow, workspace=workspace, team_ids=ids)
        if cycle_of_week(uow, run, week_start) and member in expected_members(uow, run, week_start=week_start)
    ]


def checkin_rows(uow: UnitOfWork, *, member: str, week_start: date) -> tuple[CheckinRow, ...]:
    """All of a member's check-ins of a week, as their DM shows them."""
    runs = member_runs(uow, member=member, week_start=week_start)
    return tuple(checkin_row(uow, run, member=member, week_start=week_start) for run in runs)


def checkin_row(uow: UnitOfWork, run: TeamRun, *, member: str, week_start: date) -> CheckinRow:
    """One check-in of a member."""
    answered = reports.check_in(uow, adoption_id=run.id, week_start=week_start, member=member)
    begins = instant(week_start, time.min, run.zone)
    counts = reports.exception_counts(
        uow,
        adoption_ids=[run.id],
        since=begins,
        until=instant(week_start + timedelta(days=7), time.min, run.zone),
    )
    cycle = cycle_of_week(uow, run, week_start)
    late = cycle if cycle is not None and is_asked_for(run, cycle) else None
    asks = late is not None and run.adoption.state is AdoptionState.ACTIVE
    return CheckinRow(
        adoption_id=run.id,
        week_start=week_start.isoformat(),
        playbook=run.playbook.title,
        team=run.team.title,
        week=week_number(cycle.starts_on, week_start) if cycle else None,
        steps=modes_in_week(uow, run, week_start),
        exceptions=counts.get(run.id, 0),
        kpi=week_kpi(uow, run, week_start=week_start),
        reporter=run.team.reporter == member,
        answer=answer_context(uow, run, answered) if answered else None,
        late_until=week_monday(late.starts_on, WEEKS) + timedelta(days=6) if late else None,
        home_until=week_start + timedelta(days=6 + EARLY_IN_THE_WEEK) if asks else None,
    )


def step_modes(uow: UnitOfWork, run: TeamRun) -> tuple[StepMode, ...]:
    """The steps and who leads each of them now."""
    modes = current_modes(uow, run)
    return tuple(
        StepMode(key=step.key, title=step.title, mode=mode_of(modes, step)) for step in run.spec.steps
    )


def modes_in_week(uow: UnitOfWork, run: TeamRun, week_start: date) -> tuple[StepMode, ...]:
    """The steps and who led each of them in a week; one that changed in a past one is shown with both modes."""
    if week_start >= run.week_start:
        return step_modes(uow, run)
    begins = instant(week_start, time.min, run.zone)
    ends = instant(week_start + timedelta(days=7), time.min, run.zone)
    shown = []
    for now in step_modes(uow, run):
        mode, was, until = now.mode, None, None
        history = decisions.mode_history(uow, adoption_id=run.id, step=now.key)
        for change in reversed(history):
            if change.before is None or change.changed_at < begins:
                break
            if change.changed_at >= ends:
                mode = change.before
            else:
                was, until = change.before, local_day(change.changed_at, run.zone)
        shown.append(StepMode(key=now.key, title=now.title, mode=mode, was=was, until=until))
    return tuple(shown)


def answer_context(uow: UnitOfWork, run: TeamRun, row: CheckIn) -> Answer:
    """What a member answered, at their own local time."""
    zone = member_zone(uow, member=row.member, fallback=run.team.timezone)
    reading = reports.reading(uow, adoption_id=run.id, week_start=row.week_start)
    titles = {step.key: step.title for step in run.spec.steps}
    drifted = reports.drifted_steps(uow, check_in_id=row.id or 0)
    return Answer(
        attestation=row.attestation,
        answered_at=row.answered_at.astimezone(zone),
        runs=row.runs,
        kpi=reading.value if reading and reading.member == row.member else None,
        inputs_complete=row.complete_inputs,
        drifts=tuple(Drift(step=titles.get(one.step, one.step), mode=one.mode) for one in drifted),
        note=row.note,
    )
