"""What stands this week, and why a step was judged as it was."""

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from cadence.flows.adoption import standing
from cadence.flows.checkins import coming, member_zone, week_kpi
from cadence.flows.core import (
    TeamRun,
    champion_line,
    current_modes,
    expected_members,
    is_curator,
    mode_of,
    require_sight,
    require_workspace,
    starts_on,
    step_groups,
    team_runs,
)
from cadence.flows.cycles import next_start, step_evidence, steps_at_close
from cadence.flows.gates import gate_line, gate_of
from cadence.flows.handoffs import status_lines
from cadence.flows.numbers import kpi_context, latest, pick_run
from cadence.flows.overview.attention import deciding
from cadence.flows.promotions import last_look
from cadence.flows.standards import drift_history, verdict_evidence
from cadence.mrkdwn import Mrkdwn, code, mention, say
from cadence.nearest import nearest
from cadence.refusals import Unknown
from cadence.rules.calendar import WEEKS
from cadence.rules.evidence import probability_above
from cadence.rules.sight import Fact
from cadence.rules.verdicts import Line, Rule
from storage.queries import adoptions, decisions, drifts, reports
from storage.queries.adoptions import NamedRun
from storage.tables import AdoptionState, CycleState, StepVerdict, Workspace
from storage.work import UnitOfWork
from templates.contexts.answers import Status, StatusRow, VerdictSummary
from templates.contexts.base import StepEvidence
from templates.contexts.forms import WhyForm
from templates.contexts.verdicts import LineTried, VerdictDetail, Why
from templates.filters import day
from templates.filters import mode as mode_word

SHOWN = 10
"""Runs that a status shows."""


def status(uow: UnitOfWork, *, playbook: str | None, team: str | None) -> Status:
    """This week of the runs a person has to do with, or of one playbook or team.

    Raises:
        Unknown: a playbook or team that the person has nothing to do with; the nearest is named.
    """
    with uow.read():
        workspace = require_workspace(uow)
        member = None if is_curator(uow) else uow.actor.member
        every = named = adoptions.runs_named(uow, member=member)
        if playbook is not None:
            named = _only(named, playbook, [run.playbook for run in named], kind="playbook")
        if team is not None:
            named = _only(named, team, [run.team for run in named], kind="team")
        chosen = _first_to_see(uow, workspace, [run.adoption_id for run in named])
        found = team_runs(uow, workspace=workspace, adoption_ids=chosen) if chosen else []
        runs = sorted(found, key=lambda run: chosen.index(run.id))
        return Status(
            rows=tuple(_status_row(uow, run) for run in runs),
            more=len(named) - len(runs),
            handoffs=status_lines(
                uow,
                [run.adoption_id for run in every],
                only=None if named is every else {run.adoption_id for run in named},
                runs=runs,
            ),
        )


def _first_to_see(uow: UnitOfWork, workspace: Workspace, adoption_ids: Sequence[int]) -> list[int]:
    """All of them when they are few; of more, those that wait for a decision before the others."""
    if len(adoption_ids) <= SHOWN:
        return list(adoption_ids)
    graver = deciding(uow, workspace)
    return sorted(adoption_ids, key=lambda one: graver.get(one, len(graver)))[:SHOWN]


def _only(runs: list[NamedRun], slug: str, slugs: list[str], *, kind: str) -> list[NamedRun]:
    found = [run for run, one in zip(runs, slugs, strict=True) if one == slug]
    if found:
        return found
    guess = nearest(slug, sorted(set(slugs)))
    hint = say(" Did you mean {guess}?", guess=code(guess)) if guess else ""
    raise Unknown(say("No {kind} {slug} of yours is running.{hint}", kind=kind, slug=code(slug), hint=hint))


def _status_row(uow: UnitOfWork, run: TeamRun) -> StatusRow:
    week_start = starts_on(run) or run.week_start
    asked = expected_members(uow, run, week_start=week_start) if run.week else []
    answered = reports.answered_members(uow, adoption_id=run.id, week_start=week_start)
    zone = member_zone(uow, member=uow.actor.member, fallback=run.team.timezone)
    verdicts = []
    for step in run.spec.steps:
        rows = decisions.last_verdicts(uow, adoption_id=run.id, step=step.key, limit=1)
        verdicts += [
            VerdictSummary(step=step.title, decision=row.decision, decided_at=row.judged_at.astimezone(zone))
            for row in rows
        ]
    over = run.cycle if run.cycle and run.cycle.state is CycleState.CLOSED else None
    paused = run.adoption.state is AdoptionState.PAUSED
    gate = (
        gate_line(gate_of(uow, run, run.cycle, run.week), week=run.week)
        if run.cycle and run.week and not over and not paused
        else None
    )
    own_due = not over and not paused and uow.actor.member in asked and uow.actor.member not in answered
    comes = coming(uow, run.workspace, uow.actor.member, week=week_start) if own_due else None
    return StatusRow(
        slug=run.playbook.slug,
        playbook=run.playbook.title,
        team=run.team.title,
        week=run.week,
        starts=starts_on(run),
        week_start=over.starts_on if over else week_start,
        week_end=over.starts_on + timedelta(weeks=WEEKS, days=-1) if over else week_start + timedelta(days=6),
        kpi=kpi_context(run, value=over.kpi_value) if over else week_kpi(uow, run, week_start=week_start),
        answered=len(set(asked) & answered),
        expected=len(asked),
        steps=_steps(uow, run),
        verdicts=tuple(verdicts),
        gate=gate.text if gate else None,
        gate_met=bool(gate and gate.met),
        paused=paused,
        owner=run.playbook.owner,
        closed=over.number if over else None,
        result=over.result if over else None,
        next_cycle=next_start(uow, run, over) if over else None,
        own_answer_due=own_due,
        own_answer_comes=comes.astimezone(zone) if comes else None,
        standing=(*champion_line(uow, run), *standing(uow, run)),
        guardrails=tuple(latest(uow, run, run.cycle)) if run.cycle else (),
    )


