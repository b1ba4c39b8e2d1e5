"""Invariants for the slots of any workspace: however time is divided, each is due once and in its week."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from cadence.nudges import (
    DAY_CLOSES,
    DAY_OPENS,
    NUDGES,
    WEEKDAYS,
    ActiveAdoption,
    Hour,
    Person,
    Rollout,
    due,
    is_working,
    next_open,
)
from cadence.rules.calendar import monday_of

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
FAR = ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Etc/GMT+12", "Asia/Kathmandu", "Australia/Lord_Howe")
zones = st.sampled_from([*FAR, "Europe/Berlin", "America/New_York", "America/Nuuk"]).map(ZoneInfo)
hours = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30, 59]))

moments = st.datetimes(datetime(2026, 1, 20), datetime(2026, 12, 20)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
set_hours = st.builds(Hour, st.integers(0, 6), hours, st.none() | moments)
set_for_adoptions = st.dictionaries(st.sampled_from([one.kind for one in NUDGES]), set_hours, max_size=3)


@st.composite
def rollouts(draw: st.DrawFn) -> Rollout:
    """A workspace in any zone with people in others, cycles in a row, days off, other hours."""
    monday = monday_of(draw(st.dates(date(2026, 2, 1), date(2026, 11, 30))))
    begun = datetime.combine(monday, time(), tzinfo=UTC) + draw(st.integers(-5_000, 5_000)) * timedelta(
        minutes=1
    )
    members = ("U1", "U2", "U3")
    everyone = [
        Person(
            member,
            draw(zones),
            frozenset(draw(st.sets(st.dates(monday, monday + 4 * WEEK), max_size=4))),
            tuple(
                (first, first + 2 * DAY)
                for first in draw(st.lists(st.dates(monday, monday + 5 * WEEK), max_size=2))
            ),
            draw(st.booleans()),
        )
        for member in members
    ]
    return Rollout(
        "T1",
        draw(zones),
        ("C1",),
        {one.member: one for one in everyone},
        (
            ActiveAdoption(
                1,
                ((monday, begun), (monday + 4 * WEEK, begun + 4 * WEEK)),
                members,
                "U1",
                "U2",
                hours=draw(set_for_adoptions),
            ),
            ActiveAdoption(
                2,
                ((monday + WEEK, begun),),
                ("U2", "U3"),
                "U3",
                None,
                hours=draw(set_for_adoptions),
                joined=draw(st.dictionaries(st.sampled_from(["U2", "U3"]), moments)),
            ),
        ),
        hours=draw(st.dictionaries(st.sampled_from([one.kind for one in NUDGES]), set_hours)),
        days_off=frozenset(draw(st.sets(st.dates(monday, monday + 4 * WEEK), max_size=4))),
    )


def _span(state: Rollout) -> tuple[datetime, datetime]:
    monday = state.runs[0].cycles[0][0]
    start = datetime.combine(monday, time(), tzinfo=UTC) - WEEK
    return start, start + 11 * WEEK


@settings(max_examples=150)
@given(state=rollouts(), cuts=st.lists(st.integers(0, 11 * 7 * 24 * 60), max_size=12))
def test_however_time_is_cut_each_slot_is_due_in_exactly_one_piece(state: Rollout, cuts: list[int]) -> None:
    start, end = _span(state)
    whole = list(due(start, end, state))
    edges = [start, *sorted(start + timedelta(minutes=cut) for cut in cuts), end]
    pieces = [slot for since, until in pairwise(edges) for slot in due(since, until, state)]
    assert Counter(slot.key for slot in pieces) == Counter(slot.key for slot in whole)
    assert sorted(pieces, key=lambda slot: slot.key) == sorted(whole, key=lambda slot: slot.key)
    assert len({slot.key for slot in whole}) == len(whole)


@settings(max_examples=100)
@given(state=rollouts())
def test_cut_right_at_every_slot_nothing_is_lost_or_doubled(state: Rollout) -> None:
    start, end = _span(state)
    whole: dict[datetime, set[object]] = {}
    for slot in due(start, end, state):
        whole.setdefault(slot.at, set()).add(slot.key)
    for at, keys in whole.items():
        just_before = at - timedelta(microseconds=1)
        assert keys <= {one.key for one in due(just_before, at, state)}
        assert keys.isdisjoint(one.key for one in due(at, at + DAY, state))
        assert list(due(at, at, state)) == []


@settings(max_examples=100)
@given(state=rollouts())
def test_every_slot_is_in_its_week_on_a_working_day_or_says_why_not(state: Rollout) -> None:
    for slot in due(*_span(state), state):
        day = slot.at.astimezone(slot.zone).date()
        about = date.fromisoformat(str(slot.subject["week"]))
        sent_in = about + WEEK if slot.kind in {"who-is-missing", "digest"} else about
        assert monday_of(day) == sent_in
        curators = Person("C1", state.zone, state.days_off)
        one = curators if slot.kind == "digest" else state.people[slot.recipient]
        assert is_working(one, day, state.working_days) == (slot.skipped == "")


@settings(max_examples=300)
@given(
    minutes=st.integers(0, 5 * 365 * 24 * 60),
    zone=zones,
    off=st.sets(st.integers(0, 40)),
    away=st.integers(0, 90),
)
def test_the_next_open_moment_is_inside_a_working_day(
    minutes: int, zone: ZoneInfo, off: set[int], away: int
) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    today = moment.astimezone(zone).date()
    ranges = ((today - DAY, today + away * DAY),) if away else ()
    one = Person("U1", zone, frozenset(today + number * DAY for number in off), ranges)
    opens = next_open(moment, one)
    there = opens.astimezone(zone)
    assert opens >= moment
    assert DAY_OPENS <= there.time() < DAY_CLOSES
    assert is_working(one, there.date(), WEEKDAYS)
    assert next_open(opens, one) == opens
    between = range((there.date() - today).days)
    if opens != moment:
        assert there.time() == time(9)
        skipped = [today + n * DAY for n in between if is_working(one, today + n * DAY, WEEKDAYS)]
        assert skipped in ([], [today])
