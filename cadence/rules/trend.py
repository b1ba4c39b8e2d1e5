"""The course of a series of weekly numbers: XmR limits, trend, deepening, plateau, decay (SPEC §5, §6).

`None` is a week without a number. It takes its place in time and nothing else: it is never a zero.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, pairwise
from math import floor
from statistics import mean, median
from typing import Final

from cadence.rules.kpi import Direction, better, median_of, meets

XMR_FACTOR: Final = 2.66
"""3 / d₂ for moving ranges of two (d₂ = 1.128), rounded as Wheeler gives it."""
XMR_POINTS: Final = 6
"""With fewer readings the limits move with every new one (Wheeler, Understanding Variation, 1993)."""


@dataclass(frozen=True, slots=True)
class XmrLimits:
    """Natural process limits, in the KPI's unit.

    Args:
        centre: X̄, the mean of the readings.
        lower: X̄ − 2.66·mR̄; below 0 where the readings scatter that much.
        upper: X̄ + 2.66·mR̄.
        moving_range: mR̄, the mean of the differences between consecutive readings.
        points: the number of readings they rest on.
    """

    centre: float
    lower: float
    upper: float
    moving_range: float
    points: int

    def worse(self, value: float, direction: Direction) -> bool:
        """Whether a reading is past the limit on the worse side. A reading on the limit is within it."""
        return better(self.upper if direction is Direction.LOWER else self.lower, value, direction)


def xmr_limits(values: Sequence[float | None], *, least: int = XMR_POINTS) -> XmrLimits | None:
    """X̄ ± 2.66·mR̄ of an individuals chart; None with fewer readings than `least`.

    Source: Shewhart (1931); Wheeler (1993). Readings that are all the same have limits of no width: any
    other reading is past them.
    """
    known = [value for value in values if value is not None]
    if len(known) < max(least, 2):
        return None
    # statistics.mean is exact: the mean of equal readings is that reading, to the last bit
    centre = mean(known)
    moving_range = mean(abs(after - before) for before, after in pairwise(known))
    reach = XMR_FACTOR * moving_range
    return XmrLimits(centre, centre - reach, centre + reach, moving_range, len(known))


def levels(values: Sequence[float | None], *, steps: int = 8) -> tuple[int | None, ...]:
    """The height of each value in a sparkline, 0 to `steps` − 1; equal values are at half height.

    Raises:
        ValueError: for fewer than 2 steps.
    """
    if steps < 2:
        raise ValueError(f"a sparkline of {steps} steps shows nothing")
    known = [value for value in values if value is not None]
    if not known:
        return (None,) * len(values)
    low, spread = min(known), max(known) - min(known)
    middle = (steps - 1) // 2
    return tuple(
        None if value is None else floor((value - low) / spread * (steps - 1) + 0.5) if spread else middle
        for value in values
    )


@dataclass(frozen=True, slots=True)
class Trend:
    """The direction of a series.

    Args:
        points: how many weeks have a number.
        slope: the Theil–Sen slope, per week; 0 with fewer than two points.
        s: Mann and Kendall's S: pairs that rise minus pairs that fall.
        p: its exact two-sided probability when there is no trend.
    """

    points: int
    slope: float
    s: int
    p: float

    def falls(self, p_below: float) -> bool:
        """Whether it falls, at this significance level."""
        return self.slope < 0 and self.p < p_below

    def rises(self, p_below: float) -> bool:
        """Whether it rises, at this significance level."""
        return self.slope > 0 and self.p < p_below


def trend(values: Sequence[float | None]) -> Trend:
    """The Theil–Sen slope per week and the exact Mann–Kendall test of a line of weekly values.

    Source: Theil (1950), Sen (1968); Mann (1945), Kendall (1975).
    """
    known = [(week, value) for week, value in enumerate(values) if value is not None]
    pairs = list(combinations(known, 2))
    slopes = [(late - early) / (after - before) for (before, early), (after, late) in pairs]
    s = sum((late > early) - (late < early) for (_, early), (_, late) in pairs)
    return Trend(len(known), median(slopes) if slopes else 0.0, s, _chance(s, [value for _, value in known]))


def _chance(s: int, values: Sequence[float]) -> float:
    """P(|S| ≥ |s|) over all orders of the values, ties included.

    An order with i inversions has S = top − 2i, where `top` counts the pairs that differ. How many orders have
    i inversions is the coefficient of qⁱ in the q-multinomial [n]!/∏[t]! (MacMahon 1916), t being the ties'
    sizes. Exact, so that eight weeks need no approximation.
    """
    ties = Counter(values).values()
    n = len(values)
    top = (n * (n - 1) - sum(size * (size - 1) for size in ties)) // 2
    orders = [1] + [0] * top
    for factor in range(1, n + 1):  # times (1 − q^factor)
        for power in range(top, factor - 1, -1):
            orders[power] -= orders[power - factor]
    for factor in (one for size in ties for one in range(1, size + 1)):  # divided by (1 − q^factor)
        for power in range(factor, top + 1):
            orders[power] += orders[power - factor]
    extreme = sum(count for inversions, count in enumerate(orders) if abs(top - 2 * inversions) >= abs(s))
    return extreme / sum(orders)


class Course(StrEnum):
    """The course of an adoption after its cycle has closed."""

    DEEPENING = "deepening"
    DECAYING = "decaying"
    PLATEAU = "plateau"
    STEADY = "steady"
    INSUFFICIENT = "insufficient"


class CourseLine(StrEnum):
    """The condition that was met: which of the two decays, or deepens."""

    RUNS = "runs"
    KPI = "kpi"


@dataclass(frozen=True, slots=True)
class CoursePolicy:
    """The thresholds of a course.

    Args:
        weeks: how many weeks a trend is looked for in.
        p: a trend counts if its Mann–Kendall p is below this.
        points: the fewest readings that give XmR limits.
    """

    weeks: int = 8
    p: float = 0.10
    points: int = XMR_POINTS


@dataclass(frozen=True, slots=True)
class CourseVerdict:
    """The course of an adoption, with the numbers behind it.

    Args:
        course: deepening, decaying, plateau, steady or insufficient.
        lines: the conditions that were met; empty unless it is decaying or deepening.
        runs: the trend of runs per week; None with fewer than `policy.weeks` weeks.
        kpi: the trend of the KPI over the same weeks, in its unit per week; None likewise.
        level: the median of the KPI in those weeks; None without a reading.
        latest: the newest reading after those held; None without one.
        limits: the limits it is compared with; None with too few readings.
        policy: the thresholds.
    """

    course: Course
    lines: tuple[CourseLine, ...]
    runs: Trend | None
    kpi: Trend | None
    level: float | None
    latest: float | None
    limits: XmrLimits | None
    policy: CoursePolicy


def judge_course(
    *,
    runs: Sequence[float | None],
    held: Sequence[float | None],
    readings: Sequence[float | None],
    target: float,
    direction: Direction,
    policy: CoursePolicy | None = None,
) -> CourseVerdict:
    """Judge an adoption that continues its weekly check-in after its cycle has closed (SPEC §5).

    - Decaying: runs per week fall (Theil–Sen slope below zero, two-sided Mann–Kendall p < 0.10, over 8
      weeks), or the newest reading is past the XmR limits on the worse side.
    - Deepening, over the same weeks and by the same test: the KPI gets better and runs don't fall; or runs
      rise, the KPI doesn't get worse, and its median meets the target.
    - Plateau: eight weeks in which runs don't rise, the KPI doesn't get better, and its median is short of
      the target. A number that holds at its target is steady.
    - Steady: anything else, such as runs that rise while the KPI stays short of its target.
    - Insufficient: fewer than eight weeks, and no reading past the limits.

    Args:
        runs: attested runs per week, oldest first; None for a week without answers.
        held: weekly readings up to the close, which give the limits: a reading never widens its own.
        readings: weekly readings since the close, oldest first.
        target: in the KPI's unit.
        direction: the direction in which the KPI improves.
        policy: the thresholds.
    """
    policy = policy or CoursePolicy()
    limits = xmr_limits(held, least=policy.points)
    latest = next((value for value in reversed(readings) if value is not None), None)
    window = [*held, *readings][-policy.weeks :]
    enough = len(runs) >= policy.weeks
    of_runs = trend(runs[-policy.weeks :]) if enough else None
    of_kpi = trend(window) if len(window) >= policy.weeks else None
    level = median_of(value for value in window if value is not None)
    worse = [
        line
        for line, found in (
            (CourseLine.RUNS, of_runs is not None and of_runs.falls(policy.p)),
            (CourseLine.KPI, limits is not None and latest is not None and limits.worse(latest, direction)),
        )
        if found
    ]
    if worse:
        course, lines = Course.DECAYING, worse
    elif of_runs is None:
        course, lines = Course.INSUFFICIENT, []
    else:
        lines = _gains(of_runs, of_kpi, policy, direction, met=_is_met(level, target, direction))
        course = Course.DEEPENING if lines else _flat(of_runs, of_kpi, policy, level, target, direction)
    return CourseVerdict(course, tuple(lines), of_runs, of_kpi, level, latest, limits, policy)


def _is_met(level: float | None, target: float, direction: Direction) -> bool:
    return level is not None and meets(level, target, direction)


def _gains(
    runs: Trend, kpi: Trend | None, policy: CoursePolicy, direction: Direction, *, met: bool
) -> list[CourseLine]:
    """What deepens; empty if nothing does. Runs don't fall: that would be decay."""
    if kpi is None:
        return []
    lower = direction is Direction.LOWER
    better_now = kpi.falls(policy.p) if lower else kpi.rises(policy.p)
    worse_now = kpi.rises(policy.p) if lower else kpi.falls(policy.p)
    more = runs.rises(policy.p)
    if better_now:
        return [CourseLine.RUNS, CourseLine.KPI] if more else [CourseLine.KPI]
    return [CourseLine.RUNS] if more and met and not worse_now else []


def _flat(
    runs: Trend,
    kpi: Trend | None,
    policy: CoursePolicy,
    level: float | None,
    target: float,
    direction: Direction,
) -> Course:
    """Plateau or steady."""
    if kpi is None or level is None or meets(level, target, direction) or runs.rises(policy.p):
        return Course.STEADY
    return Course.PLATEAU


def frozen(readings: Sequence[float | None], held: int, *, points: int = XMR_POINTS) -> int:
    """How many weeks give the limits: those up to the last close, or as many as have enough readings.

    After a single cycle there are at most four readings: the first watched weeks complete them, and the
    limits stay as they are from then on. The newest reading is never among those that complete them.

    Args:
        readings: weekly readings of the KPI, oldest first.
        held: how many of these weeks came before the last close.
        points: the fewest readings that give limits.
    """
    known = sum(value is not None for value in readings[:held])
    newest = max((at for at, value in enumerate(readings) if value is not None), default=0)
    while known < points and held < newest:
        known += readings[held] is not None
        held += 1
    return held
