"""Contradiction, hero, capacity, busy: both sides of each threshold."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadence.rules.kpi import Direction
from cadence.rules.signals import WeekSeen, busy_not_moving, capacity, contradiction, hero

LOW, HIGH = Direction.LOWER, Direction.HIGHER


def weeks(*values: float, as_declared: int = 3, drifted: int = 0) -> list[WeekSeen]:
    return [WeekSeen(value, as_declared, drifted) for value in values]


@pytest.mark.parametrize(
    ("seen", "before", "direction", "worse", "found"),
    [
        (weeks(43, 44, 45), 42, LOW, 3, True),
        (weeks(43, 44, 45), 42, HIGH, 0, False),
        (weeks(20, 22, 25), 42, LOW, 2, False),  # the first of them was better than the one before
        (weeks(20, 22, 25, 27), 42, LOW, 3, True),
        (weeks(43, 43, 44), 42, LOW, 1, False),  # the same is not worse
        (weeks(43, 44, 45, 44), 42, LOW, 0, False),  # it was so, and no longer is
        (weeks(4.7, 4.6, 4.5), 4.8, HIGH, 3, True),
        (weeks(43, 44), 42, LOW, 2, False),
        ([], 42, LOW, 0, False),
        (weeks(43, 44, 45, drifted=1), 42, LOW, 3, False),
        (weeks(43, 44, 45, as_declared=0), 42, LOW, 3, False),  # nobody attested: nothing contradicts
        (weeks(43, drifted=1) + weeks(44, 45, 46), 42, LOW, 4, True),  # only the three weeks are asked
        (weeks(43, 44) + weeks(45, drifted=1), 42, LOW, 3, False),
        (weeks(43, as_declared=0) + weeks(44, 45), 42, LOW, 3, False),
    ],
)
def test_all_as_declared_while_the_number_got_worse_three_times(
    seen: list[WeekSeen], before: float, direction: Direction, worse: int, found: bool
) -> None:
    signal = contradiction(seen, before=before, direction=direction)
    assert (signal.worse, signal.found) == (worse, found)


def test_a_contradiction_shows_its_numbers() -> None:
    signal = contradiction(weeks(20, 22, 25, 27), before=42, direction=LOW)
    assert list(signal.values) == [20, 22, 25, 27]
    assert (signal.as_declared, signal.drifted, signal.readings) == (9, 0, 3)
    assert list(contradiction(weeks(43), before=42, direction=LOW).values) == [42, 43]
    assert contradiction(weeks(43, 44), before=42, direction=LOW, readings=2).found


@given(st.lists(st.integers(0, 5), max_size=8), st.integers(0, 5))
def test_a_mirrored_number_contradicts_in_the_other_direction(values: list[int], before: int) -> None:
    falling = contradiction(weeks(*values), before=before, direction=LOW)
    rising = contradiction(weeks(*(-value for value in values)), before=-before, direction=HIGH)
    assert (falling.found, falling.worse) == (rising.found, rising.worse)
    line = [before, *values]
    every_pair_worse = all(early < late for early, late in pairwise(line[-4:]))
    assert falling.found == (len(values) >= 3 and every_pair_worse)


@pytest.mark.parametrize(
    ("runs", "member", "share", "found"),
    [
        ({"U1": 80, "U2": 20}, "U1", 0.8, False),  # exactly 80% is not more than 80%
        ({"U1": 81, "U2": 19}, "U1", 0.81, True),
        ({"U2": 5, "U1": 5}, "U1", 0.5, False),
        ({"U1": 0, "U2": 9}, "U2", 1.0, True),
        ({"U1": 3}, "U1", 1.0, True),
        ({"U1": 0}, None, 0.0, False),
        ({}, None, 0.0, False),
    ],
)
def test_one_person_reports_nearly_all_runs(
    runs: dict[str, int], member: str | None, share: float, found: bool
) -> None:
    signal = hero(runs)
    assert (signal.member, signal.share, signal.found) == (member, share, found)
    assert (signal.total, signal.threshold) == (sum(runs.values()), 0.80)
    assert signal.runs == (runs[member] if member else 0)


@pytest.mark.parametrize(
    ("running", "overridden", "allowed", "full"),
    [
        (0, False, True, False),
        (1, False, True, False),
        (2, False, False, True),
        (2, True, True, True),
        (3, False, False, True),
        (3, True, True, True),
        (1, True, True, False),
    ],
)
def test_a_third_cycle_needs_an_override(running: int, overridden: bool, allowed: bool, full: bool) -> None:
    verdict = capacity(running, overridden=overridden)
    assert (verdict.allowed, verdict.full) == (allowed, full)
    assert (verdict.running, verdict.limit, verdict.overridden) == (running, 2, overridden)


@pytest.mark.parametrize(
    ("runs", "expected", "value", "direction", "found"),
    [
        (32, 40, 42, LOW, True),  # exactly 80% is busy, and the same number hasn't moved
        (31, 40, 42, LOW, False),
        (40, 40, 41.9, LOW, False),
        (40, 40, 45, LOW, True),
        (40, 40, 45, HIGH, False),
        (0, 0, 45, LOW, False),
        (5, 0, 45, LOW, False),
    ],
)
def test_busy_and_not_moving(
    runs: int, expected: int, value: float, direction: Direction, found: bool
) -> None:
    signal = busy_not_moving(runs=runs, expected=expected, value=value, baseline=42, direction=direction)
    assert signal.found is found
    assert (signal.runs, signal.expected, signal.threshold) == (runs, expected, 0.80)
    assert signal.share == (runs / expected if expected else 0)
    assert signal.moved == (value < 42 if direction is LOW else value > 42)
