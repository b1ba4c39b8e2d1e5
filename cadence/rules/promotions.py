"""Whether AI can lead a step one level further: judged once, when a cycle closes (SPEC §5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from cadence.rules.kpi import Outcome
from cadence.rules.modes import LADDER, Mode, rank
from cadence.rules.samples import CONFIDENCE, lower_bound, samples_needed


class PromotionDecision(StrEnum):
    """The outcome of judging a promotion; only a person promotes."""

    PROPOSE = "propose"
    HOLD = "hold"
    INSUFFICIENT = "insufficient"


class Condition(StrEnum):
    """What a proposal requires; an `Unmet` names the missing one."""

    HIGHER_MODE = "higher mode"
    RUBRIC_REVISION = "rubric revision"
    CYCLES = "cycles"
    GRADED = "graded"
    ACCURACY = "accuracy"
    RISK = "risk"
    SAMPLES = "samples"
    UNDER_CAP = "under cap"
    COVERAGE = "coverage"
    NO_DRIFT = "no drift"
    KPI_MET = "kpi met"


SPARSE = frozenset({Condition.CYCLES, Condition.GRADED, Condition.SAMPLES})
"""Conditions that only time and samples can meet: if only they are missing, a verdict is `insufficient`,
not `hold`."""


@dataclass(frozen=True, slots=True)
class PromotionPolicy:
    """The thresholds of a promotion: the step's `promote`, and two that apply to every step.

    Args:
        accuracy: the lowest share of passing samples, above 0 and below 1.
        max_risk: the highest share of risky samples, 0 to 1.
        cycles: how many closed cycles in a row must meet the conditions.
        coverage: the lowest share of expected check-ins that were answered, 0 to 1.
        confidence: of the one-sided lower bound on the pass rate, above 0 and below 1.

    Raises:
        ValueError: for thresholds outside these bounds.
    """

    accuracy: float = 0.90
    max_risk: float = 0.02
    cycles: int = 2
    coverage: float = 0.80
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        if not (0 < self.accuracy < 1 and 0 < self.confidence < 1):
            raise ValueError(f"an accuracy of {self.accuracy} at {self.confidence} can't be shown by samples")
        if not (0 <= self.max_risk <= 1 and 0 <= self.coverage <= 1 and self.cycles >= 1):
            raise ValueError(f"{self} has a share outside 0 to 1, or no cycle")


@dataclass(frozen=True, slots=True)
class GradedCycle:
    """What one closed cycle shows about a step, since the step's evidence window opened.

    Args:
        number: the cycle's number.
        samples: graded samples.
        passes: how many of them passed.
        risky: how many of them were risky, passed or not.
        over_cap: verdicts over the cap: demotions and watches.
        answered: check-ins answered.
        expected: check-ins asked for.
        kpi: the cycle's result.

    Raises:
        ValueError: for impossible counts.
    """

    number: int
    samples: int
    passes: int
    risky: int
    over_cap: int
    answered: int
    expected: int
    kpi: Outcome

    def __post_init__(self) -> None:
        if not (0 <= self.passes <= self.samples and 0 <= self.risky <= self.samples):
            raise ValueError(f"{self.passes} passes and {self.risky} risky of {self.samples} samples")
        if not (0 <= self.answered <= self.expected and self.over_cap >= 0):
            raise ValueError(f"{self.answered} of {self.expected} check-ins, {self.over_cap} over the cap")

    @property
    def coverage(self) -> float:
        """Answered check-ins as a share of those expected; 0 when none was, because nobody is promoted
        through silence."""
        return self.answered / self.expected if self.expected else 0.0


@dataclass(frozen=True, slots=True)
class Unmet:
    """A condition that isn't met: the actual value, the required one, and the cycle, if it is about one.

    Both are in the condition's own measure: shares from 0 to 1 or counts; None for a yes or no.
    """

    condition: Condition
    found: float | None = None
    needed: float | None = None
    cycle: int | None = None


@dataclass(frozen=True, slots=True)
class PromotionVerdict:
    """A decision and its inputs; judging the same cycles again gives the same verdict.

    Args:
        decision: propose, hold or insufficient.
        unmet: every condition that isn't met; empty for a proposal.
        cycles: the cycles considered, oldest first.
        policy: the thresholds.
        mode: the step's mode.
        leads_to: its mode after the promotion; None at the top of the ladder.
        samples: graded samples over those cycles.
        passes: how many of them passed.
        risky: how many of them were risky.
        bound: the exact lower bound on the true pass rate.
        needed: how many samples decide, given this many failures.
        more: how many more samples decide if all of them pass; 0 if there are enough.
        drift_open: whether a drift is unsettled.
        rubric_revision: the rubric revision in force.
        demoted_on: the rubric revision in force at the last demotion; None without one.
    """

    decision: PromotionDecision
    unmet: tuple[Unmet, ...]
    cycles: tuple[GradedCycle, ...]
    policy: PromotionPolicy
    mode: Mode
    leads_to: Mode | None
    samples: int
    passes: int
    risky: int
    bound: float
    needed: int
    more: int
    drift_open: bool
    rubric_revision: int
    demoted_on: int | None


def samples_short(samples: int, passes: int, risky: int, policy: PromotionPolicy) -> int | None:
    """How many more samples, all passed and none risky, one cycle needs for its shares; None if no number is
    enough.

    0 when passes/samples ≥ accuracy and risky/samples ≤ max_risk already; 1 for a cycle without a sample.

    Raises:
        ValueError: for impossible counts.
    """
    if not (0 <= passes <= samples and 0 <= risky <= samples):
        raise ValueError(f"{passes} passes and {risky} risky of {samples} samples")
    if risky and not policy.max_risk:
        return None

    def short(more: int) -> bool:
        counted = samples + more
        return not counted or (passes + more) / counted < policy.accuracy or risky / counted > policy.max_risk

    least = int((policy.accuracy * samples - passes) / (1 - policy.accuracy)) - 1
    if risky:
        least = max(least, int(risky / policy.max_risk) - samples - 1)
    more = max(0, least)
    while short(more):  # the estimate is at most a few too low, because of rounding
        more += 1
    return more


def judge_promotion(
    *,
    mode: Mode,
    cycles: Sequence[GradedCycle],
    policy: PromotionPolicy,
    drift_open: bool,
    rubric_revision: int,
    demoted_on: int | None,
) -> PromotionVerdict:
    """Judge whether a step is proposed for the next mode of the ladder (SPEC §5).

    - In each of the last `policy.cycles` cycles: passes/samples ≥ accuracy, risky/samples ≤ max_risk, no
      verdict over the cap, coverage ≥ 80%, the KPI met; and over them the exact lower bound ≥ accuracy.
    - No open drift; not AI-led already; after a demotion, a newer rubric revision than the one that failed.
    - `insufficient` if only samples or closed cycles are missing; else `hold`. All unmet conditions are
      listed, not only the first.

    Args:
        mode: the step's current mode.
        cycles: the closed cycles of the step in this mode, on this rubric and version, oldest first.
        policy: the thresholds.
        drift_open: whether a drift of the step waits for the owner's answer.
        rubric_revision: the rubric revision in force, counted upwards.
        demoted_on: the rubric revision in force when the step was last demoted; None if it never was.

    Raises:
        ValueError: for cycles out of order.
    """
    if any(before.number >= after.number for before, after in pairwise(cycles)):
        raise ValueError("the cycles must be in order, oldest first")
    judged = tuple(cycles[-policy.cycles :])
    samples, passes = sum(one.samples for one in judged), sum(one.passes for one in judged)
    needed = samples_needed(samples - passes, policy.accuracy, policy.confidence)
    empty = sum(one.samples == 0 for one in judged)
    leads_to = LADDER[rank(mode) + 1] if mode is not LADDER[-1] else None
    unmet = list(_standing(leads_to, drift_open, rubric_revision, demoted_on))
    if len(judged) < policy.cycles:
        unmet.append(Unmet(Condition.CYCLES, len(judged), policy.cycles))
    for cycle in judged:
        unmet.extend(_unmet_in(cycle, policy))
    if samples < needed:
        unmet.append(Unmet(Condition.SAMPLES, samples, needed))
    return PromotionVerdict(
        decision=_decision(unmet),
        unmet=tuple(unmet),
        cycles=judged,
        policy=policy,
        mode=mode,
        leads_to=leads_to,
        samples=samples,
        passes=passes,
        risky=sum(one.risky for one in judged),
        bound=lower_bound(passes, samples, policy.confidence),
        needed=needed,
        more=max(needed - samples, empty),
        drift_open=drift_open,
        rubric_revision=rubric_revision,
        demoted_on=demoted_on,
    )


def _decision(unmet: Sequence[Unmet]) -> PromotionDecision:
    if not unmet:
        return PromotionDecision.PROPOSE
    sparse = all(one.condition in SPARSE for one in unmet)
    return PromotionDecision.INSUFFICIENT if sparse else PromotionDecision.HOLD


def _standing(
    leads_to: Mode | None, drift_open: bool, rubric_revision: int, demoted_on: int | None
) -> Iterator[Unmet]:
    """The conditions that are unmet whatever the cycles show."""
    if leads_to is None:
        yield Unmet(Condition.HIGHER_MODE)
    if demoted_on is not None and rubric_revision <= demoted_on:
        yield Unmet(Condition.RUBRIC_REVISION, rubric_revision, demoted_on + 1)
    if drift_open:
        yield Unmet(Condition.NO_DRIFT)


def _unmet_in(cycle: GradedCycle, policy: PromotionPolicy) -> Iterator[Unmet]:
    """The conditions that are unmet in one cycle; shares are compared as divided, so exactly 90% meets
    0.90."""
    if cycle.samples == 0:
        yield Unmet(Condition.GRADED, 0, 1, cycle.number)
    else:
        accuracy, risk = cycle.passes / cycle.samples, cycle.risky / cycle.samples
        if accuracy < policy.accuracy:
            yield Unmet(Condition.ACCURACY, accuracy, policy.accuracy, cycle.number)
        if risk > policy.max_risk:
            yield Unmet(Condition.RISK, risk, policy.max_risk, cycle.number)
    if cycle.over_cap:
        yield Unmet(Condition.UNDER_CAP, cycle.over_cap, 0, cycle.number)
    if cycle.coverage < policy.coverage:
        yield Unmet(Condition.COVERAGE, cycle.coverage, policy.coverage, cycle.number)
    if cycle.kpi is not Outcome.MET:
        yield Unmet(Condition.KPI_MET, cycle=cycle.number)
