"""N in its two parts, and the posterior, checked against SciPy's own beta distribution."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from cadence.rules.evidence import (
    MemberWeek,
    Runs,
    count_runs,
    demotion_count,
    probability_above,
    typical_runs,
)

CONFIDENCE, LEAST = 0.90, 2


@pytest.mark.parametrize(
    ("latest", "typical"),
    [
        ([12], 12),
        ([12, 8], 10),
        ([3, 9, 6], 6),
        ([10, 20, 30, 40], 25),
        ([10, 20, 30, 40, 1000, 1000], 25),  # only the last four count
        ([0, 0, 0, 7], 0),  # who says week after week that they don't run it is believed
    ],
)
def test_typical_runs_are_the_median_of_the_last_four_answers(latest: list[int], typical: float) -> None:
    assert typical_runs(latest, runs_per_week=40, members=3) == typical


@pytest.mark.parametrize(("members", "share"), [(1, 40), (3, 40 / 3), (4, 10), (0, 40)])
def test_without_an_answer_everyone_has_an_even_share(members: int, share: float) -> None:
    assert typical_runs([], runs_per_week=40, members=members) == pytest.approx(share)


@given(runs_per_week=st.integers(1, 5_000), members=st.integers(1, 200))
def test_even_shares_add_up_to_the_week(runs_per_week: int, members: int) -> None:
    share = typical_runs([], runs_per_week=runs_per_week, members=members)
    assert count_runs([MemberWeek(None, share)] * members) == Runs(attested=0, assumed=runs_per_week)


@pytest.mark.parametrize(
    ("weeks", "runs"),
    [
        ([], Runs(0, 0)),
        ([MemberWeek(None, 40 / 3)] * 3, Runs(0, 40)),
        ([MemberWeek(10, 40 / 3), MemberWeek(None, 40 / 3), MemberWeek(None, 40 / 3)], Runs(10, 27)),
        ([MemberWeek(0, 13.0), MemberWeek(None, 13.0)], Runs(0, 13)),  # an answered zero stays zero
        ([MemberWeek(14, 2.0)], Runs(14, 0)),  # who has answered is never counted as typical too
        ([MemberWeek(None, 2.5)], Runs(0, 3)),  # half a run is one: the benefit of the doubt
        ([MemberWeek(9, 10.0), MemberWeek(None, 0.25)], Runs(9, 1)),  # missing is never zero
        ([MemberWeek(None, 0.0)], Runs(0, 0)),
    ],
)
def test_n_has_an_attested_and_an_assumed_part(weeks: list[MemberWeek], runs: Runs) -> None:
    assert count_runs(weeks) == runs
    assert count_runs(weeks).total == runs.attested + runs.assumed


@given(
    st.lists(
        st.builds(MemberWeek, st.none() | st.integers(0, 500), st.floats(0, 500, allow_nan=False)),
        max_size=30,
    )
)
def test_a_missing_answer_only_ever_adds_runs(weeks: list[MemberWeek]) -> None:
    counted = count_runs(weeks)
    missing = [week.typical for week in weeks if week.runs is None]
    assert counted.attested == sum(week.runs for week in weeks if week.runs is not None)
    assert abs(counted.assumed - sum(missing)) <= 1
    assert (counted.assumed > 0) == any(share > 0 for share in missing)


@given(
    cap=st.floats(0, 1, allow_nan=False),
    counts=st.tuples(st.integers(0, 400), st.integers(0, 400)),
)
def test_the_posterior_is_jeffreys(cap: float, counts: tuple[int, int]) -> None:
    exceptions, runs = min(counts), max(counts)
    independent = beta(exceptions + 0.5, runs - exceptions + 0.5).sf(cap)
    assert probability_above(cap, exceptions=exceptions, runs=runs) == pytest.approx(independent, abs=1e-9)


@pytest.mark.parametrize(("runs", "exceptions", "percent"), [(40, 4, 53), (40, 5, 72), (40, 7, 93)])
def test_the_percentages_people_read(runs: int, exceptions: int, percent: int) -> None:
    assert round(100 * probability_above(0.10, exceptions=exceptions, runs=runs)) == percent


@pytest.mark.parametrize(
    ("cap", "exceptions", "runs"),
    [(0.1, 3, 2), (0.1, -1, 2), (1.1, 1, 2), (-0.1, 1, 2), (float("nan"), 1, 2)],
)
def test_counts_and_caps_that_make_no_sense_are_refused(cap: float, exceptions: int, runs: int) -> None:
    with pytest.raises(ValueError, match=r"exceptions in|a cap of"):
        probability_above(cap, exceptions=exceptions, runs=runs)


@pytest.mark.parametrize(("runs", "count"), [(5, 2), (10, 3), (20, 4), (30, 6), (40, 7), (60, 10)])
def test_the_count_at_which_evidence_demotes_at_a_cap_of_ten_percent(runs: int, count: int) -> None:
    assert demotion_count(runs=runs, cap=0.10, confidence=CONFIDENCE, least=LEAST) == count
    assert probability_above(0.10, exceptions=count, runs=runs) >= CONFIDENCE
    assert probability_above(0.10, exceptions=count - 1, runs=runs) < CONFIDENCE or count == LEAST


@given(
    runs=st.integers(0, 150),
    cap=st.floats(0, 1, allow_nan=False),
    confidence=st.floats(0.5, 0.999),
    least=st.integers(1, 4),
)
def test_the_demotion_count_is_the_first_crossing(
    runs: int, cap: float, confidence: float, least: int
) -> None:
    """Tried one by one. Each exception is a run, so with fewer runs than `least` N grows along."""
    crossings = [
        count
        for count in range(least, max(runs, least) + 1)
        if probability_above(cap, exceptions=count, runs=max(runs, count)) >= confidence
    ]
    first = crossings[0] if crossings else None
    assert demotion_count(runs=runs, cap=cap, confidence=confidence, least=least) == first
