"""What people reported beside what tools counted: both sides of the threshold, and invariants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadence.rules.differences import Difference, differ, differences, runs_of_workflow


@pytest.mark.parametrize(
    ("reported", "measured", "apart"),
    [
        (20, 20, False),
        (20, 16, False),  # exactly a fifth of the larger
        (20, 15, True),
        (15, 20, True),
        (8, 10, False),
        (7, 10, True),
        (1, 2, False),  # one run is no contradiction, however few there are
        (0, 1, False),
        (0, 2, True),
        (0, 19, True),
        (0, 0, False),
        (1_000, 799, True),
        (1_000, 800, False),
    ],
)
def test_counts_differ_by_more_than_a_fifth_of_the_larger_and_by_two_runs(
    reported: int, measured: int, *, apart: bool
) -> None:
    assert differ(reported, measured) is apart


@given(st.integers(0, 2_000), st.integers(0, 2_000))
def test_it_makes_no_difference_which_of_the_two_is_which(one: int, other: int) -> None:
    assert differ(one, other) is differ(other, one)
    assert not differ(one, one)


@pytest.mark.parametrize(
    ("counted", "runs"),
    [({}, 0), ({"": 7}, 7), ({"send": 7, "draft": 9}, 9), ({"": 7, "send": 2, "draft": 4}, 11)],
)
def test_the_step_that_ran_most_says_how_often_the_workflow_ran(counted: dict[str, int], runs: int) -> None:
    assert runs_of_workflow(counted) == runs


@pytest.mark.parametrize(
    ("reported", "measured", "found"),
    [
        ({}, {}, []),
        ({"A": 14, "B": 8}, {"A": {"": 19}, "B": {"": 9}}, [("A", 14, 19)]),
        ({"A": 14, "B": 8}, {"A": {"send": 19}, "B": {"send": 2}}, [("A", 14, 19), ("B", 8, 2)]),
        ({"A": 14}, {"B": {"": 19}}, []),  # nothing to compare with
        ({"A": 14}, {"A": {"": 0}}, []),
        ({"A": 14, "B": 8}, {"": {"": 40}}, [("", 22, 40)]),
        ({"A": 14, "B": 8}, {"": {"": 23}}, []),
        ({"A": 14}, {"": {"": 40}}, []),  # B may have run the others
        ({"A": 14, "B": 8}, {"A": {"": 30}, "": {"send": 10}}, [("", 22, 40)]),
        ({"A": 14, "B": 8, "C": 18}, {"": {"": 40}}, []),  # somebody who wasn't asked answered
    ],
)
def test_members_are_compared_or_else_the_team(
    reported: dict[str, int], measured: dict[str, dict[str, int]], found: list[tuple[str, int, int]]
) -> None:
    expected = [Difference(*one) for one in found]
    assert list(differences(reported, measured, expected=["A", "B"])) == expected


def test_a_team_of_which_nobody_was_asked_is_not_compared() -> None:
    assert differences({}, {"": {"": 40}}, expected=[]) == ()
