"""The forms people fill in, with everything already known filled in for them."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.checkin_rows import may_answer, step_modes, typical, week_kpi
from cadence.flows.finding import NeedsChoice, find_run
from cadence.flows.guardrails import asked
from cadence.flows.kpis import kpi_context, require_team_member
from cadence.flows.people import open_runs, zone_of
from cadence.flows.runs import TeamRun, require_workspace, run_by_id, visible_runs
from cadence.flows.weeks import ReportWeek, last_week, this_week, week_starting
from cadence.mrkdwn import say
from cadence.refusals import NotAllowed, Refusal
from cadence.rules.calendar import local_day, monday_of, next_monday
from storage import people, playbooks, reports
from storage.engine import Database
from storage.tables import Attestation
from templates.contexts.base import Choice
from templates.contexts.forms import (
    CheckinAllForm,
    CheckinAllRow,
    CheckinForm,
    CycleStartForm,
    DriftStep,
    KpiForm,
    TeamForm,
)


def checkin_form(
    db: Database,
    caller: Caller,
    *,
    adoption_id: int,
    week_start: date | None,
    kind: Attestation | None,
    now: datetime,
) -> CheckinForm:
    """The form behind a check-in button; `kind` None shows the answer given before, to change it.

    Raises:
        Refusal: the week is closed, or the caller isn't in the team.
    """
    with db.read() as session:
        run = run_by_id(session, workspace_id=caller.workspace_id, adoption_id=adoption_id, now=now)
        week = week_starting(session, run, week_start or run.week_start)
        if not may_answer(session, run, member=caller.member, week_start=week.start):
            raise NotAllowed(say("Only members of {team} answer its check-in.", team=run.team.title))
        before = reports.check_in(
            session,
            workspace_id=run.workspace.id,
            adoption_id=run.id,
            week_start=week.start,
            member=caller.member,
        )
        drifted = {}
        if before is not None:
            rows = reports.drifted_steps(session, workspace_id=run.workspace.id, check_in_id=before.id or 0)
            drifted = {row.step: str(row.mode) for row in rows}
        reading = reports.reading(
            session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=week.start
        )
        shown = kind or (before.attestation if before else Attestation.AS_DECLARED)
        runs = before.runs if before and before.runs else typical(session, run, member=caller.member)
        return CheckinForm(
            kind=shown,
            change=kind is None,
            answered=before is not None,
            playbook=run.playbook.title,
            team=run.team.title,
            week=week.week,
            kpi=week_kpi(session, run, week_start=week.start),
            reporter=run.team.reporter == caller.member,
            runs=max(1, runs),
            usual=_has_answered(session, run, caller.member),
            value=reading.typed if reading else "",
            inputs_complete=before.complete_inputs if before else None,
            note=before.note if before else "",
            guardrails=asked(session, run, week_start=week.start),
            steps=tuple(
                DriftStep(step=step, chosen=drifted.get(step.key)) for step in step_modes(session, run)
            ),
        )


def _has_answered(session: Session, run: TeamRun, member: str) -> bool:
    """Whether there is anything to tell somebody's usual number of runs from."""
    rows = reports.answers(
        session,
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        first=run.week_start,
        last=run.week_start,
        latest=1,
    )
    return any(who == member for who, _, _ in rows)


def checkin_all_form(db: Database, caller: Caller, *, week_start: date, now: datetime) -> CheckinAllForm:
    """One form for every check-in the caller still owes for a week.

    Raises:
        Refusal: nothing is open any more.
    """
    with db.read() as session:
        runs = open_runs(session, caller, week_start=week_start, now=now)
        if not runs:
            raise Refusal("Every check-in of yours is answered already.")
        return CheckinAllForm(
            rows=tuple(
                CheckinAllRow(
                    adoption_id=run.id,
                    playbook=run.playbook.title,
                    team=run.team.title,
                    kpi=week_kpi(session, run, week_start=week_start),
                    reporter=run.team.reporter == caller.member,
                    runs=max(1, typical(session, run, member=caller.member)),
                    usual=_has_answered(session, run, caller.member),
                    guardrails=asked(session, run, week_start=week_start),
                )
                for run in runs
            ),
        )


def run_choices(runs: Sequence[TeamRun]) -> tuple[Choice, ...]:
    """Runs as options; a value is the adoption's id."""
    return tuple(Choice(label=f"{run.playbook.title} · {run.team.title}", value=str(run.id)) for run in runs)


