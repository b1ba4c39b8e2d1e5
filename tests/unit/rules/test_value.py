"""Value events, and what they are worth in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadence.rules.value import value_of, worth_in_words


@pytest.mark.parametrize(
    ("reported", "other_runs", "exceptions", "events"),
    [(0, 0, 0, 0), (0, 40, 3, 37), (12, 0, 3, 12), (12, 40, 3, 49), (0, 2, 5, 0), (12, 2, 5, 12)],
)
def test_value_events(reported: int, other_runs: int, exceptions: int, events: int) -> None:
    assert value_of(reported=reported, other_runs=other_runs, exceptions=exceptions).events == events


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_they_are_never_negative_and_never_more_than_the_runs(
    reported: int, runs: int, exceptions: int
) -> None:
    found = value_of(reported=reported, other_runs=runs, exceptions=exceptions)
    assert found.reported == reported
    assert 0 <= found.derived <= runs


@pytest.mark.parametrize(
    ("events", "amount", "unit", "words"),
    [
        (460, 6, "minutes", "46 hours"),
        (5, 6, "minutes", "30 min"),
        (0, 6, "minutes", "0 min"),
        (10, 6, "minutes", "1 hour"),
        (15, 6, "minutes", "1.5 hours"),
        (99, 6, "minutes", "9.9 hours"),
        (3, 2, "hours", "6 hours"),
        (1000, 2, "hours", "2,000 hours"),
        (40, 30, "currency", "$1,200"),
        (3, 0.5, "currency", "$2"),
    ],
)
def test_worth_in_words(events: int, amount: float, unit: str, words: str) -> None:
    assert worth_in_words(events, amount, unit) == words
