"""The result of a cycle from its weekly KPI readings. Formatting and parsing numbers is in `amounts`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Final, Literal

from cadence.rules.amounts import AmountError, Unit, format_amount, parse_amount

__all__ = [
    "READINGS_NEEDED",
    "WEEKS",
    "AmountError",
    "CycleResult",
    "Delta",
    "Direction",
    "Guardrail",
    "Outcome",
    "Unit",
    "better",
    "cycle_result",
    "delta",
    "far_off",
    "format_amount",
    "median_of",
    "meets",
    "parse_amount",
    "word_of_change",
]

WEEKS: Final = 4
READINGS_NEEDED: Final = 3


class Direction(StrEnum):
    """The direction in which a KPI improves."""

    LOWER = "lower"
    HIGHER = "higher"


def better(a: float, b: float, direction: Direction) -> bool:
    """Whether `a` is strictly better than `b`."""
    return a < b if direction is Direction.LOWER else a > b


def meets(value: float, target: float, direction: Direction) -> bool:
    """Whether a value is at its target or past it. A guardrail's limit works in the same way."""
    return value <= target if direction is Direction.LOWER else value >= target


_DURATIONS: Final = frozenset({Unit.MINUTES, Unit.HOURS, Unit.DAYS})
_FAR: Final = 20
"""A number this many times the baseline, or a duration this small a part of it, is more likely a typo."""


def far_off(value: float, baseline: float | None, unit: Unit) -> Literal["above", "below"] | None:
    """Whether a number is so far from the baseline that the person is asked about it, and on which side.

    Only durations can be too small: a count or a percentage can well reach zero.
    """
    if not baseline:
        return None
    if value >= _FAR * baseline:
        return "above"
    return "below" if unit in _DURATIONS and value * _FAR <= baseline else None


@dataclass(frozen=True, slots=True)
class Delta:
    """How far a value is from a baseline.

    Args:
        change: value minus baseline, in the KPI's unit.
        share: the change as a share of the baseline's size (-0.5 means half as much); None for a baseline of
            0.
        moved: whether that is better, worse or the same, by the KPI's direction.
    """

    change: float
    share: float | None
    moved: Literal["better", "worse", "same"]


def delta(value: float, baseline: float, direction: Direction) -> Delta:
    """Compare a value with a baseline, or with the origin team's value."""
    change = value - baseline
    share = change / abs(baseline) if baseline else None
    if not change:
        return Delta(change, share, "same")
    return Delta(change, share, "better" if better(value, baseline, direction) else "worse")


def word_of_change(change: float, unit: Unit, direction: Direction) -> str:
    """Return `faster`, `slower`, `fewer`, `more`, `lower` or `higher` for a change that isn't zero."""
    if unit in _DURATIONS and direction is Direction.LOWER:
        return "faster" if change < 0 else "slower"
    if unit is Unit.COUNT:
        return "fewer" if change < 0 else "more"
    return "lower" if change < 0 else "higher"


def median_of(readings: Iterable[float]) -> float | None:
    """The median, or None without readings."""
    values = list(readings)
    return median(values) if values else None


class Outcome(StrEnum):
    """The result of a cycle."""

    MET = "met"
    NOT_MET = "not met"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A number that must not get worse than its limit, with its readings of the cycle."""

    name: str
    direction: Direction
    limit: float
    readings: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CycleResult:
    """The result of a cycle, with the numbers behind it.

    Args:
        outcome: met, not met or insufficient.
        value: the median of the weekly readings; None without any.
        readings: how many of the four weeks have one.
        broken: names of the guardrails whose median is past their limit.
        unread: names of the guardrails without readings; they decide nothing and are listed.
    """

    outcome: Outcome
    value: float | None
    readings: int
    broken: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def cycle_result(
    readings: Sequence[float], target: float, direction: Direction, guardrails: Sequence[Guardrail] = ()
) -> CycleResult:
    """Judge a cycle by one reading a week, the latest of its corrections; a guardrail has its own readings.

    `insufficient` with fewer than 3 of 4 readings; `met` when the median is at the target or past it and no
    guardrail is past its limit.

    Raises:
        ValueError: for more readings than a cycle has weeks.
    """
    if len(readings) > WEEKS:
        raise ValueError(f"A cycle has {WEEKS} weekly readings, not {len(readings)}.")
    medians = {rail: median_of(rail.readings) for rail in guardrails}
    unread = tuple(rail.name for rail, value in medians.items() if value is None)
    broken = tuple(
        rail.name
        for rail, value in medians.items()
        if value is not None and not meets(value, rail.limit, rail.direction)
    )
    value = median_of(readings)
    if value is None or len(readings) < READINGS_NEEDED:
        outcome = Outcome.INSUFFICIENT
    else:
        outcome = Outcome.MET if meets(value, target, direction) and not broken else Outcome.NOT_MET
    return CycleResult(outcome, value, len(readings), broken, unread)
