"""A member's check-in for a week: one row for each playbook they run, open or answered."""

from dataclasses import replace
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from cadence.flows.checkins.differences import counted_otherwise
from cadence.flows.core import (
    AdoptionView,
    ReportWeek,
    adoption_views,
    current_modes,
    cycle_of_week,
    expected_members,
    is_asked_for,
    is_in_team,
    is_watch,
    last_week,
    mode_of,
    own_zone,
    sharing_the_work,
)
from cadence.flows.numbers import given_by, kpi_context, of_member
from cadence.mrkdwn import code, mention, say
from cadence.refusals import NotAllowed, Offer, Refusal
from cadence.rules.calendar import WEEKS, instant, local_day, week_monday, week_number
from cadence.rules.evidence import TYPICAL_ANSWERS, typical_runs
from storage.queries import checkins, exceptions, numbers, people, standards
from storage.tables import Cycle
from storage.work import UnitOfWork
from templates.contexts.base import Kpi, StepMode
from templates.contexts.checkins import Answer, CheckinRow, Drift
from templates.ids import Action

EARLY_IN_THE_WEEK = 2
"""Up to Tuesday, last week's open check-in is still asked for."""


def member_zone(uow: UnitOfWork, *, member: str, fallback: str) -> ZoneInfo:
    """A person's own time zone from Slack, else the one passed in."""
    return ZoneInfo(own_zone(uow, member) or fallback)


def may_answer(uow: UnitOfWork, view: AdoptionView, *, member: str, week_start: date) -> bool:
    """Whether somebody is in the team and was in a week; a former member has to ask the owner to correct
    an old week."""
    sunday = week_start + timedelta(days=6)
    rows = [row for row in people.presences(uow, team_id=view.team.id or 0) if row.member == member]
    return any(row.left_at is None for row in rows) and any(
        local_day(row.joined_at, view.zone) <= sunday
        and (row.left_at is None or local_day(row.left_at, view.zone) >= week_start)
        for row in rows
    )


def not_asked(uow: UnitOfWork, view: AdoptionView) -> NotAllowed:
    """The refusal of a check-in by somebody who isn't asked for it, with a button to join the team."""
    team = view.team
    if any(one.id == team.id for one in people.teams_of(uow, member_id=uow.actor.member)):
        return NotAllowed(
            say("You weren't in {team} that week, so there's nothing to check in.", team=team.title)
        )
    return NotAllowed(
        say("Only members of {team} can answer its check-in.", team=team.title),
        offer=Offer(f"Join {team.title}"[:75], Action.TEAM_JOIN, team.slug),
    )


def missed_last_week(uow: UnitOfWork, view: AdoptionView, *, member: str) -> bool:
    """Whether a member is still asked about last week and hasn't answered."""
    before = last_week(uow, view)
    if before is None or not is_asked_for(view, before.cycle):
        return False
    if member not in expected_members(uow, view, week_start=before.start):
        return False
    answered = checkins.answered_members(uow, adoption_id=view.id, week_start=before.start)
    return member not in answered


def is_missing(uow: UnitOfWork, view: AdoptionView, before: ReportWeek) -> bool:
    """Whether an answer of the actor's that names no week can be for last week, `before`."""
    if view.week is not None:
        return missed_last_week(uow, view, member=uow.actor.member)
    # over, or paused: nobody is asked, and an answer can only be for the week before
    me = uow.actor.member
    known = checkins.check_in(uow, adoption_id=view.id, week_start=before.start, member=me)
    return known is None


def latest_runs(uow: UnitOfWork, view: AdoptionView, *, member: str) -> list[int]:
    """The runs of a member's latest answers before this week, newest first."""
    rows = checkins.answers(
        uow, adoption_id=view.id, first=view.week_start, last=view.week_start, latest=TYPICAL_ANSWERS
    )
    return [runs for who, week, runs in rows if who == member and week < view.week_start][:TYPICAL_ANSWERS]


