"""The week's status, and why a step was judged as it was."""

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from cadence.flows.adoption import standing
from cadence.flows.checkins import coming, member_zone, week_kpi
from cadence.flows.core import (
    AdoptionView,
    adoption_views,
    champion_line,
    current_modes,
    expected_members,
    is_curator,
    mode_of,
    require_sight,
    require_workspace,
    starts_on,
    step_groups,
)
from cadence.flows.cycles import next_start
from cadence.flows.gates import gate_line, gate_of
from cadence.flows.handoffs import status_lines
from cadence.flows.numbers import kpi_context, latest, pick_adoption
from cadence.flows.overview.attention import deciding
from cadence.flows.promotions import last_look
from cadence.flows.standards import drift_history, step_states, steps_at_close, steps_now, verdict_evidence
from cadence.mrkdwn import Mrkdwn, code, mention, say
from cadence.nearest import nearest
from cadence.refusals import Unknown
from cadence.rules.calendar import WEEKS
from cadence.rules.evidence import probability_above
from cadence.rules.sight import Fact
from cadence.rules.verdicts import Line, Rule
from storage.queries import adoptions, checkins, standards
from storage.queries.adoptions import NamedAdoption
from storage.tables import AdoptionState, CycleState, StepVerdict, Workspace
from storage.work import UnitOfWork
from templates.contexts.overview.statuses import (
    LineTried,
    Status,
    StatusRow,
    VerdictDetail,
    VerdictSummary,
    Why,
    WhyForm,
)
from templates.filters import day
from templates.filters import mode as mode_word

SHOWN = 10
"""Runs that a status shows."""


def status(uow: UnitOfWork, *, playbook: str | None, team: str | None) -> Status:
    """This week of a person's adoptions, or of one playbook or team.

    Raises:
        Unknown: a playbook or team that the person has no part in; the nearest is named.
    """
    with uow.read():
        workspace = require_workspace(uow)
        member = None if is_curator(uow) else uow.actor.member
        every = named = adoptions.named_adoptions(uow, member=member)
        if playbook is not None:
            named = _only(named, playbook, [view.playbook for view in named], kind="playbook")
        if team is not None:
            named = _only(named, team, [view.team for view in named], kind="team")
        chosen = _first_to_see(uow, workspace, [view.adoption_id for view in named])
        found = adoption_views(uow, adoption_ids=chosen) if chosen else []
        runs = sorted(found, key=lambda view: chosen.index(view.id))
        return Status(
            rows=tuple(_status_row(uow, view) for view in runs),
            more=len(named) - len(runs),
            handoffs=status_lines(
                uow,
                [view.adoption_id for view in every],
                only=None if named is every else {view.adoption_id for view in named},
                runs=runs,
            ),
        )


def _first_to_see(uow: UnitOfWork, workspace: Workspace, adoption_ids: Sequence[int]) -> list[int]:
    """All of them if they are few; otherwise those that need a decision come first."""
    if len(adoption_ids) <= SHOWN:
        return list(adoption_ids)
    graver = deciding(uow, workspace)
    return sorted(adoption_ids, key=lambda one: graver.get(one, len(graver)))[:SHOWN]


def _only(runs: list[NamedAdoption], slug: str, slugs: list[str], *, kind: str) -> list[NamedAdoption]:
    found = [view for view, one in zip(runs, slugs, strict=True) if one == slug]
    if found:
        return found
    guess = nearest(slug, sorted(set(slugs)))
    hint = say(" Did you mean {guess}?", guess=code(guess)) if guess else ""
    raise Unknown(say("No {kind} {slug} of yours is running.{hint}", kind=kind, slug=code(slug), hint=hint))


def _status_row(uow: UnitOfWork, view: AdoptionView) -> StatusRow:
    week_start = starts_on(view) or view.week_start
    asked = expected_members(uow, view, week_start=week_start) if view.week else []
    answered = checkins.answered_members(uow, adoption_id=view.id, week_start=week_start)
    zone = member_zone(uow, member=uow.actor.member, fallback=view.team.timezone)
    states = step_states(uow, view)
    over = view.cycle if view.cycle and view.cycle.state is CycleState.CLOSED else None
    paused = view.adoption.state is AdoptionState.PAUSED
    gate = (
        gate_line(gate_of(uow, view, view.cycle, view.week), week=view.week)
        if view.cycle and view.week and not over and not paused
        else None
    )
    own_due = not over and not paused and uow.actor.member in asked and uow.actor.member not in answered
    comes = coming(uow, view.workspace, uow.actor.member, week=week_start) if own_due else None
    return StatusRow(
        slug=view.playbook.slug,
        playbook=view.playbook.title,
        team=view.team.title,
        week=view.week,
        starts=starts_on(view),
        week_start=over.starts_on if over else week_start,
        week_end=over.starts_on + timedelta(weeks=WEEKS, days=-1) if over else week_start + timedelta(days=6),
        kpi=kpi_context(view, value=over.kpi_value) if over else week_kpi(uow, view, week_start=week_start),
        answered=len(set(asked) & answered),
        expected=len(asked),
        steps=steps_at_close(uow, view, over) if over else steps_now(states),
        verdicts=tuple(
            VerdictSummary(
                step=one.step.title,
                decision=one.verdict.decision,
                decided_at=one.verdict.judged_at.astimezone(zone),
            )
            for one in states
            if one.verdict
        ),
        gate=gate.text if gate else None,
        gate_met=bool(gate and gate.met),
        paused=paused,
        owner=view.playbook.owner,
        closed=over.number if over else None,
        result=over.result if over else None,
        next_cycle=next_start(uow, view, over) if over else None,
        own_answer_due=own_due,
        own_answer_comes=comes.astimezone(zone) if comes else None,
        standing=(*champion_line(uow, view), *standing(uow, view)),
        guardrails=tuple(latest(uow, view, view.cycle)) if view.cycle else (),
    )


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
        view = pick_adoption(uow, adoption_id=adoption_id, playbook=playbook, team=team)
        require_sight(uow, view, Fact.VERDICTS)
        declared = view.step(step)
        zone = member_zone(uow, member=uow.actor.member, fallback=view.team.timezone)
        rows = standards.last_verdicts(uow, adoption_id=view.id, step=declared.key)
        overtaken = standards.overtaken(uow, verdict_ids=[row.id or 0 for row in rows])
        return Why(
            playbook=view.playbook.title,
            team=view.team.title,
            step=declared.title,
            mode=mode_of(current_modes(uow, view), declared),
            drifts=drift_history(
                standards.events(uow, adoption_id=view.id, step=declared.key),
                zone,
                owner=uow.actor.member == view.playbook.owner,
            ),
            changed=_last_change(uow, view, step=declared.key, zone=zone),
            promotion=last_look(uow, view, step=declared.key, zone=zone),
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


def _last_change(uow: UnitOfWork, view: AdoptionView, *, step: str, zone: ZoneInfo) -> Mrkdwn | None:
    """Who changed a step's mode last, when and why; None if it is as the playbook declared it."""
    changes = standards.mode_history(uow, adoption_id=view.id, step=step)
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
    """Each line of the demotion rule and its outcome, from the stored numbers."""
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
