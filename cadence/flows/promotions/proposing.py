"""Evaluate steps for promotion: graded samples since the evidence window opened, cycle by cycle (SPEC §5)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from cadence.documents import Step
from cadence.flows.core import (
    PROPOSED,
    AdoptionView,
    coverage,
    curators_read,
    current_modes,
    is_watch,
    lapse_open,
    mode_of,
    tell,
)
from cadence.flows.standards import drift_open
from cadence.rules.evidence import runs_of
from cadence.rules.kpi import Outcome
from cadence.rules.modes import LADDER
from cadence.rules.promotions import (
    GradedCycle,
    PromotionDecision,
    PromotionPolicy,
    PromotionVerdict,
    judge_promotion,
    samples_short,
)
from cadence.rules.samples import lower_bound, samples_needed
from cadence.rules.verdicts import Decision
from storage.queries import cycles as cycle_rows
from storage.queries import promotions, rubrics, standards
from storage.queries.rubrics import GradedSamples
from storage.tables import Cycle, CycleState, Promotion, PromotionState
from storage.work import UnitOfWork

FIRST_RUBRIC = 1
"""The playbook's own rubric; each revision adds one."""


def promotion_policy(step: Step) -> PromotionPolicy:
    """The thresholds of a step's promotion, from its playbook."""
    wanted = step.promote
    return PromotionPolicy(accuracy=wanted.accuracy, max_risk=wanted.max_risk, cycles=wanted.cycles)


def rubric_in_force(uow: UnitOfWork, view: AdoptionView, step: Step) -> int:
    """The number of a step's rubric revision."""
    row = current_modes(uow, view).get(step.key)
    return row.rubric if row else FIRST_RUBRIC


def counted_samples(uow: UnitOfWork, view: AdoptionView, step: Step) -> list[GradedSamples]:
    """The graded samples of a step on the rubric in force, since its evidence window opened, by cycle.

    A spot audit drawn before the window opened doesn't count: its runs were made before.
    """
    row = current_modes(uow, view).get(step.key)
    return rubrics.graded_since(
        uow,
        adoption_id=view.id,
        step=step.key,
        revision=row.rubric if row else FIRST_RUBRIC,
        after=row.after_result if row else 0,
        after_audit=row.after_audit if row else 0,
    )


def counted_cycles(uow: UnitOfWork, view: AdoptionView, step: Step) -> list[Cycle]:
    """The closed cycles of a step that ended after its evidence window opened, oldest first."""
    row = current_modes(uow, view).get(step.key)
    cycles = cycle_rows.cycles_of(uow, adoption_id=view.id)
    return [
        one
        for one in cycles
        if one.state is CycleState.CLOSED
        and not is_watch(one)
        and (row is None or one.number > row.after_cycle)
    ]


def graded_cycles(uow: UnitOfWork, view: AdoptionView, step: Step) -> tuple[GradedCycle, ...]:
    """The graded samples of each closed cycle since a step's evidence window opened, oldest first."""
    graded = counted_samples(uow, view, step)
    wanted = step.promote.cycles
    cycles = counted_cycles(uow, view, step)[-wanted:]
    return tuple(
        _graded(uow, view, step, cycle, [one for one in graded if one.cycle_id == cycle.id])
        for cycle in cycles
    )


def _graded(
    uow: UnitOfWork, view: AdoptionView, step: Step, cycle: Cycle, graded: Sequence[GradedSamples]
) -> GradedCycle:
    answered, expected = coverage(uow, view, cycle, until=cycle.closes_on)
    return GradedCycle(
        number=cycle.number,
        samples=sum(one.samples for one in graded),
        passes=sum(one.passes for one in graded),
        risky=sum(one.risky for one in graded),
        over_cap=standards.count_verdicts(
            uow, cycle_id=cycle.id or 0, step=step.key, decisions=[Decision.WATCH, Decision.DEMOTE]
        ),
        answered=answered,
        expected=expected,
        kpi=Outcome(cycle.result or Outcome.INSUFFICIENT),
    )


@dataclass(frozen=True, slots=True)
class Pool:
    """The graded samples that a step's next evaluation will count, as of now.

    Args:
        bound: the exact lower bound on the true pass rate, with 95% confidence; 0 without a sample.
        more: how many more samples decide if all of them pass and none is risky.
        counted: the numbers of the cycles that have samples, oldest first.
        cycle: the number of the running cycle; 0 without one.
        cycles: how many cycles decide, including this one.
        spoiled: the last of these cycles whose shares no further sample can fix; None if all can be.
    """

    samples: int
    passes: int
    risky: int
    bound: float
    more: int
    accuracy: float
    max_risk: float
    counted: tuple[int, ...]
    cycle: int
    cycles: int
    spoiled: int | None

    @property
    def needed(self) -> int:
        """How many samples decide, given the failures and risky ones so far."""
        return self.samples + self.more

    @property
    def earliest(self) -> int | None:
        """The cycle at whose close it can be proposed at the earliest, if one of these is spoiled."""
        return self.spoiled + self.cycles if self.spoiled is not None else None


