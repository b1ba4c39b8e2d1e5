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
REPORTED, FOUND, DECLARED, BACK_TO_PLAN, WITHDRAWN = DriftEvent


WEEKS, SHARE = DriftLine


def attested(week: int, *modes: Mode, declared: Mode = AI, by: str = "") -> list[StepAttestation]:
    """Attestations of one week, each by another person (A, B, C and so on) unless `by` names them."""
    members = by or "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [
        StepAttestation(week, mode, declared, member) for mode, member in zip(modes, members, strict=False)
    ]


@pytest.mark.parametrize(
    ("attestations", "awaited", "lines"),
    [
        ([], 0, ()),
        (attested(1, AI, AI, AI), 0, ()),
        (attested(1, BOTH, AI, AI, AI, AI), 0, ()),  # exactly 20% is not more than 20%
        (attested(1, BOTH, AI, AI), 0, ()),  # a third of three is one honest answer
        (attested(1, BOTH, BOTH, BOTH, BOTH), 0, ()),  # four are fewer than five
        (attested(1, BOTH, BOTH, AI, AI, AI), 0, (SHARE,)),
        (
            attested(1, BOTH, BOTH, AI, AI, AI),
            5,
            (),
        ),  # 2 of 10: those awaited may still attest it as declared
        (attested(1, BOTH, BOTH, AI, AI, AI), 4, (SHARE,)),
        (attested(1, BOTH, BOTH), 3, ()),  # five are awaited, not attested
        (attested(1, BOTH, *[AI] * 9) + attested(2, BOTH, *[AI] * 9), 0, ()),  # one person, twice
        (attested(1, BOTH, *[AI] * 9) + attested(2, AI, BOTH, *[AI] * 8), 0, (WEEKS,)),
        (attested(1, BOTH, BOTH, *[AI] * 18), 0, ()),  # two people in the same week
        (attested(1, BOTH, *[AI] * 9) + attested(4, HUMAN, *[AI] * 9, by="BACDEFGHIJ"), 0, (WEEKS,)),
        (attested(1, BOTH, AI) + attested(2, AI, BOTH), 0, (WEEKS,)),
        (attested(1, BOTH, AI, AI) + attested(2, AI, BOTH), 0, (WEEKS, SHARE)),
        (attested(1, BOTH, AI, AI) + attested(2, BOTH, AI, AI), 0, (SHARE,)),  # one person's: 2 of 6
        (attested(1, *[AI] * 5, declared=BOTH), 3, (SHARE,)),  # leaning on AI more than declared is drift too
    ],
)
def test_two_people_in_two_weeks_or_more_than_a_fifth_of_five(
    attestations: list[StepAttestation], awaited: int, lines: tuple[DriftLine, ...]
) -> None:
    verdict = judge_drift(attestations, awaited=awaited)
    assert verdict.lines == lines
    assert verdict.found == bool(lines)


@pytest.mark.parametrize(
    ("attestations", "by", "alone"),
    [
        ([], (), False),
        (attested(1, AI, AI), (), False),
        (attested(1, AI, BOTH), ("B",), True),
        (attested(1, AI, BOTH) + attested(2, AI, HUMAN), ("B",), True),
        (attested(1, AI, BOTH) + attested(2, BOTH, AI), ("A", "B"), False),
    ],
)
def test_it_says_whether_one_person_alone_reports_it(
    attestations: list[StepAttestation], by: tuple[str, ...], alone: bool
) -> None:
    verdict = judge_drift(attestations)
    assert (verdict.by, verdict.alone) == (by, alone)


def test_it_says_the_counts_and_the_mode_really_used() -> None:
    verdict = judge_drift(attested(3, BOTH, BOTH, HUMAN, AI) + attested(1, BOTH), awaited=5)
    assert (verdict.drifted, verdict.attested, verdict.awaited, verdict.share) == (4, 5, 5, 0.4)
    assert (verdict.weeks, verdict.used, verdict.policy) == ((1, 3), BOTH, DriftPolicy())
    assert judge_drift(attested(1, BOTH, HUMAN)).used is HUMAN  # as frequent: the safer one
    assert judge_drift(attested(1, HUMAN, BOTH)).used is HUMAN
    assert judge_drift(attested(1, AI)).used is None
    assert [judge_drift(attested(1, *modes)).also for modes in ([BOTH, HUMAN], [BOTH, BOTH], [AI])] == [
        BOTH,
        None,
        None,
    ]


def test_a_mode_declared_meanwhile_is_what_later_attestations_are_held_against() -> None:
    weeks = attested(1, BOTH, *[AI] * 5, declared=AI) + attested(2, *[BOTH] * 6, declared=BOTH)
    assert not judge_drift(weeks).found


def test_other_thresholds_can_be_tried() -> None:
    one_in_four = attested(1, BOTH, AI, AI, AI)
    assert not judge_drift(one_in_four, policy=DriftPolicy(share=0.25, attestations=1)).found
    assert judge_drift(one_in_four, policy=DriftPolicy(attestations=4)).lines == (SHARE,)
    assert judge_drift(one_in_four, policy=DriftPolicy(weeks=1, people=1)).lines == (WEEKS,)
    assert not judge_drift(attested(1, AI), policy=DriftPolicy(weeks=0, people=0)).found
    with pytest.raises(ValueError, match="awaited"):
        judge_drift([], awaited=-1)


@pytest.mark.parametrize(
    ("events", "is_open"),
    [
        ([], False),
        ([FOUND], True),
        ([FOUND, DECLARED], False),
        ([FOUND, BACK_TO_PLAN], False),
        ([DECLARED], False),
        ([FOUND, BACK_TO_PLAN, FOUND], True),
        ([FOUND, FOUND, DECLARED], False),
        ([FOUND, WITHDRAWN], False),
        ([FOUND, WITHDRAWN, FOUND], True),
        ([REPORTED], False),
        ([REPORTED, FOUND], True),
        ([FOUND, REPORTED], True),
        ([FOUND, FOUND], True),
    ],
)
def test_a_drift_is_open_until_the_owner_answers(events: list[DriftEvent], is_open: bool) -> None:
    assert open_drift(events) is is_open


attestations_of = st.lists(
    st.builds(
        StepAttestation,
        st.integers(1, 4),
        st.sampled_from(LADDER),
        st.sampled_from(LADDER),
        st.sampled_from("ABC"),
    ),
    max_size=30,
)


@given(attestations_of, st.integers(0, 10), st.integers(1, 4), st.sampled_from(LADDER))
def test_as_declared_never_makes_drift_and_drift_never_ends_it(
    attestations: list[StepAttestation], awaited: int, week: int, mode: Mode
) -> None:
    before = judge_drift(attestations, awaited=awaited)
    assert before == judge_drift(attestations[::-1], awaited=awaited)
    good = judge_drift([*attestations, StepAttestation(week, mode, mode, "A")], awaited=awaited)
    fifth = {SHARE} if len(attestations) == 4 else set()  # the fifth attestation lets the share count
    assert set(good.lines) <= {*before.lines, *fifth}
    bad = StepAttestation(week, mode, LADDER[LADDER.index(mode) - 1], "A")
    assert set(judge_drift([*attestations, bad], awaited=awaited).lines) >= set(before.lines)


@given(attestations_of, st.integers(0, 10))
def test_two_weeks_never_speak_of_one_person(attestations: list[StepAttestation], awaited: int) -> None:
    verdict = judge_drift(attestations, awaited=awaited)
    assert not (verdict.alone and WEEKS in verdict.lines)
    assert not verdict.found or verdict.drifted