def typical(uow: UnitOfWork, view: AdoptionView, *, member: str) -> int:
    """The runs a member usually reports per week, rounded to whole runs."""
    latest = latest_runs(uow, view, member=member)
    sharing = sharing_the_work(uow, view, week_start=view.week_start)
    usual = typical_runs(latest, runs_per_week=view.spec.runs_per_week, members=len(sharing))
    return int(usual + 0.5)


def week_kpi(uow: UnitOfWork, view: AdoptionView, *, week_start: date) -> Kpi:
    """The KPI with the reading of a week; without one, with the newest earlier reading of the cycle."""
    cycle = cycle_of_week(uow, view, week_start)
    row = numbers.latest_reading(uow, cycle=cycle, until=week_start) if cycle else None
    if row is None:
        return kpi_context(view, value=None)
    if row.week_start == week_start:
        return kpi_context(view, value=row.value, week=row.week)
    return replace(kpi_context(view, value=None), earlier=row.value, earlier_week=row.week)


def member_adoptions(uow: UnitOfWork, *, member: str, week_start: date) -> list[AdoptionView]:
    """The adoptions whose check-in a member is asked for in a week."""
    return [
        view
        for view in adoption_views(uow, member=member)
        if is_in_team(uow, view, member)
        and cycle_of_week(uow, view, week_start)
        and member in expected_members(uow, view, week_start=week_start)
    ]


def checkin_rows(uow: UnitOfWork, *, member: str, week_start: date) -> tuple[CheckinRow, ...]:
    """All of a member's check-ins of a week, for their DM."""
    runs = member_adoptions(uow, member=member, week_start=week_start)
    return tuple(checkin_row(uow, view, member=member, week_start=week_start) for view in runs)


def has_answered(uow: UnitOfWork, *, member: str, week_start: date) -> bool:
    """Whether a member was asked for check-ins of a week, and has answered all of them."""
    runs = member_adoptions(uow, member=member, week_start=week_start)
    return bool(runs) and all(
        member in checkins.answered_members(uow, adoption_id=view.id, week_start=week_start) for view in runs
    )


def checkin_row(uow: UnitOfWork, view: AdoptionView, *, member: str, week_start: date) -> CheckinRow:
    """One check-in of a member."""
    answered = checkins.check_in(uow, adoption_id=view.id, week_start=week_start, member=member)
    cycle = cycle_of_week(uow, view, week_start)
    late = cycle if cycle is not None and is_asked_for(view, cycle) else None
    asks = late is not None and not view.is_paused
    return CheckinRow(
        adoption_id=view.id,
        week_start=week_start.isoformat(),
        slug=view.playbook.slug,
        playbook=view.playbook.title,
        team=view.team.title,
        week=week_number(cycle.starts_on, week_start) if cycle else None,
        steps=modes_in_week(uow, view, week_start),
        exceptions=_exceptions(uow, view, cycle, week_start) if cycle else 0,
        kpi=week_kpi(uow, view, week_start=week_start),
        reporter=view.team.reporter == member,
        answer=answer_context(uow, view, answered) if answered else None,
        late_until=week_monday(late.starts_on, WEEKS) + timedelta(days=6) if late else None,
        home_until=week_start + timedelta(days=6 + EARLY_IN_THE_WEEK) if asks else None,
        watched=cycle is not None and is_watch(cycle),
        resumes=view.playbook.owner if view.is_paused and not answered else "",
    )


def _exceptions(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, week_start: date) -> int:
    """How many exceptions of a week of a cycle count, by when they happened if a tool said so."""
    begins, ends = (instant(week_start + timedelta(days=days), time.min, view.zone) for days in (0, 7))
    rows = exceptions.exceptions_of_cycle(uow, adoption_id=view.id, cycle_id=cycle.id or 0)
    counting = (row.happened_at or row.logged_at for row in rows if row.withdrawn_after is None)
    return sum(begins <= at < ends for at in counting)


