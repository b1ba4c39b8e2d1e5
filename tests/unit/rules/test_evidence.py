"""N in its three parts, and the posterior, checked against SciPy's own beta distribution."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadence.rules.evidence import (
    MemberWeek,
    Runs,
    TeamWeek,
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
    assert count_runs([TeamWeek((MemberWeek(None, share),) * members)]) == Runs(0, runs_per_week)


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
    assert count_runs([TeamWeek(tuple(weeks))]) == runs
    assert count_runs([TeamWeek((week,)) for week in weeks]) == runs, "however they spread over weeks"
    assert runs.total == runs.attested + runs.assumed


@pytest.mark.parametrize(
    ("week", "runs"),
    [
        # Measured runs replace the typical ones of their member only.
        (TeamWeek((MemberWeek(None, 13.0, 19), MemberWeek(None, 13.0))), Runs(0, 13, measured=19)),
        # A run that was both measured and reported is a measured one; only what was reported beyond is added.
        (TeamWeek((MemberWeek(15, 13.0, 19),)), Runs(0, 0, measured=19)),
        (TeamWeek((MemberWeek(25, 13.0, 19),)), Runs(6, 0, measured=19)),
        (TeamWeek((MemberWeek(0, 13.0, 19),)), Runs(0, 0, measured=19)),  # a tool knows better than a zero
        (TeamWeek((MemberWeek(25, 13.0, 19), MemberWeek(8, 13.0, 10))), Runs(6, 0, measured=29)),
        # Nothing was counted of somebody: they may not use the tool, so they count as without it.
        (TeamWeek((MemberWeek(None, 13.0, 0),)), Runs(0, 13)),
        # A tool that doesn't name members covers the team: nothing is estimated any more.
        (TeamWeek((MemberWeek(None, 13.0), MemberWeek(None, 13.0)), unnamed=31), Runs(0, 0, measured=31)),
        (TeamWeek((MemberWeek(20, 13.0), MemberWeek(None, 13.0)), unnamed=31), Runs(0, 0, measured=31)),
        (TeamWeek((MemberWeek(20, 13.0), MemberWeek(16, 13.0)), unnamed=31), Runs(5, 0, measured=31)),
        # Two tools, one of which names members: what people reported may be either's runs.
        (TeamWeek((MemberWeek(20, 13.0, 12), MemberWeek(16, 13.0)), unnamed=31), Runs(0, 0, measured=43)),
        (TeamWeek((), unnamed=31), Runs(0, 0, measured=31)),
    ],
)
def test_n_in_three_parts(week: TeamWeek, runs: Runs) -> None:
    assert count_runs([week]) == runs
    assert runs.total == runs.measured + runs.attested + runs.assumed


COUNTS = st.integers(0, 500)
MEMBERS = st.builds(MemberWeek, st.none() | COUNTS, st.floats(0, 500, allow_nan=False), COUNTS)
WEEKS = st.lists(st.builds(TeamWeek, st.lists(MEMBERS, max_size=8).map(tuple), COUNTS), max_size=5)


@given(WEEKS)
def test_n_is_at_least_what_tools_counted_and_at_least_what_people_reported(weeks: list[TeamWeek]) -> None:
    counted = count_runs(weeks)
    measured = sum(week.unnamed + sum(one.measured for one in week.members) for week in weeks)
    reported = sum(one.runs or 0 for week in weeks for one in week.members)
    assert counted.measured == measured
    assert counted.total >= max(measured, reported)


@given(WEEKS)
def test_no_run_counts_twice(weeks: list[TeamWeek]) -> None:
    """In each week N is the larger of both counts, member by member or for the team, and what is estimated."""
    for week in weeks:
        counted = count_runs([week])
        tools = sum(one.measured for one in week.members) + week.unnamed
        people = sum(one.runs or 0 for one in week.members)
        if week.unnamed:
            assert (counted.total, counted.assumed) == (max(tools, people), 0)
        else:
            known = sum(max(one.runs or 0, one.measured) for one in week.members)
            silent = [one.typical for one in week.members if one.runs is None and not one.measured]
            assert counted.measured + counted.attested == known
            assert abs(counted.assumed - sum(silent)) <= 1


@given(WEEKS, st.randoms(use_true_random=False))
def test_the_order_of_weeks_and_members_does_not_matter(weeks: list[TeamWeek], chance: Random) -> None:
    whole = [
        TeamWeek(
            tuple(MemberWeek(one.runs, float(int(one.typical)), one.measured) for one in week.members),
            week.unnamed,
        )
        for week in weeks
    ]
    other = [TeamWeek(tuple(chance.sample(week.members, len(week.members))), week.unnamed) for week in whole]
    chance.shuffle(other)
    assert count_runs(other) == count_runs(whole)


@given(WEEKS)
def test_without_measured_runs_the_other_two_parts_are_as_ever(weeks: list[TeamWeek]) -> None:
    members = [MemberWeek(one.runs, one.typical) for week in weeks for one in week.members]
    counted = count_runs([TeamWeek(tuple(members))])
    assumed = sum(one.typical for one in members if one.runs is None)
    assert counted.measured == 0
    assert counted.attested == sum(one.runs for one in members if one.runs is not None)
    assert counted.assumed == max(int(assumed + 0.5), 1 if assumed > 0 else 0)


@given(
    st.lists(
        st.builds(MemberWeek, st.none() | st.integers(0, 500), st.floats(0, 500, allow_nan=False)),
        max_size=30,
    )
)
def test_a_missing_answer_only_ever_adds_runs(weeks: list[MemberWeek]) -> None:
    counted = count_runs([TeamWeek(tuple(weeks))])
    missing = [week.typical for week in weeks if week.runs is None]
    assert counted.attested == sum(week.runs for week in weeks if week.runs is not None)
    assert abs(counted.assumed - sum(missing)) <= 1
    assert (counted.assumed > 0) == any(share > 0 for share in missing)


@given(
    cap=st.floats(0, 1, allow_nan=False),
    counts=st.tuples(st.integers(0, 400), st.integers(0, 400)),
)
def test_the_posterior_is_jeffreys(cap: float, counts: tuple[int, int]) -> None:
    from scipy.stats import beta  # slow to import

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
