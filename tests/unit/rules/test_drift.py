"""Drift: both lines on both sides, the benefit of the doubt, and when a drift is open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadence.rules.drift import (
    DriftEvent,
    DriftLine,
    DriftPolicy,
    StepAttestation,
    judge_drift,
    open_drift,
)
from cadence.rules.modes import LADDER, Mode

HUMAN, BOTH, AI = LADDER
FOUND, DECLARED, RECOMMITTED, WITHDRAWN = DriftEvent


def attested(week: int, *modes: Mode, declared: Mode = AI) -> list[StepAttestation]:
    return [StepAttestation(week, mode, declared) for mode in modes]


@pytest.mark.parametrize(
    ("attestations", "awaited", "lines"),
    [
        ([], 0, ()),
        (attested(1, AI, AI, AI), 0, ()),
        (attested(1, BOTH, AI, AI, AI, AI), 0, ()),  # exactly 20% is not more than 20%
        (attested(1, BOTH, AI, AI, AI), 0, (DriftLine.SHARE,)),
        (attested(1, BOTH, AI, AI, AI), 1, ()),  # the fifth may still attest it as declared
        (attested(1, BOTH), 0, (DriftLine.SHARE,)),
        (attested(1, BOTH), 4, ()),  # the first answer of a week is not 100%
        (attested(1, BOTH, *[AI] * 9) + attested(2, BOTH, *[AI] * 9), 0, (DriftLine.WEEKS,)),
        (attested(1, BOTH, BOTH, *[AI] * 18), 0, ()),  # twice in the same week is one week
        (attested(1, BOTH, *[AI] * 9) + attested(4, HUMAN, *[AI] * 9), 0, (DriftLine.WEEKS,)),
        (attested(1, BOTH, AI) + attested(2, BOTH, AI), 0, (DriftLine.WEEKS, DriftLine.SHARE)),
        (
            attested(1, AI, AI, declared=BOTH),
            3,
            (DriftLine.SHARE,),
        ),  # leaning on AI more than declared is drift too
    ],
)
def test_two_weeks_or_more_than_a_fifth(
    attestations: list[StepAttestation], awaited: int, lines: tuple[DriftLine, ...]
) -> None:
    verdict = judge_drift(attestations, awaited=awaited)
    assert verdict.lines == lines
    assert verdict.found == bool(lines)


def test_it_says_the_counts_and_the_mode_really_used() -> None:
    verdict = judge_drift(attested(3, BOTH, BOTH, HUMAN, AI) + attested(1, BOTH), awaited=5)
    assert (verdict.drifted, verdict.attested, verdict.awaited, verdict.share) == (4, 5, 5, 0.4)
    assert (verdict.weeks, verdict.used, verdict.policy) == ((1, 3), BOTH, DriftPolicy())
    assert judge_drift(attested(1, BOTH, HUMAN)).used is HUMAN  # as frequent: the safer one
    assert judge_drift(attested(1, HUMAN, BOTH)).used is HUMAN
    assert judge_drift(attested(1, AI)).used is None


def test_a_mode_declared_meanwhile_is_what_later_attestations_are_held_against() -> None:
    weeks = attested(1, BOTH, *[AI] * 5, declared=AI) + attested(2, *[BOTH] * 6, declared=BOTH)
    assert not judge_drift(weeks).found


def test_other_thresholds_can_be_tried() -> None:
    one_in_four = attested(1, BOTH, AI, AI, AI)
    assert not judge_drift(one_in_four, policy=DriftPolicy(share=0.25)).found
    assert judge_drift(one_in_four, policy=DriftPolicy(weeks=1, share=0.5)).lines == (DriftLine.WEEKS,)
    assert not judge_drift(attested(1, AI), policy=DriftPolicy(weeks=0)).found
    with pytest.raises(ValueError, match="awaited"):
        judge_drift([], awaited=-1)


@pytest.mark.parametrize(
    ("events", "is_open"),
    [
        ([], False),
        ([FOUND], True),
        ([FOUND, DECLARED], False),
        ([FOUND, RECOMMITTED], False),
        ([DECLARED], False),
        ([FOUND, RECOMMITTED, FOUND], True),
        ([FOUND, FOUND, DECLARED], False),
        ([FOUND, WITHDRAWN], False),
        ([FOUND, WITHDRAWN, FOUND], True),
    ],
)
def test_a_drift_is_open_until_the_owner_answers(events: list[DriftEvent], is_open: bool) -> None:
    assert open_drift(events) is is_open


attestations_of = st.lists(
    st.builds(StepAttestation, st.integers(1, 4), st.sampled_from(LADDER), st.sampled_from(LADDER)),
    max_size=30,
)


@given(attestations_of, st.integers(0, 10), st.integers(1, 4), st.sampled_from(LADDER))
def test_as_declared_never_makes_drift_and_drift_never_ends_it(
    attestations: list[StepAttestation], awaited: int, week: int, mode: Mode
) -> None:
    before = judge_drift(attestations, awaited=awaited)
    assert before == judge_drift(attestations[::-1], awaited=awaited)
    good = StepAttestation(week, mode, mode)
    assert set(judge_drift([*attestations, good], awaited=awaited).lines) <= set(before.lines)
    bad = StepAttestation(week, mode, LADDER[LADDER.index(mode) - 1])
    assert set(judge_drift([*attestations, bad], awaited=awaited).lines) >= set(before.lines)