def step_modes(uow: UnitOfWork, view: AdoptionView) -> tuple[StepMode, ...]:
    """The steps with their current modes."""
    modes = current_modes(uow, view)
    return tuple(
        StepMode(key=step.key, title=step.title, mode=mode_of(modes, step)) for step in view.spec.steps
    )


def modes_in_week(uow: UnitOfWork, view: AdoptionView, week_start: date) -> tuple[StepMode, ...]:
    """The steps with their modes in a week; a step that changed during a past week has both."""
    if week_start >= view.week_start:
        return step_modes(uow, view)
    begins = instant(week_start, time.min, view.zone)
    ends = instant(week_start + timedelta(days=7), time.min, view.zone)
    shown = []
    for now in step_modes(uow, view):
        mode, was, until = now.mode, None, None
        history = standards.mode_history(uow, adoption_id=view.id, step=now.key)
        for change in reversed(history):
            if change.before is None or change.changed_at < begins:
                break
            if change.changed_at >= ends:
                mode = change.before
            else:
                was, until = change.before, local_day(change.changed_at, view.zone)
        shown.append(StepMode(key=now.key, title=now.title, mode=mode, was=was, until=until))
    return tuple(shown)


def answer_context(uow: UnitOfWork, view: AdoptionView, row: checkins.Answer) -> Answer:
    """A member's answer, with its time in their zone."""
    zone = member_zone(uow, member=row.member, fallback=view.team.timezone)
    reading = numbers.reading(uow, adoption_id=view.id, week_start=row.week_start)
    reading = reading if reading and row.member in (reading.member, view.team.reporter) else None
    titles = {step.key: step.title for step in view.spec.steps}
    drifted = checkins.drifted_modes(uow, check_in=row)
    return Answer(
        attestation=row.attestation,
        answered_at=row.answered_at.astimezone(zone),
        runs=row.runs,
        kpi=reading.value if reading else None,
        kpi_from=given_by(reading, unless=row.member) if reading else None,
        inputs_complete=row.complete_inputs,
        drifts=tuple(Drift(step=titles.get(step, step), mode=mode) for step, mode in drifted.items()),
        note=row.note,
        value_events=row.value_events,
        counted=counted_otherwise(uow, view, row) if not row.replaced else None,
        guardrails=of_member(uow, view, member=row.member, week_start=row.week_start),
    )


def require_resumed(uow: UnitOfWork, *, week_start: date) -> None:
    """Check that none of the actor's check-ins of a week is still to be answered in a team that is paused.

    Raises:
        Refusal: one is, so there's nothing to answer now.
    """
    for view in member_adoptions(uow, member=uow.actor.member, week_start=week_start):
        if view.is_paused:
            require_not_paused(uow, view, week_start=week_start)


def require_not_paused(uow: UnitOfWork, view: AdoptionView, *, week_start: date) -> None:
    """Check that a team isn't paused; the actor can still change an answer they gave.

    Raises:
        Refusal: it is; the sentence says who can resume it, and how to report the week anyway.
    """
    me = uow.actor.member
    if not view.is_paused or me in checkins.answered_members(uow, adoption_id=view.id, week_start=week_start):
        return
    cycle = cycle_of_week(uow, view, week_start)
    week = "" if cycle is None or is_watch(cycle) else f" week={week_number(cycle.starts_on, week_start)}"
    raise Refusal(
        say(
            "{title} is paused in {team}, so there's nothing to answer. {owner} or a curator can resume it. "
            "To report that week anyway, type {command}.",
            title=view.playbook.title,
            team=view.team.title,
            owner=mention(view.playbook.owner),
            command=code(f"/attest {view.playbook.slug}{week}"),
        )
    )


def open_adoptions(uow: UnitOfWork, *, week_start: date, member: str | None = None) -> list[AdoptionView]:
    """The adoptions whose check-in a member, or the actor, hasn't answered for a week, without paused ones."""
    who = member or uow.actor.member
    return [
        view
        for view in member_adoptions(uow, member=who, week_start=week_start)
        if not view.is_paused
        and who not in checkins.answered_members(uow, adoption_id=view.id, week_start=week_start)
    ]
