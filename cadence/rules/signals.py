"""The digest's signals, which change nothing: contradiction, hero, capacity, busy (SPEC §5, §6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cadence.rules.kpi import Direction, better

READINGS = 3
HERO_SHARE = 0.80
CYCLES_AT_ONCE = 2
BUSY_SHARE = 0.80


@dataclass(frozen=True, slots=True)
class WeekSeen:
    """One week with a reading: the KPI's value, and how many attested as planned and as drifted."""

    value: float
    as_declared: int
    drifted: int


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Whether everything is attested as planned while the KPI gets worse.

    Args:
        found: whether this is the case.
        worse: how many of the latest readings in a row were each worse than the one before.
        values: the value before and the readings in question, oldest first, in the KPI's unit.
        as_declared: attestations as planned in those weeks.
        drifted: attestations in another mode in those weeks.
        readings: the threshold, in readings.
    """

    found: bool
    worse: int
    values: tuple[float, ...]
    as_declared: int
    drifted: int
    readings: int


def contradiction(
    weeks: Sequence[WeekSeen], *, before: float, direction: Direction, readings: int = READINGS
) -> Contradiction:
    """Detect that everything is attested as planned while the KPI got worse for three readings in a row (SPEC
    §5).

    Each of the three is worse than the reading before it. In each of their weeks somebody attested, and
    nobody drifted: a week without answers contradicts nothing.

    Args:
        weeks: the weeks that have a reading, oldest first.
        before: the reading before the first of them; the baseline if there was none.
        direction: the direction in which the KPI improves.
        readings: the threshold.
    """
    values = (before, *(week.value for week in weeks))
    worse = 0
    while worse < len(weeks) and better(values[-worse - 2], values[-worse - 1], direction):
        worse += 1
    latest = weeks[-readings:]
    as_declared = all(week.as_declared and not week.drifted for week in latest)
    return Contradiction(
        found=worse >= readings and as_declared,
        worse=worse,
        values=values[-readings - 1 :],
        as_declared=sum(week.as_declared for week in latest),
        drifted=sum(week.drifted for week in latest),
        readings=readings,
    )


@dataclass(frozen=True, slots=True)
class Hero:
    """Who reports the most runs, and whether that is nearly all of them.

    Args:
        found: whether one person reports more than the threshold.
        member: who reports most; None without a run.
        runs: that person's runs.
        total: everybody's runs.
        share: runs of total, 0 to 1.
        threshold: the share above which it is named.
    """

    found: bool
    member: str | None
    runs: int
    total: int
    share: float
    threshold: float


def hero(runs: Mapping[str, int], *, threshold: float = HERO_SHARE) -> Hero:
    """Detect that one person reports more than 80% of a cycle's attested runs (SPEC §5), so the standard
    depends on them.

    Args:
        runs: attested runs of the whole cycle, by member. Assumed runs aren't reported by anybody.
        threshold: the share, 0 to 1.
    """
    total = sum(runs.values())
    member = min(runs, key=lambda one: (-runs[one], one)) if total else None
    most = runs[member] if member is not None else 0
    share = most / total if total else 0.0
    return Hero(share > threshold, member, most, total, share, threshold)


@dataclass(frozen=True, slots=True)
class Capacity:
    """Whether a team can start another cycle.

    Args:
        allowed: whether it can.
        full: whether it already has its maximum; then only an override allows another.
        running: the team's running cycles.
        limit: the maximum.
        overridden: whether a curator overrode the limit.
    """

    allowed: bool
    full: bool
    running: int
    limit: int
    overridden: bool


def capacity(running: int, *, overridden: bool = False, limit: int = CYCLES_AT_ONCE) -> Capacity:
    """Decide whether a team can start another cycle: a third one needs a curator's override (SPEC §5)."""
    full = running >= limit
    return Capacity(overridden or not full, full, running, limit, overridden)


@dataclass(frozen=True, slots=True)
class Busy:
    """Whether a playbook is run a lot and its number doesn't move.

    Args:
        found: whether this is the case.
        runs: attested runs of the week.
        expected: runs expected in a week.
        share: runs as a share of those expected; 0 if none is expected.
        moved: whether the KPI is better than its baseline.
        threshold: the share of the expected runs from which a week is busy.
    """

    found: bool
    runs: int
    expected: int
    share: float
    moved: bool
    threshold: float


def busy_not_moving(
    *,
    runs: int,
    expected: int,
    value: float,
    baseline: float,
    direction: Direction,
    threshold: float = BUSY_SHARE,
) -> Busy:
    """Detect a playbook that is busy and doesn't move its number (SPEC §6, the digest).

    Busy is a week with at least 80% of the runs the playbook expects. Not moving is a value that isn't better
    than the baseline; both are in the KPI's unit.
    """
    share = runs / expected if expected else 0.0
    moved = better(value, baseline, direction)
    return Busy(share >= threshold and not moved, runs, expected, share, moved, threshold)
