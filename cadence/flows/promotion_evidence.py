"""What graded samples say of a step since its evidence window opened, cycle by cycle (SPEC §5)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from cadence.documents import Step
from cadence.flows.cycle_shown import coverage
from cadence.flows.runs import TeamRun, current_modes
from cadence.rules.kpi import Outcome
from cadence.rules.promotions import GradedCycle, PromotionPolicy, samples_short
from cadence.rules.samples import lower_bound, samples_needed
from cadence.rules.verdicts import Decision
from storage import decisions, playbooks, rubrics
from storage.tables import Cycle, CycleState, RubricResult

FIRST_RUBRIC = 1
"""The playbook's own rubric; each revision counts one up."""


def promotion_policy(step: Step) -> PromotionPolicy:
    """The thresholds a step's promotion needs, from its playbook."""
    wanted = step.promote
    return PromotionPolicy(accuracy=wanted.accuracy, max_risk=wanted.max_risk, cycles=wanted.cycles)


def rubric_in_force(session: Session, run: TeamRun, step: Step) -> int:
    """The number of a step's rubric revision."""
    row = current_modes(session, run).get(step.key)
    return row.rubric if row else FIRST_RUBRIC


def counted_results(session: Session, run: TeamRun, step: Step) -> list[RubricResult]:
    """The graded samples of a step on the rubric in force, since its evidence window opened."""
    row = current_modes(session, run).get(step.key)
    rubric = row.rubric if row else FIRST_RUBRIC
    results = rubrics.calibration(
        session,
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        after=row.after_result if row else 0,
    )
    drawn_before = row.after_audit if row else 0  # such runs were run before the window opened
    return [
        one
        for one in results
        if one.step == step.key
        and one.revision == rubric
        and (one.audit_id is None or one.audit_id > drawn_before)
    ]


def counted_cycles(session: Session, run: TeamRun, step: Step) -> list[Cycle]:
    """The closed cycles of a step that ended after its evidence window opened, oldest first."""
    row = current_modes(session, run).get(step.key)
    cycles = playbooks.cycles_of(session, workspace_id=run.workspace.id, adoption_id=run.id)
    return [
        one
        for one in cycles
        if one.state is CycleState.CLOSED and (row is None or one.number > row.after_cycle)
    ]


def graded_cycles(session: Session, run: TeamRun, step: Step) -> tuple[GradedCycle, ...]:
    """What each closed cycle shows of a step since its evidence window opened, oldest first."""
    results = counted_results(session, run, step)
    wanted = step.promote.cycles
    cycles = counted_cycles(session, run, step)[-wanted:]
    return tuple(
        _graded(session, run, step, cycle, [one for one in results if one.cycle_id == cycle.id])
        for cycle in cycles
    )


def _graded(
    session: Session, run: TeamRun, step: Step, cycle: Cycle, results: Sequence[RubricResult]
) -> GradedCycle:
    answered, expected = coverage(session, run, cycle, until=cycle.closes_on)
    return GradedCycle(
        number=cycle.number,
        samples=sum(one.samples for one in results),
        passes=sum(one.passes for one in results),
        risky=sum(one.risky for one in results),
        over_cap=decisions.count_verdicts(
            session,
            workspace_id=run.workspace.id,
            cycle_id=cycle.id or 0,
            step=step.key,
            decisions=[Decision.WATCH, Decision.DEMOTE],
        ),
        answered=answered,
        expected=expected,
        kpi=Outcome(cycle.result or Outcome.INSUFFICIENT),
    )


@dataclass(frozen=True, slots=True)
class Pool:
    """The graded samples that the next look at a step's promotion will count, as they stand.

    Args:
        bound: the exact lower bound on the true pass rate, with 95% confidence; 0 without a sample.
        more: how many more samples decide if all of them pass and none is risky.
        counted: the numbers of the cycles that have samples, oldest first.
        cycle: the number of the running cycle; 0 without one.
        cycles: how many cycles decide, this one included.
        spoiled: the last of these cycles whose shares no further sample can mend; None when all can be.
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
        """How many samples decide with as many failures and risky ones as there are."""
        return self.samples + self.more

    @property
    def earliest(self) -> int | None:
        """The cycle at whose close it can be proposed at the earliest, when one of these is spoiled."""
        return self.spoiled + self.cycles if self.spoiled is not None else None


def pool(session: Session, run: TeamRun, step: Step) -> Pool:
    """Pool a step's graded samples over the cycles that its next look at promotion covers."""
    policy = promotion_policy(step)
    cycles = playbooks.cycles_of(session, workspace_id=run.workspace.id, adoption_id=run.id)
    now_on = run.cycle.number if run.cycle else 0
    numbers = {one.id: one.number for one in cycles if now_on - policy.cycles < one.number <= now_on}
    results = [one for one in counted_results(session, run, step) if one.cycle_id in numbers]
    samples, passes = sum(one.samples for one in results), sum(one.passes for one in results)
    short = dict.fromkeys(sorted({numbers[one.cycle_id] for one in results}), 0)
    spoiled = None
    for number in short:
        graded = [one for one in results if numbers[one.cycle_id] == number]
        lacking = samples_short(
            sum(one.samples for one in graded),
            sum(one.passes for one in graded),
            sum(one.risky for one in graded),
            policy,
        )
        if lacking is None or (lacking and number < now_on):  # a closed cycle takes no further samples
            spoiled = number
        short[number] = lacking or 0
    pooled = samples_needed(samples - passes, policy.accuracy, policy.confidence) - samples
    return Pool(
        samples=samples,
        passes=passes,
        risky=sum(one.risky for one in results),
        bound=lower_bound(passes, samples, policy.confidence) if samples else 0.0,
        more=max(pooled, short.get(now_on, 1), 0),
        accuracy=policy.accuracy,
        max_risk=policy.max_risk,
        counted=tuple(short),
        cycle=now_on,
        cycles=policy.cycles,
        spoiled=spoiled,
    )
