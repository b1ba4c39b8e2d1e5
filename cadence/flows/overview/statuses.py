"""The week's status, and why a step was judged as it was."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from cadence.documents import Step
from cadence.flows.adoption import standing
from cadence.flows.checkins import coming, member_zone, week_kpi
from cadence.flows.core import (
    AdoptionView,
    adoption_views,
    champion_line,
    current_modes,
    expected_members,
    how_to_begin,
    is_curator,
    mode_of,
    require_sight,
    require_workspace,
    starts_on,
    step_groups,
    watch_month,
)
from cadence.flows.cycles import next_start
from cadence.flows.gates import gate_of
from cadence.flows.gates import words as gate_words
from cadence.flows.handoffs import status_lines
from cadence.flows.numbers import kpi_context, latest, pick_adoption
from cadence.flows.overview.attention import deciding
from cadence.flows.promotions import last_look
from cadence.flows.standards import (
    StepState,
    check_line,
    drift_history,
    last_opened,
    mode_changed,
    step_state,
    step_states,
    steps_at_close,
    steps_now,
    verdict_evidence,
)
from cadence.flows.trends import course_lines, value_line
from cadence.flows.waves import rollout_phases
from cadence.mrkdwn import Mrkdwn, code, mention, say
from cadence.nearest import nearest
from cadence.refusals import Offer, Unknown
from cadence.rules.calendar import WEEKS
from cadence.rules.evidence import probability_above, runs_of
from cadence.rules.sight import Fact
from cadence.rules.verdicts import SILENT_EXCEPTIONS, Line, Rule
from storage.queries import adoptions, checkins, standards
from storage.queries.adoptions import NamedAdoption, StepWindow
from storage.tables import Cycle, CycleState, StepVerdict
from storage.work import UnitOfWork
from templates.contexts.overview.statuses import (
    GateNow,
    LineTried,
    Status,
    StatusRow,
    StepNow,
    VerdictDetail,
    Why,
    WhyForm,
    WhyMath,
    collapsed,
)
from templates.contexts.waves import RolloutPhase
from templates.filters import at, day
from templates.filters import mode as mode_word
from templates.ids import Action

SHOWN = 10
"""Adoptions that a status shows."""
EXCEPTIONS_OFFERED = 3
"""Steps whose exceptions its menu offers."""
REVIEWED = 40
"""Verdicts that a why looks back on: each new week adds one, and most repeat the one before."""


def status(uow: UnitOfWork, *, playbook: str | None, team: str | None) -> Status:
    """This week of a person's adoptions, or of one playbook or team.

    Raises:
        Unknown: a playbook or team that the person has no part in; the nearest is named.
    """
    with uow.read():
        member = None if is_curator(uow) else uow.actor.member
        every = named = adoptions.named_adoptions(uow, member=member)
        if not every:
            require_workspace(uow)
        if playbook is not None:
            named = _only(named, playbook, [view.playbook for view in named], kind="playbook")
        if team is not None:
            named = _only(named, team, [view.team for view in named], kind="team")
        chosen = _first_to_see(uow, [view.adoption_id for view in named])
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
            phases=_phases(uow, runs),
            begin=None if runs else how_to_begin(uow),
        )


def _phases(uow: UnitOfWork, views: Sequence[AdoptionView]) -> tuple[RolloutPhase, ...]:
    """A playbook's path to many teams, for its owner and curators if no other one is shown."""
    books = {view.playbook.id: view.playbook for view in views}
    only = next(iter(books.values())) if len(books) == 1 else None
    if only is None or not (is_curator(uow) or uow.actor.member == only.owner):
        return ()
    return rollout_phases(uow, only)


def _first_to_see(uow: UnitOfWork, adoption_ids: Sequence[int]) -> list[int]:
    """All of them if they are few; otherwise those that need a decision come first."""
    if len(adoption_ids) <= SHOWN:
        return list(adoption_ids)
    graver = deciding(uow, require_workspace(uow))
    return sorted(adoption_ids, key=lambda one: graver.get(one, len(graver)))[:SHOWN]


