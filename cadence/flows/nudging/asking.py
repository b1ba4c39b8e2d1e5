"""The forms people fill in, with everything already known filled in for them."""

from collections.abc import Sequence
from datetime import date

from cadence.flows.checkins import may_answer, open_runs, step_modes, typical, week_kpi
from cadence.flows.core import (
    NeedsChoice,
    ReportWeek,
    TeamRun,
    find_run,
    last_week,
    require_workspace,
    run_by_id,
    this_week,
    visible_runs,
    week_starting,
    zone_of,
)
from cadence.flows.numbers import asked, kpi_context, require_team_member
from cadence.mrkdwn import say
from cadence.refusals import NotAllowed, Refusal
from cadence.rules.calendar import local_day, monday_of, next_monday
from storage.queries import people, playbooks, reports
from storage.tables import Attestation
from storage.work import UnitOfWork
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
    uow: UnitOfWork, *, adoption_id: int, week_start: date | None, kind: Attestation | None
) -> CheckinForm:
    """The form behind a check-in button; `kind` None shows the answer given before, to change it.

    Raises:
        Refusal: the week is closed, or the caller isn't in the team.
    """
    with uow.read():
        run = run_by_id(uow, adoption_id=adoption_id)
        week = week_starting(uow, run, week_start or run.week_start)
        if not may_answer(uow, run, member=uow.actor.member, week_start=week.start):
            raise NotAllowed(say("Only members of {team} answer its check-in.", team=run.team.title))
        before = reports.check_in(uow, adoption_id=run.id, week_start=week.start, member=uow.actor.member)
        drifted = {}
        if before is not None:
            rows = reports.drifted_steps(uow, check_in_id=before.id or 0)
            drifted = {row.step: str(row.mode) for row in rows}
        reading = reports.reading(uow, adoption_id=run.id, week_start=week.start)
        shown = kind or (before.attestation if before else Attestation.AS_DECLARED)
        runs = before.runs if before and before.runs else typical(uow, run, member=uow.actor.member)
        return CheckinForm(
            kind=shown,
            change=kind is None,
            answered=before is not None,
            playbook=run.playbook.title,
            team=run.team.title,
            week=week.week,
            kpi=week_kpi(uow, run, week_start=week.start),
            reporter=run.team.reporter == uow.actor.member,
            runs=max(1, runs),
            usual=_has_answered(uow, run, uow.actor.member),
            value=reading.typed if reading else "",
            inputs_complete=before.complete_inputs if before else None,
            note=before.note if before else "",
            guardrails=asked(uow, run, week_start=week.start),
            steps=tuple(DriftStep(step=step, chosen=drifted.get(step.key)) for step in step_modes(uow, run)),
        )


def _has_answered(uow: UnitOfWork, run: TeamRun, member: str) -> bool:
    """Whether there is anything to tell somebody's usual number of runs from."""
    rows = reports.answers(uow, adoption_id=run.id, first=run.week_start, last=run.week_start, latest=1)
    return any(who == member for who, _, _ in rows)


def checkin_all_form(uow: UnitOfWork, *, week_start: date) -> CheckinAllForm:
    """One form for every check-in the caller still owes for a week.

    Raises:
        Refusal: nothing is open any more.
    """
    with uow.read():
        runs = open_runs(uow, week_start=week_start)
        if not runs:
            raise Refusal("Every check-in of yours is answered already.")
        return CheckinAllForm(
            rows=tuple(
                CheckinAllRow(
                    adoption_id=run.id,
                    playbook=run.playbook.title,
                    team=run.team.title,
                    kpi=week_kpi(uow, run, week_start=week_start),
                    reporter=run.team.reporter == uow.actor.member,
                    runs=max(1, typical(uow, run, member=uow.actor.member)),
                    usual=_has_answered(uow, run, uow.actor.member),
                    guardrails=asked(uow, run, week_start=week_start),
                )
                for run in runs
            ),
        )


def run_choices(runs: Sequence[TeamRun]) -> tuple[Choice, ...]:
    """Runs as options; a value is the adoption's id."""
    return tuple(Choice(label=f"{run.playbook.title} · {run.team.title}", value=str(run.id)) for run in runs)


def kpi_form(
    uow: UnitOfWork,
    *,
    adoption_id: int | None,
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
    with uow.read():
        if adoption_id is None:
            runs = _measured_runs(uow, playbook, team)
            if len(runs) > 1:
                return KpiForm(adoptions=_kpi_choices(runs), value=value, note=note)
            run = runs[0]
        else:
            run = run_by_id(uow, adoption_id=adoption_id)
        require_team_member(uow, run, to="report its number")
        before = last_week(uow, run)
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
            guardrails=asked(uow, run, week_start=week_start),
        )


def _measured_runs(uow: UnitOfWork, playbook: str | None, team: str | None) -> list[TeamRun]:
    """The runs a number may be of: those that are named, as `/kpi` understands it, else all of the caller's."""
    if playbook or team:
        try:
            return [find_run(uow, playbook=playbook, team=team)]
        except NeedsChoice as several:
            return list(several.runs)
    runs = [run for run in visible_runs(uow) if run.cycle is not None]
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


def cycle_form(uow: UnitOfWork, *, playbook: str | None, team: str | None = None) -> CycleStartForm:
    """The form to start a cycle, of a playbook in a team when they are known.

    Raises:
        Refusal: there is no playbook, or no team, to start one with.
    """
    with uow.read():
        workspace = require_workspace(uow)
        rows = playbooks.playbooks(uow)
        teams = people.teams(uow)
        if not rows:
            raise Refusal("There's no playbook yet. `/cadence playbook import` takes the first one.")
        if not teams:
            raise Refusal("There's no team yet. `/cadence team create` makes the first one.")
        today = local_day(uow.now, zone_of(uow, workspace, uow.actor.member))
        mine = {team.slug for team in people.teams_of(uow, member_id=uow.actor.member)}
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
    uow: UnitOfWork,
    *,
    slug: str | None,
    title: str = "",
    channel: str | None = None,
    members: tuple[str, ...] = (),
) -> TeamForm:
    """The form to create a team, or to change the one named; what was typed is filled in."""
    with uow.read():
        workspace = require_workspace(uow)
        team = people.team_by_slug(uow, slug=slug) if slug is not None else None
        if team is None:
            return TeamForm(
                new=True,
                slug=slug or "",
                title=title,
                timezone=str(zone_of(uow, workspace, uow.actor.member)),
                country=workspace.country or "",
                channel=channel,
                members=tuple(dict.fromkeys((uow.actor.member, *members))),
            )
        rows = people.memberships(uow, team_ids=[team.id or 0])
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