def pool(uow: UnitOfWork, view: AdoptionView, step: Step) -> Pool:
    """Pool a step's graded samples over the cycles that its next evaluation covers."""
    policy = promotion_policy(step)
    cycles = cycle_rows.cycles_of(uow, adoption_id=view.id)
    now_on = view.cycle.number if view.cycle else 0
    numbers = {one.id: one.number for one in cycles if now_on - policy.cycles < one.number <= now_on}
    counted = {
        numbers[one.cycle_id]: one for one in counted_samples(uow, view, step) if one.cycle_id in numbers
    }
    samples = sum(one.samples for one in counted.values())
    passes = sum(one.passes for one in counted.values())
    short: dict[int, int] = {}
    spoiled = None
    for number, one in sorted(counted.items()):
        lacking = samples_short(one.samples, one.passes, one.risky, policy)
        if lacking is None or (lacking and number < now_on):  # a closed cycle accepts no further samples
            spoiled = number
        short[number] = lacking or 0
    pooled = samples_needed(samples - passes, policy.accuracy, policy.confidence) - samples
    return Pool(
        samples=samples,
        passes=passes,
        risky=sum(one.risky for one in counted.values()),
        bound=lower_bound(passes, samples, policy.confidence) if samples else 0.0,
        more=max(pooled, short.get(now_on, 1), 0),
        accuracy=policy.accuracy,
        max_risk=policy.max_risk,
        counted=tuple(short),
        cycle=now_on,
        cycles=policy.cycles,
        spoiled=spoiled,
    )


NEWER: Final = "a newer cycle closed, and the step was checked again"
"""Why a proposal of an earlier cycle lapses."""
_STATES: Final = {
    PromotionDecision.PROPOSE: PromotionState.OPEN,
    PromotionDecision.HOLD: PromotionState.HELD,
    PromotionDecision.INSUFFICIENT: PromotionState.INSUFFICIENT,
}


def judge_promotions(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> list[Promotion]:
    """Evaluate every step that AI doesn't lead yet, in the transaction that closes the cycle.

    Undecided proposals of an earlier cycle lapse: this evaluation replaces them.
    """
    lapse_open(uow, view, why=NEWER)
    modes = current_modes(uow, view)
    return [
        _judge(uow, view, cycle, step) for step in view.spec.steps if mode_of(modes, step) is not LADDER[-1]
    ]


def look_again(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, step: Step) -> None:
    """Evaluate a step again whose evaluation was made under a demotion which has been reversed since."""
    row = promotions.overtaken_promotion(uow, cycle_id=cycle.id or 0, step=step.key)
    if row is not None and mode_of(current_modes(uow, view), step) is not LADDER[-1]:
        lapse_open(uow, view, step=step.key, why=NEWER)
        _judge(uow, view, cycle, step, again=row)


def _judge(
    uow: UnitOfWork, view: AdoptionView, cycle: Cycle, step: Step, *, again: Promotion | None = None
) -> Promotion:
    demotion = standards.last_demotion(uow, adoption_id=view.id, step=step.key)
    verdict = judge_promotion(
        mode=mode_of(current_modes(uow, view), step),
        cycles=graded_cycles(uow, view, step),
        policy=promotion_policy(step),
        drift_open=drift_open(uow, view, step),
        rubric_revision=rubric_in_force(uow, view, step),
        demoted_on=demotion.rubric if demotion else None,
    )
    row = Promotion(
        workspace_id=view.workspace.id,
        adoption_id=view.id,
        cycle_id=cycle.id or 0,
        step=step.key,
        state=_STATES[verdict.decision],
        mode=verdict.mode,
        leads_to=verdict.leads_to,
        samples=verdict.samples,
        passes=verdict.passes,
        risky=verdict.risky,
        bound=verdict.bound,
        needed=verdict.needed,
        more=verdict.more,
        evidence=_evidence(verdict) | _exceptions(uow, view, step),
        judged_at=uow.now,
    )
    if again is not None:
        row = again.sqlmodel_update(row.model_dump(exclude={"id"}))
    uow.session.add(row)
    uow.session.flush()
    uow.record(
        surface="rule",
        action="promotion-judged",
        subject=f"promotion:{row.id}",
        after={"step": step.key, "decision": verdict.decision, "cycle": cycle.id},
    )
    if row.state is PromotionState.OPEN:
        _propose(uow, view, row)
    return row


def _evidence(verdict: PromotionVerdict) -> dict[str, Any]:
    return {
        "policy": asdict(verdict.policy),
        "cycles": [asdict(one) for one in verdict.cycles],
        "drift_open": verdict.drift_open,
        "rubric_revision": verdict.rubric_revision,
        "demoted_on": verdict.demoted_on,
        "unmet": [asdict(one) for one in verdict.unmet],
    }


def _exceptions(uow: UnitOfWork, view: AdoptionView, step: Step) -> dict[str, Any]:
    """The step's exceptions and runs over those cycles, as judged when each closed."""
    ids = [one.id or 0 for one in counted_cycles(uow, view, step)[-step.promote.cycles :]]
    rows = standards.closing_verdicts(uow, cycle_ids=ids, step=step.key)
    return {
        "exceptions": sum(one.exceptions for one in rows),
        "runs": sum(map(runs_of, rows)),
        "cap": step.exception_cap,
    }


def judge_again(row: Promotion) -> PromotionVerdict:
    """Judge a stored promotion from its row alone; the same rule gives the same verdict."""
    kept = row.evidence
    return judge_promotion(
        mode=row.mode,
        cycles=[GradedCycle(**{**one, "kpi": Outcome(one["kpi"])}) for one in kept["cycles"]],
        policy=PromotionPolicy(**kept["policy"]),
        drift_open=kept["drift_open"],
        rubric_revision=kept["rubric_revision"],
        demoted_on=kept["demoted_on"],
    )


def _propose(uow: UnitOfWork, view: AdoptionView, row: Promotion) -> None:
    tell(
        uow,
        [view.playbook.owner, *curators_read(uow, view.workspace)],
        kind=PROPOSED,
        slot=row.id,
        subject={"promotion": row.id, "adoption": view.id},
    )
