"""Each step's current state, as every surface shows it: its mode and the counts of its newest verdict."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

from cadence.documents import Step
from cadence.flows.core import AdoptionView, current_modes, mode_of
from cadence.flows.standards.evidence import cycle_start, gather, verdict_evidence, window_runs
from cadence.flows.standards.judging import policy_for
from cadence.rules.calendar import WEEKS, instant
from cadence.rules.evidence import Runs
from cadence.rules.modes import Mode
from storage.queries import adoptions, machines, standards
from storage.queries.adoptions import StepWindow
from storage.queries.standards import NewestVerdict
from storage.tables import Cycle, CycleState, StepVerdict
from storage.work import UnitOfWork
from templates.contexts.base import Evidence, StepEvidence


@dataclass(frozen=True, slots=True)
class StepState:
    """A step of a team's playbook now.

    Args:
        evidence: its exceptions against its cap; None before a first cycle, and for a step that a closed cycle
            didn't judge.
        verdict: its newest verdict, of whichever cycle.
    """

    step: Step
    mode: Mode
    evidence: Evidence | None
    verdict: NewestVerdict | None


def step_states(uow: UnitOfWork, view: AdoptionView) -> tuple[StepState, ...]:
    """The steps of a playbook, in its order.

    A step with exceptions shows the counts of its newest verdict: each exception, each answer and each new week
    judges it. A step without any has no verdict to read; its cap is shown against the runs in its window.
    """
    newest = {row.step: row for row in standards.newest_verdicts(uow, adoption_ids=[view.id])}
    return tuple(_state(uow, view, step, newest.get(step.key)) for step in view.spec.steps)


def step_state(uow: UnitOfWork, view: AdoptionView, step: Step) -> StepState:
    """One step of a playbook."""
    return _state(uow, view, step, standards.newest_verdict(uow, adoption_id=view.id, step=step.key))


def _state(uow: UnitOfWork, view: AdoptionView, step: Step, newest: NewestVerdict | None) -> StepState:
    modes = current_modes(uow, view)
    return StepState(
        step=step,
        mode=mode_of(modes, step),
        evidence=_evidence(uow, view, step, modes.get(step.key), newest),
        verdict=newest,
    )


def counting(
    uow: UnitOfWork, verdicts: Sequence[NewestVerdict], *, closed: Collection[int]
) -> list[NewestVerdict]:
    """The newest verdicts that still say how a step is doing: of `closed` cycles, and of running ones unless the
    step's counters were reset since."""
    after = adoptions.after_exceptions(uow, adoption_ids=sorted({row.adoption_id for row in verdicts}))
    return [
        row
        for row in verdicts
        if row.cycle_id in closed or row.after_exception == after.get((row.adoption_id, row.step), 0)
    ]


def _evidence(
    uow: UnitOfWork, view: AdoptionView, step: Step, state: StepWindow | None, newest: NewestVerdict | None
) -> Evidence | None:
    if view.cycle is None:
        return None
    if view.cycle.state is CycleState.CLOSED:
        final = _final(uow, view.cycle, step)
        return verdict_evidence(final) if final else None
    after_exception = state.after_exception if state else 0
    if (
        newest is not None
        and newest.exceptions
        and (newest.cycle_id, newest.after_exception) == (view.cycle.id, after_exception)
    ):
        return verdict_evidence(newest)
    return _against_runs(uow, view, view.cycle, step, state)


def _against_runs(
    uow: UnitOfWork,
    view: AdoptionView,
    cycle: Cycle,
    step: Step,
    state: StepWindow | None,
    *,
    exceptions: int = 0,
    until_week: date | None = None,
) -> Evidence:
    """Exceptions of a step against the runs of its window, up to this week or an earlier one."""
    window_from = cycle_start(view, cycle)
    runs = window_runs(
        uow,
        view,
        cycle,
        step=step.key,
        window_from=max(window_from, state.since) if state else window_from,
        after_check_in=state.after_check_in if state else 0,
        after_measured=state.after_measured if state else 0,
        until_week=until_week,
    )
    return Evidence(
        exceptions=exceptions,
        runs=max(runs.total, exceptions),
        attested=runs.attested,
        assumed=runs.assumed,
        measured=runs.measured,
        cap=policy_for(view, step).cap,
        restarted=not exceptions and state is not None and state.since > max(window_from, cycle.started_at),
    )


def step_states_in(uow: UnitOfWork, view: AdoptionView, *, week_start: date) -> tuple[StepState, ...]:
    """The steps of a playbook as of the end of a week, with what was reported on it since; as they are now if
    the week isn't over.

    Neither exceptions of the next week count nor the runs estimated for it. A window that restarted since
    shows the step's last verdict before the week ended.
    """
    end = instant(week_start + timedelta(weeks=1), time.min, view.zone)
    if uow.now < end:
        return step_states(uow, view)
    cycle, modes = view.cycle, current_modes(uow, view)
    is_of_week = cycle is not None and cycle.starts_on <= week_start
    earliest = instant(week_start - (WEEKS - 1) * timedelta(weeks=1), time.min, view.zone)
    last = {
        row.step: row
        for row in standards.last_verdicts_before(uow, adoption_id=view.id, moment=end)
        if (cycle is not None and row.cycle_id == cycle.id) is is_of_week and row.judged_at >= earliest
    }

    def evidence(step: Step) -> Evidence | None:
        state, verdict = modes.get(step.key), last.get(step.key)
        is_over = cycle is None or not is_of_week or cycle.state is CycleState.CLOSED
        if cycle is None or is_over or (state is not None and state.since >= end):
            return verdict_evidence(verdict) if verdict else None
        logged = gather(uow, view, cycle, step, runs=Runs(0, 0)).exceptions
        count = sum(one.logged_at < end for one in logged)
        return _against_runs(uow, view, cycle, step, state, exceptions=count, until_week=week_start)

    return tuple(
        StepState(step=step, mode=mode_of(modes, step), evidence=evidence(step), verdict=last.get(step.key))
        for step in view.spec.steps
    )


def _final(uow: UnitOfWork, cycle: Cycle, step: Step) -> StepVerdict | None:
    """A step's verdict at a cycle's close, or the last one for reports until Sunday night."""
    found = standards.closing_verdicts(uow, cycle_ids=[cycle.id or 0], step=step.key)
    return found[-1] if found else None


def steps_now(states: Sequence[StepState]) -> tuple[StepEvidence, ...]:
    """Steps in a running cycle, for a template."""
    return tuple(
        StepEvidence(title=one.step.title, mode=one.mode, evidence=one.evidence)
        for one in states
        if one.evidence is not None
    )


def steps_at_close(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> tuple[StepEvidence, ...]:
    """Each step as last judged for a closed cycle: at the close, or for reports until Sunday night."""
    judged = [(step, _final(uow, cycle, step)) for step in view.spec.steps]
    return tuple(
        StepEvidence(title=step.title, mode=final.lands_on or final.mode, evidence=verdict_evidence(final))
        for step, final in judged
        if final is not None
    )


def check_line(uow: UnitOfWork, cycle: Cycle | None, *, step: str) -> str:
    """`Automated check “policy-lint”: 211 of 214 passed in cycle 2`; empty without results.

    It stands next to people's grades; it is no graded sample.
    """
    if cycle is None:
        return ""
    found = machines.checked(uow, adoption_id=cycle.adoption_id, cycle_id=cycle.id or 0)
    return " · ".join(
        f"Automated check “{one.name}”: {one.passes:,} of {one.samples:,} passed in cycle {cycle.number}"
        for one in found
        if one.step == step
    )
