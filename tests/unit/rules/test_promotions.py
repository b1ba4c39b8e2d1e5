"""A promotion: every condition on both sides of its boundary, the exact bound, and what holds for any counts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadence.rules.kpi import Outcome
from cadence.rules.modes import LADDER, Mode
from cadence.rules.promotions import (
    SPARSE,
    Condition,
    GradedCycle,
    PromotionDecision,
    PromotionPolicy,
    PromotionVerdict,
    Unmet,
    judge_promotion,
    samples_short,
)
from cadence.rules.samples import lower_bound, samples_needed

PROPOSE, HOLD, INSUFFICIENT = PromotionDecision
POLICY = PromotionPolicy()
WELL = GradedCycle(1, samples=23, passes=23, risky=0, over_cap=0, answered=10, expected=10, kpi=Outcome.MET)


def judged(
    *cycles: GradedCycle,
    mode: Mode = Mode.COLLABORATIVE,
    policy: PromotionPolicy = POLICY,
    drift_open: bool = False,
    rubric_revision: int = 1,
    demoted_on: int | None = None,
) -> PromotionVerdict:
    return judge_promotion(
        mode=mode,
        cycles=[replace(cycle, number=number) for number, cycle in enumerate(cycles, start=1)],
        policy=policy,
        drift_open=drift_open,
        rubric_revision=rubric_revision,
        demoted_on=demoted_on,
    )


def graded(samples: int, failures: int = 0, risky: int = 0) -> GradedCycle:
    return replace(WELL, samples=samples, passes=samples - failures, risky=risky)


@pytest.mark.parametrize(("failures", "samples"), [(0, 29), (1, 46), (2, 61), (3, 76)])
def test_the_samples_that_decide_at_ninety_percent(failures: int, samples: int) -> None:
    assert samples_needed(failures, 0.90) == samples
    assert lower_bound(samples - failures, samples) >= 0.90
    assert lower_bound(samples - 1 - failures, samples - 1) < 0.90
    first = samples // 2
    at = judged(graded(first), graded(samples - first, failures))
    below = judged(graded(first), graded(samples - first - 1, failures))
    assert (at.decision, at.unmet, at.needed, at.more) == (PROPOSE, (), samples, 0)
    assert (below.decision, below.needed, below.more) == (INSUFFICIENT, samples, 1)
    assert below.unmet == (Unmet(Condition.SAMPLES, samples - 1, samples),)


@given(st.integers(1, 600).flatmap(lambda samples: st.tuples(st.integers(0, samples), st.just(samples))))
def test_the_bound_is_the_exact_one(counts: tuple[int, int]) -> None:
    from scipy.stats import binomtest  # slow to import

    passes, samples = counts
    exact = binomtest(passes, samples, alternative="greater").proportion_ci(0.95, method="exact").low
    assert lower_bound(passes, samples) == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize(("passes", "samples", "bound"), [(60, 61, 0.9246), (29, 29, 0.9019), (0, 9, 0)])
def test_bounds_people_read(passes: int, samples: int, bound: float) -> None:
    assert lower_bound(passes, samples) == pytest.approx(bound, abs=5e-5)


@pytest.mark.parametrize(
    ("samples", "passes", "risky", "max_risk", "more"),
    [
        (29, 28, 1, 0.02, 21),
        (46, 45, 1, 0.02, 4),
        (50, 49, 1, 0.02, 0),
        (30, 30, 2, 0.02, 70),
        (20, 17, 0, 0.02, 10),
        (30, 27, 0, 0.02, 0),
        (0, 0, 0, 0.02, 1),
        (10, 10, 10, 1.0, 0),
        (29, 28, 1, 0.0, None),
        (29, 28, 0, 0.0, 0),
    ],
)
def test_the_samples_that_bring_a_cycles_shares_where_they_must_be(
    samples: int, passes: int, risky: int, max_risk: float, more: int | None
) -> None:
    policy = PromotionPolicy(max_risk=max_risk)
    assert samples_short(samples, passes, risky, policy) == more
    if more is None:
        return
    unmet = [
        {
            one.condition
            for one in judged(replace(WELL, samples=n, passes=n - failed, risky=risky), policy=policy).unmet
        }
        for failed in [samples - passes]
        for n in ([samples + more, samples + more - 1] if more else [samples])
    ]
    shares = {Condition.ACCURACY, Condition.RISK, Condition.GRADED}
    assert not unmet[0] & shares
    assert all(one & shares for one in unmet[1:])


@given(failures=st.integers(0, 60), accuracy=st.floats(0.05, 0.995), confidence=st.floats(0.5, 0.999))
def test_the_samples_needed_are_the_first_that_decide(
    failures: int, accuracy: float, confidence: float
) -> None:
    needed = samples_needed(failures, accuracy, confidence)
    assert lower_bound(needed - failures, needed, confidence) >= accuracy
    if needed > failures + 1:
        assert lower_bound(needed - 1 - failures, needed - 1, confidence) < accuracy
    assert samples_needed(failures + 1, accuracy, confidence) > needed


def test_not_yet_says_how_many_more() -> None:
    verdict = judged(graded(20), graded(18, failures=1))
    assert verdict.decision is INSUFFICIENT
    assert (verdict.samples, verdict.passes, verdict.needed, verdict.more) == (38, 37, 46, 8)
    assert verdict.unmet == (Unmet(Condition.SAMPLES, 38, 46),)


@pytest.mark.parametrize(
    ("second", "unmet"),
    [
        (graded(30, failures=3), None),  # exactly 90% is at 0.90
        (graded(29, failures=3), Unmet(Condition.ACCURACY, 26 / 29, 0.90, 2)),
        (graded(50, risky=1), None),  # exactly 2% is within it
        (graded(49, risky=1), Unmet(Condition.RISK, 1 / 49, 0.02, 2)),
        (replace(WELL, over_cap=1), Unmet(Condition.UNDER_CAP, 1, 0, 2)),
        (replace(WELL, answered=8), None),  # exactly 80%
        (replace(WELL, answered=7), Unmet(Condition.COVERAGE, 0.7, 0.80, 2)),
        (replace(WELL, answered=0, expected=0), Unmet(Condition.COVERAGE, 0.0, 0.80, 2)),
        (replace(WELL, kpi=Outcome.NOT_MET), Unmet(Condition.KPI_MET, cycle=2)),
        (replace(WELL, kpi=Outcome.INSUFFICIENT), Unmet(Condition.KPI_MET, cycle=2)),
    ],
)
def test_each_cycle_must_hold_by_itself(second: GradedCycle, unmet: Unmet | None) -> None:
    verdict = judged(graded(100), second)
    assert verdict.unmet == ((unmet,) if unmet else ())
    assert verdict.decision is (HOLD if unmet else PROPOSE)
    swapped = judged(second, graded(100))
    assert swapped.unmet == ((replace(unmet, cycle=1),) if unmet else ())


def test_a_cycle_without_samples_leaves_it_open_however_many_the_other_has() -> None:
    verdict = judged(graded(100), graded(0))
    assert (verdict.decision, verdict.more) == (INSUFFICIENT, 1)
    assert verdict.unmet == (Unmet(Condition.GRADED, 0, 1, 2),)
    nothing = judged(graded(0), graded(0))
    assert (nothing.decision, nothing.more, nothing.bound) == (INSUFFICIENT, 29, 0.0)


def test_too_few_cycles_are_waited_for() -> None:
    assert judged(graded(60)).unmet == (Unmet(Condition.CYCLES, 1, 2),)
    assert judged(graded(60)).decision is INSUFFICIENT
    first = judged()
    assert (first.decision, first.more) == (INSUFFICIENT, 29)
    assert first.unmet == (Unmet(Condition.CYCLES, 0, 2), Unmet(Condition.SAMPLES, 0, 29))
    assert judged(graded(29), policy=replace(POLICY, cycles=1)).decision is PROPOSE


def test_only_the_last_cycles_are_looked_at() -> None:
    failed = replace(graded(40, failures=20), over_cap=3, kpi=Outcome.NOT_MET, answered=0)
    verdict = judged(failed, WELL, WELL)
    assert (verdict.decision, verdict.samples) == (PROPOSE, 46)
    assert [cycle.number for cycle in verdict.cycles] == [2, 3]
    assert judged(failed, WELL, WELL, policy=replace(POLICY, cycles=3)).decision is HOLD


@pytest.mark.parametrize(
    ("mode", "leads_to", "decision"),
    [
        (Mode.HUMAN_LED, Mode.COLLABORATIVE, PROPOSE),
        (Mode.COLLABORATIVE, Mode.AI_LED, PROPOSE),
        (Mode.AI_LED, None, HOLD),
    ],
)
def test_one_level_up_and_not_beyond_the_top(
    mode: Mode, leads_to: Mode | None, decision: PromotionDecision
) -> None:
    verdict = judged(WELL, WELL, mode=mode)
    assert (verdict.mode, verdict.leads_to, verdict.decision) == (mode, leads_to, decision)
    assert [one.condition for one in verdict.unmet] == ([] if leads_to else [Condition.HIGHER_MODE])


@pytest.mark.parametrize(
    ("revision", "demoted_on", "decision"), [(3, None, PROPOSE), (3, 2, PROPOSE), (3, 3, HOLD), (2, 3, HOLD)]
)
def test_after_a_demotion_the_rubric_is_revised_first(
    revision: int, demoted_on: int | None, decision: PromotionDecision
) -> None:
    verdict = judged(WELL, WELL, rubric_revision=revision, demoted_on=demoted_on)
    assert verdict.decision is decision
    if decision is HOLD and demoted_on is not None:
        assert verdict.unmet == (Unmet(Condition.RUBRIC_REVISION, revision, demoted_on + 1),)


def test_an_open_drift_holds() -> None:
    verdict = judged(WELL, WELL, drift_open=True)
    assert (verdict.decision, verdict.unmet) == (HOLD, (Unmet(Condition.NO_DRIFT),))


def test_everything_that_is_missing_is_listed() -> None:
    bad = replace(graded(10, failures=5, risky=5), over_cap=2, answered=1, kpi=Outcome.NOT_MET)
    verdict = judged(bad, mode=Mode.AI_LED, drift_open=True, rubric_revision=1, demoted_on=1)
    named = {one.condition for one in verdict.unmet}
    assert named == set(Condition) - {Condition.GRADED}
    assert verdict.decision is HOLD
    assert (verdict.samples, verdict.passes, verdict.risky) == (10, 5, 5)
    assert verdict.more == samples_needed(5, 0.90) - 10
    both = judged(bad, bad)
    assert [one.cycle for one in both.unmet if one.condition is Condition.ACCURACY] == [1, 2]


@pytest.mark.parametrize(
    "change",
    [
        {"passes": 24},
        {"passes": -1},
        {"risky": 24},
        {"risky": -1},
        {"answered": 11},
        {"answered": -1},
        {"over_cap": -1},
    ],
)
def test_counts_that_cannot_be_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="of"):
        replace(WELL, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"accuracy": 1.0},
        {"accuracy": 0.0},
        {"confidence": 1.0},
        {"max_risk": 1.1},
        {"coverage": -0.1},
        {"cycles": 0},
    ],
)
def test_thresholds_that_nothing_can_meet_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"can't be shown|outside"):
        replace(POLICY, **change)  # type: ignore[arg-type]


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="oldest first"):
        judge_promotion(
            mode=Mode.HUMAN_LED,
            cycles=[WELL, WELL],
            policy=POLICY,
            drift_open=False,
            rubric_revision=1,
            demoted_on=None,
        )
    for passes, samples in ((3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="passes of"):
            lower_bound(passes, samples)
    for failures, accuracy, confidence in ((-1, 0.9, 0.95), (0, 1.0, 0.95), (0, 0.9, 1.0), (0, 0.0, 0.9)):
        with pytest.raises(ValueError, match="failures at"):
            samples_needed(failures, accuracy, confidence)


@st.composite
def cycle_of(draw: st.DrawFn, risky: bool = True) -> GradedCycle:
    samples = draw(st.integers(0, 80))
    failures = draw(st.integers(0, min(samples, 6)))
    expected = draw(st.integers(0, 12))
    return GradedCycle(
        number=1,
        samples=samples,
        passes=samples - failures,
        risky=draw(st.integers(0, min(samples, 2))) if risky else 0,
        over_cap=draw(st.sampled_from([0, 0, 0, 1])),
        answered=draw(st.integers(expected * 3 // 4, expected)),
        expected=expected,
        kpi=draw(st.sampled_from([Outcome.MET, Outcome.MET, Outcome.NOT_MET])),
    )


policies = st.builds(
    PromotionPolicy,
    accuracy=st.floats(0.5, 0.97),
    max_risk=st.sampled_from([0.0, 0.02, 0.1]),
    cycles=st.integers(1, 3),
)
pairs = st.lists(cycle_of(), min_size=1, max_size=4)


@given(cycles=pairs, policy=policies, mode=st.sampled_from(LADDER), drift_open=st.booleans())
def test_any_cycles_can_be_judged_and_judging_twice_is_equal(
    cycles: list[GradedCycle], policy: PromotionPolicy, mode: Mode, drift_open: bool
) -> None:
    verdict = judged(*cycles, policy=policy, mode=mode, drift_open=drift_open)
    assert verdict == judged(*cycles, policy=policy, mode=mode, drift_open=drift_open)
    conditions = {one.condition for one in verdict.unmet}
    assert (verdict.decision is PROPOSE) == (not conditions)
    assert (verdict.decision is INSUFFICIENT) == (bool(conditions) and conditions <= SPARSE)
    assert (verdict.bound >= policy.accuracy) == (Condition.SAMPLES not in conditions)
    assert len(verdict.unmet) == len({(one.condition, one.cycle) for one in verdict.unmet})


@given(cycles=pairs, policy=policies, where=st.integers(0, 3))
def test_another_pass_never_hurts(cycles: list[GradedCycle], policy: PromotionPolicy, where: int) -> None:
    at = where % len(cycles)
    more = [*cycles]
    more[at] = replace(more[at], samples=more[at].samples + 1, passes=more[at].passes + 1)
    before, after = judged(*cycles, policy=policy), judged(*more, policy=policy)
    missing = {(one.condition, one.cycle) for one in before.unmet}
    assert {(one.condition, one.cycle) for one in after.unmet} <= missing
    assert after.bound >= before.bound
    assert after.more <= before.more


@given(
    cycles=st.lists(cycle_of(risky=False), min_size=1, max_size=4),
    policy=policies,
    where=st.integers(0, 3),
    risky=st.booleans(),
)
def test_another_failure_never_helps(
    cycles: list[GradedCycle], policy: PromotionPolicy, where: int, risky: bool
) -> None:
    at = where % len(cycles)
    worse = [*cycles]
    worse[at] = replace(worse[at], samples=worse[at].samples + 1, risky=int(risky))
    before, after = judged(*cycles, policy=policy), judged(*worse, policy=policy)
    assert after.decision is not PROPOSE or before.decision is PROPOSE
    assert after.bound <= before.bound
    assert after.more >= before.more or Condition.GRADED in {one.condition for one in before.unmet}


@given(cycles=st.lists(cycle_of(risky=False), min_size=2, max_size=2))
def test_the_samples_it_asks_for_are_enough_and_one_fewer_is_not(cycles: list[GradedCycle]) -> None:
    verdict = judged(*cycles)
    if verdict.decision is not INSUFFICIENT:
        return
    empty = [at for at, cycle in enumerate(cycles) if cycle.samples == 0]
    for given_more, expected in ((verdict.more, PROPOSE), (verdict.more - 1, INSUFFICIENT)):
        extra = [int(at in empty) for at in range(2)]
        extra[-1] += given_more - sum(extra)
        if min(extra) < 0:
            continue
        topped = [
            replace(cycle, samples=cycle.samples + add, passes=cycle.passes + add)
            for cycle, add in zip(cycles, extra, strict=True)
        ]
        assert judged(*topped).decision is expected