def _only(runs: list[NamedAdoption], slug: str, slugs: list[str], *, kind: str) -> list[NamedAdoption]:
    found = [view for view, one in zip(runs, slugs, strict=True) if one == slug]
    if found:
        return found
    guess = nearest(slug, sorted(set(slugs)))
    hint = say(" Did you mean {guess}?", guess=code(guess)) if guess else ""
    raise Unknown(
        say("You don't have a running {kind} {slug}.{hint}", kind=kind, slug=code(slug), hint=hint),
        typed=slug,
        near=guess,
    )


def _status_row(uow: UnitOfWork, view: AdoptionView) -> StatusRow:
    week_start = starts_on(view) or view.week_start
    asked = expected_members(uow, view, week_start=week_start) if view.week else []
    answered = checkins.answered_members(uow, adoption_id=view.id, week_start=week_start)
    zone = member_zone(uow, member=uow.actor.member, fallback=view.team.timezone)
    over = (
        view.cycle if view.cycle and view.cycle.state is CycleState.CLOSED and not view.is_watched else None
    )
    paused = view.is_paused
    own_due = not over and not paused and uow.actor.member in asked and uow.actor.member not in answered
    comes = coming(uow, view.workspace, uow.actor.member, week=week_start) if own_due else None
    steps = _steps(uow, view, over, zone)
    return StatusRow(
        adoption_id=view.id,
        slug=view.playbook.slug,
        playbook=view.playbook.title,
        team=view.team.title,
        week=view.week,
        starts=starts_on(view),
        week_start=over.starts_on if over else week_start,
        week_end=over.starts_on + timedelta(weeks=WEEKS, days=-1) if over else week_start + timedelta(days=6),
        kpi=kpi_context(view, value=over.kpi_value, cycle=over.number)
        if over
        else week_kpi(uow, view, week_start=week_start),
        answered=len(set(asked) & answered),
        expected=len(asked),
        steps=steps,
        menu=_menu(view, steps),
        gate=None if over or paused else week_gate(uow, view),
        paused=paused,
        ends_pause=view.ends_pause if paused else "",
        owner=view.playbook.owner,
        closed=over.number if over else None,
        result=over.result if over else None,
        next_cycle=next_start(uow, view, over) if over else None,
        own_answer_due=own_due,
        own_answer_comes=comes.astimezone(zone) if comes else None,
        standing=(
            *champion_line(uow, view),
            *course_lines(uow, view),
            *standing(uow, view),
            *_worth(uow, view),
        ),
        guardrails=tuple(latest(uow, view, view.cycle)) if view.cycle else (),
        month=watch_month(uow, view),
    )


def _worth(uow: UnitOfWork, view: AdoptionView) -> tuple[str, ...]:
    """What the cycle was worth so far: a sentence, if the playbook names a worth."""
    line = value_line(uow, view, view.cycle) if view.cycle is not None else ""
    return (f"Worth {line}",) if line else ()


def week_gate(uow: UnitOfWork, view: AdoptionView) -> GateNow | None:
    """The gate of a running cycle's week; None without one."""
    if view.cycle is None or view.week is None or view.is_watched:
        return None
    gate = gate_of(uow, view, view.cycle, view.week)
    left = tuple(gate_words(check) for check in gate.missing)
    return GateNow(done=len(gate.checks) - len(left), total=len(gate.checks), left=left)


def step_now(state: StepState, zone: ZoneInfo) -> StepNow:
    """A step with its exceptions against its cap, and its last verdict."""
    return StepNow(
        key=state.step.key,
        title=state.step.title,
        mode=state.mode,
        evidence=state.evidence,
        decision=state.verdict.decision if state.verdict else None,
        judged_at=state.verdict.judged_at.astimezone(zone) if state.verdict else None,
    )


def _steps(uow: UnitOfWork, view: AdoptionView, over: Cycle | None, zone: ZoneInfo) -> tuple[StepNow, ...]:
    """The steps as they are, or as a closed cycle left them."""
    states = [one for one in step_states(uow, view) if one.evidence is not None]
    shown = steps_at_close(uow, view, over) if over else steps_now(states)
    return tuple(
        replace(step_now(state, zone), mode=one.mode) for state, one in zip(states, shown, strict=True)
    )


