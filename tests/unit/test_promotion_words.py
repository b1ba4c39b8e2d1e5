"""How many samples a promotion still needs, said so that it holds for the next look (SPEC §5)."""

import pytest

from cadence.flows.promotions.looks import unmet_words
from cadence.rules.kpi import Outcome
from cadence.rules.modes import Mode
from cadence.rules.promotions import GradedCycle, PromotionPolicy, judge_promotion


def graded(number: int, passes: int, samples: int) -> GradedCycle:
    return GradedCycle(
        number=number,
        samples=samples,
        passes=passes,
        risky=0,
        over_cap=0,
        answered=4,
        expected=4,
        kpi=Outcome.MET,
    )


@pytest.mark.parametrize(
    ("counts", "cycles", "said"),
    [
        ([(24, 25)], 2, "25 of 46 samples with 1 failure: 21 more samples in cycle 2 would decide it"),
        (
            [(24, 25), (20, 20)],
            2,
            "45 of 46 samples with 1 failure: "
            "9 more samples in cycle 3 would decide it (the 20 of cycle 2 still count)",
        ),
        (
            [(20, 20), (24, 25)],
            2,
            "45 of 46 samples with 1 failure: "
            "21 more samples in cycle 3 would decide it (the 25 of cycle 2 still count)",
        ),
        ([(12, 12)], 1, "12 of 29 samples: 29 more samples in cycle 2 would decide it"),
    ],
)
def test_what_the_next_look_needs_leaves_the_oldest_cycle_out(
    counts: list[tuple[int, int]], cycles: int, said: str
) -> None:
    verdict = judge_promotion(
        mode=Mode.COLLABORATIVE,
        cycles=[graded(number, *each) for number, each in enumerate(counts, start=1)],
        policy=PromotionPolicy(accuracy=0.9, max_risk=0.02, cycles=cycles),
        drift_open=False,
        rubric_revision=1,
        demoted_on=None,
    )
    assert said in unmet_words(verdict)
