"""Weeks, cycles, and the instant of a local date and hour, in every zone."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cadence.rules.calendar import (
    closing_day,
    ends_month,
    instant,
    local_day,
    monday_of,
    months_until,
    next_monday,
    week_monday,
    week_number,
    working_day_from,
)

ZONES = sorted(available_timezones())
FIRST, LAST = date(2026, 1, 1), date(2030, 12, 31)
DAY = timedelta(days=1)

days = st.dates(FIRST, LAST)
hours = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@cache
def clock_changes(name: str) -> tuple[date, ...]:
    """The dates on which a zone's clock is moved."""
    zone = ZoneInfo(name)
    every = [FIRST + DAY * number for number in range((LAST - FIRST).days + 2)]
    offsets = [datetime.combine(day, time(), tzinfo=zone).utcoffset() for day in every]
    return tuple(day for day, now, then in zip(every, offsets, offsets[1:], strict=False) if now != then)


@st.composite
def local_slots(draw: st.DrawFn) -> tuple[str, date, time]:
    """A zone, a date and an hour; half of the dates are ones on which the clock is moved."""
    name = draw(st.sampled_from(ZONES))
    changes = clock_changes(name)
    day, moved = draw(days), draw(st.booleans())
    if changes and moved:
        day = draw(st.sampled_from(changes))
    return name, day, draw(hours)


def test_the_tables_of_zones_hold_clock_changes() -> None:
    assert len(ZONES) > 400
    assert date(2026, 3, 29) in clock_changes("Europe/Berlin")
    assert date(2026, 11, 1) in clock_changes("America/New_York")


@settings(max_examples=1_500)
@given(slot=local_slots())
@example(slot=("America/Nuuk", date(2026, 3, 28), time(23, 30)))
@example(slot=("Antarctica/Troll", date(2026, 3, 29), time(1, 30)))
@example(slot=("Africa/Cairo", date(2026, 4, 24), time(0, 0)))
def test_a_slot_has_one_instant_on_its_own_date(slot: tuple[str, date, time]) -> None:
    name, day, at = slot
    zone = ZoneInfo(name)
    moment = instant(day, at, zone)
    assert moment.tzinfo is UTC
    assert local_day(moment, zone) == day
    # The same hour of the next date is a later instant.
    assert moment < instant(day + DAY, at, zone)


@settings(max_examples=1_500)
@given(slot=local_slots())
def test_an_hour_that_exists_is_kept_and_a_repeated_one_means_its_first_pass(
    slot: tuple[str, date, time],
) -> None:
    name, day, at = slot
    zone = ZoneInfo(name)
    passes = {datetime.combine(day, at.replace(fold=fold), tzinfo=zone).astimezone(UTC) for fold in (0, 1)}
    real = sorted(one for one in passes if one.astimezone(zone).replace(tzinfo=None, fold=0).time() == at)
    if real:
        assert instant(day, at, zone) == real[0]
    else:
        assert instant(day, at, zone) in passes


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        ("Europe/Berlin", date(2026, 3, 28), time(2, 30), "2026-03-28T01:30"),
        ("Europe/Berlin", date(2026, 3, 29), time(2, 30), "2026-03-29T01:30"),  # skipped: 03:30 on the clock
        ("Europe/Berlin", date(2026, 10, 25), time(2, 30), "2026-10-25T00:30"),  # twice: the first
        ("Europe/Berlin", date(2026, 10, 25), time(3, 0), "2026-10-25T02:00"),
        ("America/New_York", date(2026, 3, 8), time(2, 30), "2026-03-08T07:30"),
        ("America/New_York", date(2026, 11, 1), time(1, 30), "2026-11-01T05:30"),
        ("Australia/Sydney", date(2026, 4, 5), time(2, 30), "2026-04-04T15:30"),
        ("Australia/Sydney", date(2026, 10, 4), time(2, 30), "2026-10-03T16:30"),
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), "2026-10-03T15:45"),  # half an hour
        ("Africa/Cairo", date(2026, 4, 24), time(0, 0), "2026-04-23T22:00"),  # midnight itself is skipped
        ("America/Nuuk", date(2026, 3, 28), time(23, 30), "2026-03-29T00:30"),  # the day's last hour is
    ],
)
def test_hours_that_a_clock_change_skips_or_repeats(zone: str, day: date, at: time, expected: str) -> None:
    assert instant(day, at, ZoneInfo(zone)) == datetime.fromisoformat(f"{expected}+00:00")