def _menu(view: AdoptionView, steps: Sequence[StepNow]) -> tuple[Offer, ...]:
    """[Why], [Playbook], and the exceptions of the steps that have most."""
    counted = sorted(steps, key=lambda one: one.evidence.exceptions if one.evidence else 0, reverse=True)
    return (
        *why_offer(view, [step.key for step in steps]),
        Offer("Playbook", Action.SHOW_PLAYBOOK, view.playbook.slug),
        *(
            Offer(f"Exceptions: {one.title}", Action.SEE_EXCEPTIONS, f"{view.id}:{one.key}")
            for one in counted[:EXCEPTIONS_OFFERED]
            if one.evidence and one.evidence.exceptions
        ),
    )


def why_offer(view: AdoptionView, steps: Sequence[str]) -> tuple[Offer, ...]:
    """[Why] for a playbook: of its step, or of one of several, which a form asks for."""
    if not steps:
        return ()
    return (Offer("Why", Action.WHY, f"{view.id}:{steps[0]}" if len(steps) == 1 else str(view.id)),)


def why(
    uow: UnitOfWork,
    *,
    playbook: str | None,
    step: str,
    team: str | None = None,
    adoption_id: int | None = None,
) -> Why:
    """Why a step is in its mode: the verdict that decided, and the last ones, newest first.

    Raises:
        Unknown: no such playbook or step; the nearest is named.
        NotAllowed: it is another team's.
    """
    with uow.read():
        view = pick_adoption(uow, adoption_id=adoption_id, playbook=playbook, team=team)
        require_sight(uow, view, Fact.VERDICTS)
        declared = view.step(step)
        zone = member_zone(uow, member=uow.actor.member, fallback=view.team.timezone)
        rows = standards.last_verdicts(uow, adoption_id=view.id, step=declared.key, limit=REVIEWED)
        window = current_modes(uow, view).get(declared.key)
        since = [row for row in rows if window is None or _counts_since(row, window)]
        decided = _deciding(uow, view, declared.key, since)
        ids = [row.id or 0 for row in (*rows, *([decided] if decided else []))]
        overtaken = standards.overtaken(uow, verdict_ids=ids)
        details = [_detail(row, zone, overtaken=row.id in overtaken) for row in rows]
        newer = since and decided and since[0].id != decided.id
        reset = _reset(uow, view, declared, zone=zone)
        return Why(
            adoption_id=view.id,
            step_key=declared.key,
            playbook=view.playbook.title,
            team=view.team.title,
            step=declared.title,
            mode=mode_of(current_modes(uow, view), declared),
            decided=_detail(decided, zone, overtaken=decided.id in overtaken) if decided else None,
            latest=details[0] if newer else None,
            reset=reset,
            now=step_state(uow, view, declared).evidence if reset and not since else None,
            rows=collapsed(details),
            drifts=drift_history(uow, view, declared, zone, owner=uow.actor.member == view.playbook.owner),
            changed=_last_change(uow, view, step=declared.key, zone=zone),
            promotion=last_look(uow, view, step=declared.key, zone=zone),
            check=check_line(uow, view.cycle, step=declared.key),
            planned=f"Planned as {mode_word(declared.mode)}: {declared.why}" if declared.why else "",
        )


def why_math(uow: UnitOfWork, *, adoption_id: int, step: str) -> WhyMath:
    """The arithmetic behind a step's mode.

    Raises:
        Unknown: no such step.
        NotAllowed: it is another team's.
    """
    found = why(uow, playbook=None, step=step, adoption_id=adoption_id)
    return WhyMath(
        playbook=found.playbook,
        team=found.team,
        step=found.step,
        verdict=found.decided,
        promotion=found.promotion,
    )


def _deciding(
    uow: UnitOfWork, view: AdoptionView, step: str, rows: Sequence[StepVerdict]
) -> StepVerdict | None:
    """The verdict that demoted a step to its mode; if a person decided its mode last, the newest one since."""
    last = standards.standing(standards.mode_history(uow, adoption_id=view.id, step=step))[-1:]
    if last and last[0].kind == "demotion" and last[0].verdict_id is not None:
        return standards.verdict(uow, verdict_id=last[0].verdict_id)
    return rows[0] if rows and (not last or rows[0].judged_at >= last[0].changed_at) else None


