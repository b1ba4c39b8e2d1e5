"""Limits, trends, decay: against worked examples, every order of short lines, and SciPy's own tests."""

from collections import Counter
from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cadence.rules.kpi import Direction
from cadence.rules.trend import (
    Course,
    CourseLine,
    CoursePolicy,
    CourseVerdict,
    frozen,
    judge_course,
    levels,
    trend,
    xmr_limits,
)

LOW, HIGH = Direction.LOWER, Direction.HIGHER
HELD = [16.0, 14.0, 15.0, 13.0, 15.0, 14.0, 16.0, 15.0]
STEADY_RUNS = [40.0, 41.0, 39.0, 40.0, 41.0, 39.0, 40.0, 40.0]
FALLING = [40.0, 38.0, 39.0, 35.0, 33.0, 34.0, 30.0, 28.0]


def test_limits_of_a_worked_example() -> None:
    limits = xmr_limits([10, 12, 11, 13, 12, 14])  # moving ranges 2, 1, 2, 1, 2
    assert limits is not None
    assert (limits.centre, limits.points) == (12, 6)
    assert limits.moving_range == pytest.approx(1.6)
    assert limits.lower == pytest.approx(12 - 4.256)
    assert limits.upper == pytest.approx(12 + 4.256)
    assert not limits.worse(limits.upper, LOW)  # on the limit is within it
    assert limits.worse(limits.upper + 0.001, LOW)
    assert not limits.worse(limits.upper + 0.001, HIGH)
    assert limits.worse(limits.lower - 0.001, HIGH)
    assert not limits.worse(limits.lower - 0.001, LOW)


@pytest.mark.parametrize(
    ("values", "points"),
    [
        ([], None),
        ([1.0] * 5, None),
        ([1.0] * 6, 6),
        ([1.0, None] * 5, None),
        ([1.0, None] * 6, 6),  # a missing week is no reading and no zero
    ],
)
def test_limits_need_enough_points(values: list[float | None], points: int | None) -> None:
    limits = xmr_limits(values)
    assert (limits.points if limits else None) == points
    if limits:
        assert limits.lower == limits.upper == 1.0
    assert xmr_limits([1.0], least=1) is None  # one reading has no range
    assert xmr_limits([1.0, 2.0], least=2) is not None


@given(value=st.floats(-1e6, 1e6), count=st.integers(6, 30))
def test_equal_readings_are_never_past_their_own_limits(value: float, count: int) -> None:
    limits = xmr_limits([value] * count)
    assert limits is not None
    assert not limits.worse(value, LOW)
    assert not limits.worse(value, HIGH)


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ()),
        ([None, None], (None, None)),
        ([5, 5, 5], (3, 3, 3)),
        ([0, 7], (0, 7)),
        ([42, None, 14, 28], (7, None, 0, 4)),
        ([-1, 0, 1], (0, 4, 7)),
    ],
)
def test_levels_of_a_sparkline(values: list[float | None], bars: tuple[int | None, ...]) -> None:
    assert levels(values) == bars
    if any(bars):
        with pytest.raises(ValueError, match="shows nothing"):
            levels(values, steps=1)


@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=20), st.integers(2, 12))
def test_levels_keep_the_order(values: list[float | None], steps: int) -> None:
    bars = levels(values, steps=steps)
    assert [bar is None for bar in bars] == [value is None for value in values]
    shown = sorted(
        (value, bar) for value, bar in zip(values, bars, strict=True) if value is not None and bar is not None
    )
    heights = [bar for _, bar in shown]
    assert heights == sorted(heights)
    assert all(0 <= height < steps for height in heights)


@given(st.lists(st.integers(-500, 500), min_size=2, max_size=30, unique=True))
def test_without_ties_it_is_scipys_exact_test(values: list[int]) -> None:
    from scipy.stats import kendalltau, theilslopes  # slow to import

    found = trend(values)
    independent = kendalltau(range(len(values)), values, method="exact")
    assert found.p == pytest.approx(independent.pvalue, abs=1e-9)
    assert found.s / (len(values) * (len(values) - 1) / 2) == pytest.approx(independent.statistic)
    assert found.slope == pytest.approx(theilslopes(values).slope)


