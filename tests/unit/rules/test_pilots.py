"""Ranking drafts, and the limit of first cycles (SPEC §6)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadence.rules.pilots import (
    FREQUENCY,
    FRICTION,
    MOST_POINTS,
    STRUCTURE,
    Case,
    Worth,
    hurts,
    ranked,
    room,
)

SINCE = datetime(2026, 3, 2, tzinfo=UTC)
LEVEL = st.integers(1, 5)
CASES = st.builds(
    Case,
    frequency=st.none() | LEVEL,
    friction=st.none() | LEVEL,
    structure=st.none() | LEVEL,
    since=st.integers(0, 50).map(lambda days: SINCE + timedelta(days=days)),
    worth=st.none() | st.builds(Worth, amount=st.floats(0.1, 1e6), is_money=st.booleans()),
)


def case(*levels: int | None, days: int = 0, worth: Worth | None = None) -> Case:
    frequency, friction, structure = levels
    return Case(frequency, friction, structure, SINCE + timedelta(days=days), worth)


def test_the_rank_is_the_product_of_the_three_answers() -> None:
    assert case(5, 5, 5).points == MOST_POINTS == 125
    assert case(1, 1, 1).points == 1
    assert case(5, 4, 4).points == 80
    assert case(5, None, 4).points is None


def test_the_reason_is_in_words() -> None:
    assert case(5, 4, 4).reason == "comes all day, hurts a lot, inputs well structured"
    assert case(1, 1, 1).reason == "comes rarely, barely hurts, inputs free-form"
    assert case(None, 3, None).reason == "hurts noticeably"
    assert case(None, None, None).reason == ""
    assert hurts(5) == "hurts badly"
    assert {len(FREQUENCY), len(FRICTION), len(STRUCTURE)} == {5}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (case(5, 4, 4, days=9), case(5, 4, 3)),
        (case(2, 2, 2, worth=Worth(1, is_money=True), days=9), case(2, 2, 2)),
        (case(2, 2, 2, worth=Worth(9, is_money=True), days=9), case(4, 2, 1, worth=Worth(8, is_money=True))),
        (
            case(2, 2, 2, worth=Worth(1, is_money=True), days=9),
            case(2, 2, 2, worth=Worth(600, is_money=False)),
        ),
        (case(2, 2, 2, worth=Worth(61, is_money=False)), case(2, 2, 2, worth=Worth(60, is_money=False))),
        (case(2, 2, 2), case(2, 2, 2, days=1)),
        (case(1, 1, 1, days=9), case(5, 5, None, worth=Worth(9, is_money=True))),
        (case(None, 1, 1), case(None, 5, 5, days=1)),
    ],
)
def test_which_draft_comes_first(first: Case, second: Case) -> None:
    assert ranked([(1, second), (2, first)]) == [2, 1]
    assert ranked([(1, first), (2, second)]) == [1, 2]


@given(st.lists(CASES, max_size=12))
def test_the_order_doesnt_depend_on_the_order_given(cases: list[Case]) -> None:
    numbered = list(enumerate(cases))
    order = ranked(numbered)
    assert order == ranked(reversed(numbered))
    assert sorted(order) == list(range(len(cases)))
    points = [cases[one].points or 0 for one in order]
    assert points == sorted(points, reverse=True)


@pytest.mark.parametrize(
    ("running", "limit", "allowed"), [(0, 1, True), (1, 1, False), (4, 5, True), (5, 5, False), (9, 5, False)]
)
def test_room_for_another_first_cycle(running: int, limit: int, *, allowed: bool) -> None:
    found = room(running, limit=limit)
    assert (found.allowed, found.full, found.running, found.limit) == (allowed, not allowed, running, limit)
    over = room(running, limit=limit, overridden=True)
    assert (over.allowed, over.full) == (True, not allowed)
