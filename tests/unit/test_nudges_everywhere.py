"""Every time zone there is, 2026 to 2030: each slot once, by day, never on a holiday or a day away."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from cadence.documents.places import is_timezone
from cadence.flows.nudging.planning import LOOK_BACK
from cadence.nudges import (
    DAY_CLOSES,
    DAY_OPENS,
    NUDGES,
    ActiveAdoption,
    Hour,
    Person,
    Rollout,
    Slot,
    due,
    is_working,
)
from cadence.rules.calendar import monday_of

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
FIRST, LAST = date(2026, 1, 5), date(2030, 12, 30)
MONDAYS = [FIRST + number * WEEK for number in range((LAST - FIRST) // WEEK + 1)]
ZONES = sorted(name for name in available_timezones() if is_timezone(name))
SUNDAY_TO_THURSDAY = frozenset({6, 0, 1, 2, 3})


def rollout(
    monday: date,
    person: Person,
    *,
    working_days: frozenset[int] = frozenset(range(5)),
    hours: dict[str, Hour] | None = None,
) -> Rollout:
    """One team of one person, who is member, owner and reporter; its cycle was started long before."""
    started = datetime.combine(monday - WEEK, time(), tzinfo=UTC)
    team = Person("C1", person.zone)
    run = ActiveAdoption(
        1, ((monday, started),), ("U1",), "U1", "U1", team=team, audited=True, hours=hours or {}
    )
    return Rollout("T1", person.zone, ("C2",), {"U1": person}, (run,), working_days)


def of_week(state: Rollout, monday: date) -> list[Slot]:
    """The slots of the cycle's first week, and those about it on the following Monday."""
    start = datetime.combine(monday, time(), tzinfo=UTC) - 2 * DAY
    found = due(start, start + 15 * DAY, state)
    return [slot for slot in found if slot.subject["week"] == monday.isoformat() or slot.kind == "digest"]


def by_day(slot: Slot) -> bool:
    return DAY_OPENS <= slot.at.astimezone(slot.zone).time() < DAY_CLOSES


def changing_weeks(zone: ZoneInfo) -> Iterator[date]:
    """A quiet week, and every week in which the zone's clocks are changed."""
    yield MONDAYS[0]
    offsets = [datetime.combine(monday, time(12), tzinfo=zone).utcoffset() for monday in MONDAYS]
    for number, (before, after) in enumerate(pairwise(offsets)):
        if before != after:
            yield MONDAYS[number]


def test_in_every_zone_and_every_change_of_its_clocks_each_nudge_is_due_once_at_its_hour() -> None:
    expected = Counter(nudge.kind for nudge in NUDGES)
    hours = {nudge.kind: nudge.hour[:2] for nudge in NUDGES if nudge.hour}
    tried = 0
    for name in ZONES:
        zone = ZoneInfo(name)
        for monday in changing_weeks(zone):
            slots = of_week(rollout(monday, Person("U1", zone)), monday)
            assert Counter(slot.kind for slot in slots) == expected, (name, monday)
            for slot in slots:
                there = slot.at.astimezone(zone)
                assert (there.weekday(), there.time()) == hours[slot.kind], (name, slot)
                assert by_day(slot)
            tried += 1
    assert tried > 2 * len(ZONES)


mondays, names = st.sampled_from(MONDAYS), st.sampled_from(ZONES)
days = st.frozensets(st.integers(0, 13), max_size=7)


@settings(max_examples=400)
@given(
    monday=mondays,
    name=names,
    off=days,
    away=days,
    weekend=st.sampled_from([SUNDAY_TO_THURSDAY, frozenset(range(5))]),
)
def test_never_on_a_holiday_a_day_away_or_a_weekend(
    monday: date, name: str, off: frozenset[int], away: frozenset[int], weekend: frozenset[int]
) -> None:
    person = Person(
        "U1",
        ZoneInfo(name),
        days_off=frozenset(monday + number * DAY for number in off),
        away=tuple((monday + number * DAY, monday + number * DAY) for number in away),
    )
    slots = of_week(rollout(monday, person, working_days=weekend), monday)
    assert max(Counter(slot.key for slot in slots).values()) == 1
    for slot in slots:
        assert by_day(slot)
        day = slot.at.astimezone(slot.zone).date()
        if slot.recipient == "U1" and not slot.skipped:
            assert is_working(person, day, weekend)
            assert monday_of(day) in (monday, monday + WEEK)


times = st.builds(time, st.integers(DAY_OPENS.hour, DAY_CLOSES.hour - 1), st.integers(0, 59))
of_adoption = st.dictionaries(
    st.sampled_from([nudge.kind for nudge in NUDGES if nudge.kind != "digest"]),
    st.builds(Hour, st.integers(0, 4), times, st.none()),
)


@settings(max_examples=400)
@given(monday=mondays, name=names, hours=of_adoption)
def test_an_adoptions_own_hours_hold_everywhere(monday: date, name: str, hours: dict[str, Hour]) -> None:
    slots = of_week(rollout(monday, Person("U1", ZoneInfo(name)), hours=hours), monday)
    assert Counter(slot.kind for slot in slots) == Counter(nudge.kind for nudge in NUDGES)
    for slot in slots:
        there = slot.at.astimezone(slot.zone)
        assert by_day(slot)
        if slot.kind in hours:
            assert (there.weekday(), there.time()) == hours[slot.kind][:2]


@settings(max_examples=300)
@given(monday=mondays, home=names, abroad=names, minutes=st.integers(0, 7 * 24 * 60), hours=of_adoption)
def test_who_changes_zone_in_the_middle_of_a_week_gets_each_nudge_once(
    monday: date, home: str, abroad: str, minutes: int, hours: dict[str, Hour]
) -> None:
    """Planned every half hour or so: before the flight with one zone, after it with the other."""
    start = datetime.combine(monday, time(), tzinfo=UTC) - 2 * DAY
    flight = start + 2 * DAY + timedelta(minutes=minutes)
    before = rollout(monday, Person("U1", ZoneInfo(home)), hours=hours)
    after = Rollout("T1", before.zone, before.curators, {"U1": Person("U1", ZoneInfo(abroad))}, before.runs)
    planned = [slot.key for slot in due(start, flight, before)]
    planned += [slot.key for slot in due(flight - LOOK_BACK, start + 15 * DAY, after)]
    personal = {key for key in planned if ":U1:" in key}
    assert {key.partition(":")[0] for key in personal} == {
        nudge.kind for nudge in NUDGES if nudge.audience.endswith("DM")
    }
    assert len({key.partition(":")[0] + key[-10:] for key in personal}) == len(personal)
