"""Drawing runs for a spot audit: reproducible, fair, and never more than there are."""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadence.rules.audits import Attested, Grade, PlaceInWeek, draw, drawable, place_in_week

MONDAY = date(2026, 3, 2)
TEAM: list[Attested] = [("U1", 4), ("U2", 0), ("U3", 6)]


def test_the_same_seed_and_population_give_the_same_draw_for_good() -> None:
    assert draw(TEAM, sample=3, seed="week 1") == draw(TEAM, sample=3, seed="week 1")
    assert draw(TEAM, sample=3, seed="week 1") == (("U1", 1), ("U3", 1), ("U3", 6))
    assert draw(TEAM, sample=3, seed="week 1") != draw(TEAM, sample=3, seed="week 2")


def test_who_is_listed_first_makes_no_difference() -> None:
    assert set(draw(TEAM, sample=3, seed="s")) == set(draw(TEAM[::-1], sample=3, seed="s"))


@pytest.mark.parametrize(("sample", "count"), [(0, 0), (1, 1), (9, 9), (10, 10), (11, 10), (50, 10)])
def test_no_more_are_drawn_than_there_are_and_none_twice(sample: int, count: int) -> None:
    drawn = draw(TEAM, sample=sample, seed="s")
    assert len(drawn) == len(set(drawn)) == count
    assert all(1 <= number <= dict(TEAM)[member] for member, number in drawn)


def test_nothing_attested_draws_nothing() -> None:
    assert draw([], sample=5, seed="s") == ()


def test_every_run_is_equally_likely() -> None:
    times, sample = 4_000, 3
    drawn = Counter(run for seed in range(times) for run in draw(TEAM, sample=sample, seed=str(seed)))
    assert len(drawn) == 10
    expected = times * sample / 10
    chi_squared = sum((count - expected) ** 2 / expected for count in drawn.values())
    assert chi_squared < 27.9  # 9 degrees of freedom: one fair draw in a thousand is above


@pytest.mark.parametrize(
    ("population", "sample"), [([("U1", -1)], 1), ([("U1", 1)], -1), ([("U1", 1), ("U1", 2)], 1)]
)
def test_counts_that_cannot_be_are_refused(population: list[Attested], sample: int) -> None:
    with pytest.raises(ValueError, match="U1"):
        draw(population, sample=sample, seed="s")


def test_nobody_is_asked_to_grade_their_own_runs() -> None:
    assert drawable(TEAM, grader="U3") == [("U1", 4), ("U2", 0)]
    assert drawable(TEAM, grader="U9") == TEAM
    assert drawable([("U1", 4)], grader="U1") == []


@pytest.mark.parametrize(
    ("number", "runs", "day", "order"),
    [
        (1, 1, 0, 1),
        (2, 2, 2, 1),
        (3, 3, 2, 1),
        (4, 4, 3, 1),
        (1, 13, 0, 1),
        (4, 13, 0, 4),
        (5, 13, 1, 1),
        (13, 13, 3, 3),
        (400, 400, 3, 100),
    ],
)
def test_a_run_is_found_by_its_day_and_order(number: int, runs: int, day: int, order: int) -> None:
    found = place_in_week(number, runs, week_start=MONDAY)
    assert found == PlaceInWeek(MONDAY + timedelta(days=day), order)


@given(st.integers(1, 500))
def test_no_two_runs_are_looked_for_in_one_place(runs: int) -> None:
    found = [place_in_week(number, runs, week_start=MONDAY) for number in range(1, runs + 1)]
    assert len(set(found)) == runs
    assert found == sorted(found, key=lambda one: (one.day, one.order))
    assert all(MONDAY <= one.day < MONDAY + timedelta(days=4) for one in found)


@pytest.mark.parametrize("number", [0, 4])
def test_a_run_that_is_not_there_is_in_no_place(number: int) -> None:
    with pytest.raises(ValueError, match=str(number)):
        place_in_week(number, 3, week_start=MONDAY)


def test_a_risky_run_is_risky_whether_it_passed_or_not() -> None:
    assert [(grade.passed, grade.risky) for grade in Grade] == [
        (True, False),
        (False, False),
        (True, True),
        (False, True),
    ]