def _counts_since(row: StepVerdict, window: StepWindow) -> bool:
    """Whether a verdict counts what came after the step's counters were reset last."""
    return row.after_exception == window.after_exception and row.judged_at >= window.since


def _reset(uow: UnitOfWork, view: AdoptionView, step: Step, *, zone: ZoneInfo) -> Mrkdwn | None:
    """When a step's counters were reset last, and by what; None if they never were, or a change of its mode did it,
    which is told anyway."""
    opened = last_opened(uow, view, step)
    mode = mode_of(current_modes(uow, view), step)
    if opened is None or opened.after["because"] == mode_changed(mode):
        return None
    return say(
        "Counters were reset {on}: {because}.",
        on=at(opened.at.astimezone(zone)),
        because=opened.after["because"],
    )


def _detail(row: StepVerdict, zone: ZoneInfo, *, overtaken: bool) -> VerdictDetail:
    return VerdictDetail(
        decided_at=row.judged_at.astimezone(zone),
        decision=row.decision,
        line=row.line,
        trigger=row.cause.split(":", 1)[0],
        rule=row.rule,
        evidence=verdict_evidence(row),
        critical=row.critical,
        probability=row.probability,
        threshold=row.confidence,
        min_exceptions=_least(row),
        min_runs=row.min_runs,
        demote_at=row.demote_at,
        leads_to=row.lands_on,
        window_start=row.window_from.astimezone(zone),
        lines=lines_tried(row),
        overtaken=overtaken,
    )


def _last_change(uow: UnitOfWork, view: AdoptionView, *, step: str, zone: ZoneInfo) -> Mrkdwn | None:
    """Who changed a step's mode last, when and why; None if it is as planned, or a verdict demoted it."""
    changes = standards.mode_history(uow, adoption_id=view.id, step=step)
    if not changes or changes[-1].before is None or changes[-1].kind == "demotion":
        return None
    last = changes[-1]
    if last.takes_back is not None:
        return say(
            "Demotion undone {on}: {who} undid an exception behind it. It's {after} again, and earlier counts apply.",
            on=at(last.changed_at.astimezone(zone)),
            who=mention(last.member) if last.member else "somebody",
            after=mode_word(last.after),
        )
    return say(
        "{on}: {who} switched it from {before} to {after}, which reset counters{why}",
        on=day(last.changed_at.astimezone(zone)),
        who=mention(last.member) if last.member else "the rule",
        before=mode_word(last.before or last.after),
        after=mode_word(last.after),
        why=say(". Reason: {reason}", reason=last.reason[:600]) if last.reason else ".",
    )


def _least(row: StepVerdict) -> int:
    """The fewest exceptions that decide: more of them before any run was reported or measured."""
    known = row.measured or row.attested or row.closing
    return row.min_exceptions if known else max(SILENT_EXCEPTIONS, row.min_exceptions)


def lines_tried(row: StepVerdict) -> tuple[LineTried, ...]:
    """Each line of the demotion rule and its outcome, from the stored numbers."""
    runs, least = runs_of(row), _least(row)
    likely = probability_above(row.cap, exceptions=row.exceptions, runs=runs) >= row.confidence
    cap_applies = row.rule is Rule.STRICT or (row.rule is Rule.BALANCED and row.closing)
    enough = runs >= row.min_runs and (
        row.closing or bool(row.measured or row.attested) or row.exceptions >= least
    )
    return (
        LineTried(line=Line.CRITICAL, applies=True, holds=row.critical > 0),
        LineTried(line=Line.EVIDENCE, applies=True, holds=row.exceptions >= least and likely),
        LineTried(
            line=Line.CAP,
            applies=cap_applies,
            holds=(enough and row.ratio > row.cap) if cap_applies else None,
        ),
    )


def why_form(uow: UnitOfWork, *, adoption_id: int | None = None) -> WhyForm:
    """The form that asks which step is meant, of an adoption or of all."""
    with uow.read():
        return WhyForm(groups=step_groups(uow, adoption_id=adoption_id))