def _steps(uow: UnitOfWork, run: TeamRun) -> tuple[StepEvidence, ...]:
    """Each step as it stands now; once its cycle is closed, as it was judged then."""
    if run.cycle is None:
        return ()
    shown = steps_at_close if run.cycle.state is CycleState.CLOSED else step_evidence
    return shown(uow, run, run.cycle)


def why(
    uow: UnitOfWork,
    *,
    playbook: str | None,
    step: str,
    team: str | None = None,
    adoption_id: int | None = None,
) -> Why:
    """The last verdicts of a step with every number behind them, newest first.

    Raises:
        Unknown: no such playbook or step; the nearest is named.
        NotAllowed: it is another team's.
    """
    with uow.read():
        run = pick_run(uow, adoption_id=adoption_id, playbook=playbook, team=team)
        require_sight(uow, run, Fact.VERDICTS)
        declared = run.step(step)
        zone = member_zone(uow, member=uow.actor.member, fallback=run.team.timezone)
        rows = decisions.last_verdicts(uow, adoption_id=run.id, step=declared.key)
        overtaken = decisions.overtaken(uow, verdict_ids=[row.id or 0 for row in rows])
        return Why(
            playbook=run.playbook.title,
            team=run.team.title,
            step=declared.title,
            mode=mode_of(current_modes(uow, run), declared),
            drifts=drift_history(
                drifts.events(uow, adoption_id=run.id, step=declared.key),
                zone,
                owner=uow.actor.member == run.playbook.owner,
            ),
            changed=_last_change(uow, run, step=declared.key, zone=zone),
            promotion=last_look(uow, run, step=declared.key, zone=zone),
            verdicts=tuple(
                VerdictDetail(
                    decided_at=row.judged_at.astimezone(zone),
                    decision=row.decision,
                    trigger=row.cause.split(":", 1)[0],
                    rule=row.rule,
                    evidence=verdict_evidence(row),
                    probability=row.probability,
                    threshold=row.confidence,
                    min_exceptions=row.min_exceptions,
                    min_runs=row.min_runs,
                    demote_at=row.demote_at,
                    window_start=row.window_from.astimezone(zone),
                    lines=lines_tried(row),
                    overtaken=row.id in overtaken,
                )
                for row in rows
            ),
        )


def _last_change(uow: UnitOfWork, run: TeamRun, *, step: str, zone: ZoneInfo) -> Mrkdwn | None:
    """Who changed a step's mode last, when and why; None when it is as the playbook declared it."""
    changes = decisions.mode_history(uow, adoption_id=run.id, step=step)
    if not changes or changes[-1].before is None:
        return None
    last = changes[-1]
    return say(
        "{on}: {who} changed it from {before} to {after}{why}",
        on=day(last.changed_at.astimezone(zone)),
        who=mention(last.member) if last.member else "the rule",
        before=mode_word(last.before or last.after),
        after=mode_word(last.after),
        why=say(". Reason: {reason}", reason=last.reason[:600]) if last.reason else ".",
    )


def lines_tried(row: StepVerdict) -> tuple[LineTried, ...]:
    """Each line of the demote rule and its outcome, read off the stored numbers."""
    runs = max(row.attested + row.assumed, row.exceptions)
    likely = probability_above(row.cap, exceptions=row.exceptions, runs=runs) >= row.confidence
    cap_applies = row.rule is Rule.STRICT or (row.rule is Rule.BALANCED and row.closing)
    return (
        LineTried(line=Line.CRITICAL, applies=True, holds=row.critical > 0),
        LineTried(
            line=Line.EVIDENCE,
            applies=True,
            holds=row.exceptions >= row.min_exceptions and likely,
        ),
        LineTried(
            line=Line.CAP,
            applies=cap_applies,
            holds=(runs >= row.min_runs and row.ratio > row.cap) if cap_applies else None,
        ),
    )


def why_form(uow: UnitOfWork) -> WhyForm:
    """The form that asks which step is meant."""
    with uow.read():
        return WhyForm(groups=step_groups(uow))