def kpi_form(
    db: Database,
    caller: Caller,
    *,
    adoption_id: int | None,
    now: datetime,
    playbook: str | None = None,
    team: str | None = None,
    week_start: date | None = None,
    value: str = "",
    note: str = "",
) -> KpiForm:
    """The form for a KPI number; asks for the run or the week only when it isn't clear.

    Raises:
        Refusal: no team of the caller's runs a playbook, or no week of it takes a number.
    """
    with db.read() as session:
        if adoption_id is None:
            runs = _measured_runs(session, caller, playbook, team, now=now)
            if len(runs) > 1:
                return KpiForm(adoptions=_kpi_choices(runs), value=value, note=note)
            run = runs[0]
        else:
            run = run_by_id(session, workspace_id=caller.workspace_id, adoption_id=adoption_id, now=now)
        require_team_member(session, caller, run, to="report its number")
        before = last_week(session, run)
        weeks = _week_choices(run, before)
        if week_start is None and not weeks:
            this_week(run)  # says when there will be one
        return KpiForm(
            playbook=run.playbook.title,
            team=run.team.title,
            kpi=kpi_context(run, value=None),
            selected=str(run.id),
            weeks=weeks if week_start is None else (),
            week_start=week_start,
            week=str(run.week_start) if weeks else None,
            value=value,
            note=note,
            guardrails=asked(session, run, week_start=week_start),
        )


def _measured_runs(
    session: Session, caller: Caller, playbook: str | None, team: str | None, *, now: datetime
) -> list[TeamRun]:
    """The runs a number may be of: those that are named, as `/kpi` understands it, else all of the caller's."""
    if playbook or team:
        try:
            return [find_run(session, caller, now=now, playbook=playbook, team=team)]
        except NeedsChoice as several:
            return list(several.runs)
    runs = [run for run in visible_runs(session, caller, now=now) if run.cycle is not None]
    if not runs:
        raise Refusal("No team of yours has a running cycle, so there is no number to report yet.")
    return runs


def _kpi_choices(runs: Sequence[TeamRun]) -> tuple[Choice, ...]:
    """Runs as options, each with its number: `Reply · Desk: First response time, minutes`."""
    return tuple(
        Choice(label=f"{one.label[:45]}: {run.spec.kpi.name}, {run.spec.kpi.unit}", value=one.value)
        for run, one in zip(runs, run_choices(runs), strict=True)
    )


def _week_choices(run: TeamRun, before: ReportWeek | None) -> tuple[Choice, ...]:
    choices = []
    if run.week is not None:
        choices.append(Choice(label=f"This week (week {run.week} of 4)", value=run.week_start.isoformat()))
    if before is not None:
        choices.append(Choice(label=f"Last week (week {before.week} of 4)", value=before.start.isoformat()))
    return tuple(choices)


def cycle_form(
    db: Database, caller: Caller, *, playbook: str | None, team: str | None = None, now: datetime
) -> CycleStartForm:
    """The form to start a cycle, of a playbook in a team when they are known.

    Raises:
        Refusal: there is no playbook, or no team, to start one with.
    """
    with db.read() as session:
        workspace = require_workspace(session, caller.workspace_id)
        rows = playbooks.playbooks(session, workspace_id=workspace.id)
        teams = people.teams(session, workspace_id=workspace.id)
        if not rows:
            raise Refusal("There's no playbook yet. `/cadence playbook import` takes the first one.")
        if not teams:
            raise Refusal("There's no team yet. `/cadence team create` makes the first one.")
        today = local_day(now, zone_of(session, workspace, caller.member))
        mine = {
            team.slug for team in people.teams_of(session, workspace_id=workspace.id, member_id=caller.member)
        }
        return CycleStartForm(
            playbooks=tuple(Choice(label=row.title, value=row.slug) for row in rows),
            teams=tuple(
                Choice(label=team.title, value=team.slug)
                for team in sorted(teams, key=lambda team: (team.slug not in mine, team.title))
            ),
            starts=today if today == monday_of(today) else next_monday(today),
            playbook=playbook or (rows[0].slug if len(rows) == 1 else None),
            team=team or (next(iter(mine)) if len(mine) == 1 else None),
        )


def team_form(
    db: Database,
    caller: Caller,
    *,
    slug: str | None,
    title: str = "",
    channel: str | None = None,
    members: tuple[str, ...] = (),
) -> TeamForm:
    """The form to create a team, or to change the one named; what was typed is filled in."""
    with db.read() as session:
        workspace = require_workspace(session, caller.workspace_id)
        team = (
            people.team_by_slug(session, workspace_id=workspace.id, slug=slug) if slug is not None else None
        )
        if team is None:
            return TeamForm(
                new=True,
                slug=slug or "",
                title=title,
                timezone=str(zone_of(session, workspace, caller.member)),
                country=workspace.country or "",
                channel=channel,
                members=tuple(dict.fromkeys((caller.member, *members))),
            )
        rows = people.memberships(session, workspace_id=workspace.id, team_ids=[team.id or 0])
        return TeamForm(
            new=False,
            slug=team.slug,
            title=team.title,
            function=team.function,
            region=team.region or "",
            channel=team.channel,
            timezone=team.timezone,
            country=team.country or "",
            members=tuple(row.member for row in rows),
            reporter=team.reporter,
        )