@given(day=days)
def test_a_week_runs_from_monday_to_sunday(day: date) -> None:
    monday = monday_of(day)
    assert monday.weekday() == 0
    assert monday <= day < monday + 7 * DAY
    assert next_monday(day) == monday + 7 * DAY > day


@given(monday=days.map(monday_of), shift=st.integers(-40, 70))
def test_a_cycle_is_four_weeks_and_closes_on_the_fourth_friday(monday: date, shift: int) -> None:
    day = monday + shift * DAY
    assert week_number(monday, day) == (shift // 7 + 1 if 0 <= shift < 28 else None)
    closes = closing_day(monday)
    assert closes.weekday() == 4
    assert week_number(monday, closes) == 4
    fridays = [monday + n * DAY for n in range(28) if (monday + n * DAY).weekday() == 4]
    assert closes == fridays[3]


@pytest.mark.parametrize(
    ("day", "week"),
    [
        (date(2026, 12, 6), None),
        (date(2026, 12, 7), 1),
        (date(2026, 12, 13), 1),
        (date(2026, 12, 14), 2),
        (date(2027, 1, 3), 4),
        (date(2027, 1, 4), None),
    ],
)
def test_weeks_of_a_cycle_over_the_new_year(day: date, week: int | None) -> None:
    assert week_number(date(2026, 12, 7), day) == week


@given(monday=days.map(monday_of), week=st.integers(1, 4))
def test_the_monday_of_a_week_is_in_that_week(monday: date, week: int) -> None:
    assert week_number(monday, week_monday(monday, week)) == week
    assert week_monday(monday, week).weekday() == 0


@given(day=days, open_days=st.sets(st.integers(0, 6)))
def test_a_nudge_moves_forward_within_its_week_or_not_at_all(day: date, open_days: set[int]) -> None:
    found = working_day_from(day, is_working=lambda one: one.weekday() in open_days)
    left = [day.weekday() + n for n in range(7 - day.weekday()) if day.weekday() + n in open_days]
    if not left:
        assert found is None
    else:
        assert found == monday_of(day) + left[0] * DAY


@pytest.mark.parametrize(
    ("monday", "many", "first", "after", "is_last"),
    [
        (date(2026, 3, 2), 1, date(2026, 3, 2), date(2026, 4, 6), False),
        (date(2026, 3, 30), 2, date(2026, 2, 2), date(2026, 4, 6), True),
        (date(2026, 12, 28), 12, date(2026, 1, 5), date(2027, 1, 4), True),
        (date(2027, 1, 4), 3, date(2026, 11, 2), date(2027, 2, 1), False),
        (date(2026, 2, 23), 1, date(2026, 2, 2), date(2026, 3, 2), True),
    ],
)
def test_a_month_is_the_weeks_whose_monday_is_in_it(
    monday: date, many: int, first: date, after: date, is_last: bool
) -> None:
    mondays = months_until(monday, many)
    assert (mondays[0], mondays[-1], len(mondays)) == (first, after, many + 1)
    assert ends_month(monday) is is_last


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 24))
def test_months_follow_each_other_without_gaps(day: date, many: int) -> None:
    monday = monday_of(day)
    mondays = months_until(monday, many)
    assert mondays[-2] <= monday < mondays[-1]
    assert all(one.weekday() == 0 and one.day <= 7 for one in mondays)
    assert all(4 <= (after - first).days // 7 <= 5 for first, after in pairwise(mondays))
    assert ends_month(monday) == (monday + timedelta(weeks=1) == mondays[-1])