@settings(max_examples=60)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_with_ties_it_is_the_share_of_all_orders(values: list[int]) -> None:
    def s_of(order: tuple[int, ...]) -> int:
        return sum(
            (late > early) - (late < early) for at, early in enumerate(order) for late in order[at + 1 :]
        )

    observed = s_of(tuple(values))
    orders = [s_of(order) for order in permutations(values)]
    extreme = sum(abs(one) >= abs(observed) for one in orders)
    found = trend(values)
    assert found.s == observed
    assert found.p == pytest.approx(extreme / len(orders))


@given(st.lists(st.integers(0, 12), min_size=25, max_size=40))
def test_with_ties_and_many_points_it_is_near_the_normal_approximation(values: list[int]) -> None:
    from scipy.stats import kendalltau  # slow to import

    assume(max(Counter(values).values()) <= len(values) // 3)  # with more ties the approximation is poor
    approximate = kendalltau(range(len(values)), values, method="asymptotic").pvalue
    assert trend(values).p == pytest.approx(approximate, abs=0.05)


@given(st.lists(st.none() | st.integers(0, 50), min_size=2, max_size=20))
def test_missing_weeks_take_their_place_in_time(values: list[int | None]) -> None:
    from scipy.stats import theilslopes  # slow to import

    known = [(week, value) for week, value in enumerate(values) if value is not None]
    found = trend(values)
    assert found.points == len(known)
    if len(known) >= 2:
        independent = theilslopes([value for _, value in known], [week for week, _ in known])
        assert found.slope == pytest.approx(independent.slope)
    else:
        assert (found.slope, found.s, found.p) == (0, 0, 1)


@given(st.lists(st.integers(0, 50), max_size=12))
def test_a_line_and_its_mirror_have_the_same_p(values: list[int]) -> None:
    line, mirror = trend(values), trend(values[::-1])
    assert (line.s, line.p, line.slope) == (-mirror.s, mirror.p, -mirror.slope)
    assert not (line.falls(0.1) and line.rises(0.1))
    assert line.falls(0.1) == mirror.rises(0.1)


@pytest.mark.parametrize(
    ("order", "s", "falls"),
    [
        ([8, 7, 6, 5, 4, 3, 2, 1], -28, True),
        ([5, 6, 7, 8, 4, 3, 2, 1], -16, True),  # p = 0.061
        ([5, 6, 7, 8, 4, 3, 1, 2], -14, False),  # p = 0.109
        ([2, 1, 3, 4, 8, 7, 6, 5], 14, False),
    ],
)
def test_eight_weeks_on_both_sides_of_p(order: list[float], s: int, falls: bool) -> None:
    found = trend(order)
    assert (found.s, found.falls(0.10)) == (s, falls)


def course(
    runs: Sequence[float | None] | None = None,
    readings: Sequence[float | None] | None = None,
    held: Sequence[float | None] | None = None,
    target: float = 15,
    direction: Direction = LOW,
    policy: CoursePolicy | None = None,
) -> CourseVerdict:
    return judge_course(
        runs=STEADY_RUNS if runs is None else runs,
        held=HELD if held is None else held,
        readings=[15.0, 14.0] if readings is None else readings,
        target=target,
        direction=direction,
        policy=policy,
    )


@pytest.mark.parametrize(
    ("verdict", "expected", "lines"),
    [
        (course(), Course.STEADY, ()),
        (course(runs=FALLING), Course.DECAYING, (CourseLine.RUNS,)),
        (course(runs=FALLING[::-1]), Course.DEEPENING, (CourseLine.RUNS,)),  # at its target
        (course(runs=[50.0, 45.0, *STEADY_RUNS]), Course.STEADY, ()),  # only the last eight weeks
        (course(runs=[40.0, *FALLING]), Course.DECAYING, (CourseLine.RUNS,)),
        (course(runs=FALLING[:7]), Course.INSUFFICIENT, ()),
        (course(runs=FALLING, policy=CoursePolicy(p=1e-6)), Course.STEADY, ()),
        (course(readings=[15.0, 30.0]), Course.DECAYING, (CourseLine.KPI,)),
        (course(readings=[15.0, 1.0]), Course.STEADY, ()),  # past the better limit is good news
        (course(readings=[15.0, 1.0], direction=HIGH, target=1), Course.DECAYING, (CourseLine.KPI,)),
        (course(readings=[30.0, 15.0]), Course.STEADY, ()),  # it came back
        (course(readings=[30.0, None]), Course.DECAYING, (CourseLine.KPI,)),  # the newest there is
        (course(readings=[30.0], runs=[40.0]), Course.DECAYING, (CourseLine.KPI,)),
        (course(readings=[30.0], runs=FALLING), Course.DECAYING, (CourseLine.RUNS, CourseLine.KPI)),
        (course(readings=[30.0], held=HELD[:5], runs=[40.0]), Course.INSUFFICIENT, ()),
        (course(readings=[]), Course.STEADY, ()),
        (course(target=10), Course.PLATEAU, ()),
        (course(target=14.5), Course.PLATEAU, ()),
        (course(target=14.5, direction=HIGH), Course.STEADY, ()),
        (course(target=20, direction=HIGH), Course.PLATEAU, ()),
        (course(target=10, runs=FALLING[::-1]), Course.STEADY, ()),  # more and more runs are no plateau
        (course(target=10, held=[], readings=[None] * 8), Course.STEADY, ()),  # unseen is not named
        (course(target=10, held=[20.0, 21.0], readings=[20.0]), Course.STEADY, ()),
    ],
)
def test_where_an_adoption_goes(
    verdict: CourseVerdict, expected: Course, lines: tuple[CourseLine, ...]
) -> None:
    assert (verdict.course, verdict.lines) == (expected, lines)


@pytest.mark.parametrize(("direction", "target"), [(LOW, 1), (HIGH, 99)])
def test_a_number_that_still_gets_better_is_no_plateau(direction: Direction, target: float) -> None:
    line = [30.0, 29.0, 28.5, 27.0, 26.0, 25.5, 24.0, 23.0]
    better_line = line if direction is LOW else line[::-1]
    for values, expected in ((better_line, Course.DEEPENING), (better_line[::-1], Course.PLATEAU)):
        verdict = course(held=values[:4], readings=values[4:], target=target, direction=direction)
        assert verdict.course is expected  # four readings give no limits, so nothing is past them


def test_a_verdict_shows_its_numbers() -> None:
    verdict = course(target=10)
    assert verdict.runs == trend(STEADY_RUNS)
    assert verdict.kpi == trend([*HELD, 15.0, 14.0][-8:])
    assert (verdict.level, verdict.latest, verdict.limits) == (15, 14, xmr_limits(HELD))
    assert verdict.policy == CoursePolicy(weeks=8, p=0.10, points=6)
    assert verdict == course(target=10)
    early = course(runs=[40.0], held=HELD[:4], readings=[15.0])
    assert (early.runs, early.kpi, early.limits) == (None, None, None)


def test_a_line_that_is_mostly_flat_has_no_slope_however_unlikely_it_is() -> None:
    found = trend([1, 1, 0, 0, 0, 0, 0, 0])
    assert (found.slope, found.s) == (0, -12)
    assert found.p == pytest.approx(2 / 28)
    assert not found.falls(0.10)
    assert not trend([0, 0, 0, 0, 0, 0, 1, 1]).rises(0.10)


def test_p_is_below_its_threshold_not_at_it() -> None:
    for line in ([2, 1], [1, 2]):
        assert trend(line).p == 1
        assert not trend(line).falls(1.0)
        assert not trend(line).rises(1.0)


RISING = FALLING[::-1]
FASTER = [19.0, 18.0, 18.5, 17.0, 16.0, 16.5, 15.0, 14.5]
"""Lower is better: S is -24 of 28 pairs, p = 0.002."""


@pytest.mark.parametrize(
    ("verdict", "expected", "lines"),
    [
        (course(runs=RISING), Course.DEEPENING, (CourseLine.RUNS,)),  # its median of 15 is at the target
        (course(runs=RISING, target=14.9), Course.STEADY, ()),  # more runs short of the target
        (course(held=[], readings=FASTER), Course.DEEPENING, (CourseLine.KPI,)),
        (course(held=[], readings=FASTER, target=10), Course.DEEPENING, (CourseLine.KPI,)),  # it improves
        (course(held=[], readings=FASTER, runs=RISING), Course.DEEPENING, (CourseLine.RUNS, CourseLine.KPI)),
        (course(held=[], readings=FASTER, runs=FALLING), Course.DECAYING, (CourseLine.RUNS,)),
        (course(held=[], readings=FASTER[::-1], runs=RISING, target=30), Course.STEADY, ()),  # it got worse
        (course(held=[], readings=FASTER[::-1], direction=HIGH), Course.DEEPENING, (CourseLine.KPI,)),
        (course(held=[], readings=FASTER[1:], runs=RISING), Course.STEADY, ()),  # seven weeks of numbers
        (course(held=[], readings=FASTER, runs=RISING[1:]), Course.INSUFFICIENT, ()),  # seven of runs
        (course(held=[], readings=[*FASTER[:6], None, None]), Course.DEEPENING, (CourseLine.KPI,)),
        (course(held=[], readings=FASTER, policy=CoursePolicy(p=1e-6)), Course.PLATEAU, ()),
    ],
)
def test_what_deepens(verdict: CourseVerdict, expected: Course, lines: tuple[CourseLine, ...]) -> None:
    assert (verdict.course, verdict.lines) == (expected, lines)


@given(
    st.lists(st.none() | st.integers(0, 60), min_size=8, max_size=12),
    st.lists(st.none() | st.integers(1, 60), min_size=8, max_size=12),
    st.integers(1, 60),
    st.sampled_from(Direction),
)
def test_no_adoption_deepens_and_decays(
    runs: list[int | None], readings: list[int | None], target: int, direction: Direction
) -> None:
    verdict = judge_course(runs=runs, held=[], readings=readings, target=target, direction=direction)
    assert verdict.runs is not None
    assert (verdict.course in (Course.DECAYING, Course.DEEPENING)) == bool(verdict.lines)
    if verdict.course is Course.DEEPENING:
        assert not verdict.runs.falls(0.10)
        assert verdict.kpi is not None
        worse = verdict.kpi.rises(0.10) if direction is LOW else verdict.kpi.falls(0.10)
        assert not worse
    mirrored = judge_course(
        runs=runs,
        held=[],
        readings=[None if value is None else -value for value in readings],
        target=-target,
        direction=HIGH if direction is LOW else LOW,
    )
    assert mirrored.course is verdict.course  # the direction is the only difference


@pytest.mark.parametrize(
    ("readings", "held", "weeks"),
    [
        ([], 0, 0),
        ([1.0] * 8, 8, 8),  # enough before the close
        ([1.0] * 10, 6, 6),
        ([1.0] * 4, 4, 4),
        ([1.0] * 5, 4, 4),  # the newest reading is compared, never counted
        ([1.0] * 6, 4, 5),
        ([1.0] * 7, 4, 6),
        ([1.0] * 20, 4, 6),  # and then they stay as they are
        ([1.0, None, 1.0, 1.0, None, 1.0, 1.0, 1.0, 1.0], 4, 8),
        ([1.0, 1.0, None, None], 1, 1),
        ([None] * 9, 4, 4),
    ],
)
def test_the_weeks_that_give_the_limits(readings: list[float | None], held: int, weeks: int) -> None:
    assert frozen(readings, held) == weeks


NILE = (
    "1120 1160 963 1210 1160 1160 813 1230 1370 1140 995 935 1110 994 1020 960 1180 799 958 1140 1100 1210 1150"
    " 1250 1260 1220 1030 1100 774 840 874 694 940 833 701 916 692 1020 1050 969 831 726 456 824 702 1120 1100"
    " 832 764 821 768 845 864 862 698 845 744 796 1040 759 781 865 845 944 984 897 822 1010 771 676 649 846 812"
    " 742 801 1040 860 874 848 890 744 749 838 1050 918 986 797 923 975 815 1020 906 901 1170 912 746 919 718"
    " 714 740"
)
"""Annual flow of the Nile at Aswan in 10⁸ m³, 1871 to 1970 (Cobb 1978, Biometrika 65:243)."""
DOBSON = "4.81 4.17 4.41 3.59 5.87 3.83 6.03 4.89 4.32 4.69"
"""Dried weights of treated plants in grams (Dobson 1983, An Introduction to Statistical Modelling, page 9)."""


@pytest.mark.parametrize(
    (
        "series",
        "slope",
        "s",
        "p",
    ),  # by pymannkendall 1.4.3 (Hussain & Mahmud 2019), p by its normal approximation
    [(NILE, -2.6, -1387, 3.66e-05), (DOBSON, 0.04, 5, 0.7205)],
    ids=["nile", "dobson"],
)
def test_published_series(series: str, slope: float, s: int, p: float) -> None:
    found = trend([float(one) for one in series.split()])
    assert found.slope == pytest.approx(slope)
    assert found.s == s
    assert found.p == pytest.approx(p, abs=0.01)
    assert found.falls(0.10) == (p < 0.10)
