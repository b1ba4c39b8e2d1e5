"""What is due between two instants: each slot once, at everybody's own hour, however time is divided."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from cadence.nudges import (
    NUDGES,
    ActiveAdoption,
    Hour,
    Person,
    Rollout,
    Slot,
    due,
    next_open,
)
from cadence.rules.calendar import monday_of

BERLIN, NEW_YORK, SYDNEY = map(ZoneInfo, ("Europe/Berlin", "America/New_York", "Australia/Sydney"))
MONDAY = date(2026, 11, 30)
BEGUN = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
THURSDAY, FRIDAY = MONDAY + 3 * DAY, MONDAY + 4 * DAY


def person(member: str = "U1", zone: ZoneInfo = BERLIN, **other: object) -> Person:
    return replace(Person(member, zone), **other)  # type: ignore[arg-type]


def run(
    *members: str,
    number: int = 1,
    cycles: tuple[tuple[date, datetime], ...] = ((MONDAY, BEGUN),),
    owner: str = "UOWNER",
    reporter: str | None = None,
    team: Person | None = None,
    audited: bool = False,
) -> ActiveAdoption:
    return ActiveAdoption(number, cycles, members, owner, reporter, team, audited)


def rollout(people: Iterable[Person], *runs: ActiveAdoption, **other: object) -> Rollout:
    everyone = {one.member: one for one in people}
    base = Rollout("T1", BERLIN, ("C1",), everyone, runs)
    return replace(base, **other)  # type: ignore[arg-type]


def week_of(state: Rollout, monday: date = MONDAY) -> list[Slot]:
    """The slots of one local week, with room for the zones around it."""
    since = datetime.combine(monday, time(), tzinfo=UTC) - DAY / 2
    return sorted(due(since, since + WEEK, state), key=lambda slot: (slot.at, slot.key))


def kinds(slots: Iterable[Slot]) -> list[str]:
    return [slot.kind for slot in slots]


def local(slot: Slot) -> tuple[date, time]:
    moment = slot.at.astimezone(slot.zone)
    return moment.date(), moment.time()


def only(slots: Iterable[Slot], kind: str) -> Slot:
    found = [slot for slot in slots if slot.kind == kind]
    assert len(found) == 1, found
    return found[0]


def test_a_week_of_one_team() -> None:
    channel = person("CTEAM")
    state = rollout(
        [person("U1"), person("UOWNER"), person("UREP")],
        run("U1", reporter="UREP", team=channel, audited=True),
    )
    slots = week_of(state)
    assert [(slot.kind, slot.recipient, *local(slot)) for slot in slots] == [
        ("week-opens", "CTEAM", MONDAY, time(9, 30)),
        ("checkin", "U1", THURSDAY, time(10)),
        ("checkin-reminder", "U1", FRIDAY, time(10)),
        ("spot-audit", "UOWNER", FRIDAY, time(11)),
        ("kpi-missing", "UREP", FRIDAY, time(14)),
        ("gate-due", "UOWNER", FRIDAY, time(15)),
    ]
    following = week_of(state, MONDAY + WEEK)
    assert [(slot.kind, slot.recipient, *local(slot)) for slot in following][:3] == [
        ("week-opens", "CTEAM", MONDAY + WEEK, time(9, 30)),
        ("who-is-missing", "UOWNER", MONDAY + WEEK, time(10)),
        ("digest", "C1", MONDAY + WEEK, time(11)),
    ]
    assert not any(slot.skipped for slot in slots + following)


def test_no_spot_audit_where_no_step_is_audited() -> None:
    state = rollout([person("UOWNER")], run("UOWNER"))
    assert "spot-audit" not in kinds(week_of(state))


def test_who_is_missing_and_the_digest_are_about_last_week_and_come_after_the_last_one_too() -> None:
    state = rollout([person("U1"), person("UOWNER")], run("U1"))
    for week in range(1, 5):
        slots = week_of(state, MONDAY + week * WEEK)
        about = (MONDAY + (week - 1) * WEEK).isoformat()
        assert only(slots, "who-is-missing").subject == {"adoption": 1, "week": about}
        assert only(slots, "digest").subject == {"week": about}
        assert ("checkin" in kinds(slots)) == (week < 4)
    assert week_of(state, MONDAY + 5 * WEEK) == []
    assert week_of(state, MONDAY - WEEK) == []


def test_the_digest_waits_for_the_next_working_day_of_the_week() -> None:
    holidays = frozenset({MONDAY + WEEK, MONDAY + WEEK + DAY})
    state = rollout([person("U1")], run("U1"), days_off=holidays)
    slot = only(week_of(state, MONDAY + WEEK), "digest")
    assert (*local(slot), slot.skipped) == (MONDAY + WEEK + 2 * DAY, time(11), "")
    whole_week = rollout(
        [person("U1")], run("U1"), days_off=frozenset(MONDAY + WEEK + n * DAY for n in range(5))
    )
    assert only(week_of(whole_week, MONDAY + WEEK), "digest").skipped == "public holiday"


def test_a_channel_gets_its_message_on_its_next_working_day_of_the_week() -> None:
    channel = person("CTEAM", SYDNEY, days_off=frozenset({MONDAY}))
    slot = only(week_of(rollout([person("U1")], run("U1", team=channel))), "week-opens")
    assert (*local(slot), slot.zone, slot.subject) == (
        MONDAY + DAY,
        time(9, 30),
        SYDNEY,
        {"adoption": 1, "week": MONDAY.isoformat()},
    )
    week_off = replace(channel, days_off=frozenset(MONDAY + n * DAY for n in range(5)))
    dropped = only(week_of(rollout([person("U1")], run("U1", team=week_off))), "week-opens")
    assert dropped.skipped == "public holiday"


def test_the_monday_between_two_cycles_asks_about_the_one_and_opens_the_other() -> None:
    next_monday = MONDAY + 4 * WEEK
    state = rollout(
        [person("U1"), person("UOWNER")],
        run("U1", cycles=((MONDAY, BEGUN), (next_monday, BEGUN + 4 * WEEK))),
    )
    slots = week_of(state, next_monday)
    assert only(slots, "who-is-missing").subject["week"] == (next_monday - WEEK).isoformat()
    assert only(slots, "checkin").subject["week"] == next_monday.isoformat()


def test_nothing_is_asked_before_the_cycle_was_started() -> None:
    midweek = datetime(2026, 12, 3, 9, 30, tzinfo=UTC)  # Thursday 10:30 in Berlin, half an hour too late
    state = rollout([person("U1"), person("UOWNER")], run("U1", cycles=((MONDAY, midweek),)))
    assert kinds(week_of(state)) == ["checkin-reminder", "gate-due"]
    assert "checkin" in kinds(week_of(state, MONDAY + WEEK))
    assert kinds(week_of(state, MONDAY + WEEK))[:2] == ["who-is-missing", "digest"]


def test_a_person_in_several_runs_gets_one_check_in() -> None:
    late = MONDAY + 3 * WEEK
    state = rollout(
        [person("U1"), person("U2"), person("UOWNER")],
        run("U1", "U2", number=1),
        run("U1", number=2),
        run("U1", number=3, cycles=((late, BEGUN + 3 * WEEK),)),
    )
    for monday in (MONDAY, late):
        counted = Counter((slot.kind, slot.recipient) for slot in week_of(state, monday))
        assert counted["checkin", "U1"] == counted["checkin-reminder", "U1"] == 1
        assert counted["checkin", "U2"] == 1
    assert "who-is-missing" not in kinds(week_of(state))
    missing = [slot for slot in week_of(state, MONDAY + WEEK) if slot.kind == "who-is-missing"]
    assert [slot.subject["adoption"] for slot in missing] == [1, 2]
    assert len({slot.key for slot in missing}) == 2


def test_a_run_that_started_earlier_asks_for_the_one_that_started_late() -> None:
    late = datetime(2026, 12, 4, 12, tzinfo=UTC)
    state = rollout(
        [person("U1"), person("UOWNER")], run("U1", number=1), run("U1", number=2, cycles=((MONDAY, late),))
    )
    assert kinds(week_of(state)) == ["checkin", "checkin-reminder", "gate-due", "gate-due"]


def test_mute_stops_the_reminder_and_not_the_check_in() -> None:
    state = rollout([person("U1", muted=True), person("UOWNER")], run("U1"))
    assert kinds(week_of(state)) == ["checkin", "gate-due"]


def test_without_a_reporter_or_a_known_owner_nobody_is_asked_in_their_place() -> None:
    assert "kpi-missing" not in kinds(week_of(rollout([person("U1")], run("U1", reporter=None))))
    assert "who-is-missing" not in kinds(week_of(rollout([person("U1")], run("U1")), MONDAY + WEEK))


@pytest.mark.parametrize("curators", [("C1",), ("UA", "UB"), ()])
def test_the_digest_goes_to_the_channel_else_to_each_curator(curators: tuple[str, ...]) -> None:
    state = rollout([person("U1"), person("UOWNER")], run("U1"), run("U1", number=2), curators=curators)
    digests = [slot for slot in week_of(state, MONDAY + WEEK) if slot.kind == "digest"]
    assert sorted(slot.recipient for slot in digests) == sorted(curators)
    assert len({slot.key for slot in digests}) == len(curators)


@pytest.mark.parametrize(
    ("off", "away", "day", "skipped"),
    [
        ([], [], THURSDAY, ""),
        ([THURSDAY], [], FRIDAY, ""),
        ([THURSDAY, FRIDAY], [], THURSDAY, "public holiday"),
        ([FRIDAY], [], THURSDAY, ""),
        ([], [(MONDAY, THURSDAY)], FRIDAY, ""),
        ([], [(THURSDAY, FRIDAY + 9 * DAY)], THURSDAY, "away"),
        ([THURSDAY], [(FRIDAY, FRIDAY)], THURSDAY, "public holiday"),
        ([FRIDAY], [(THURSDAY, THURSDAY)], THURSDAY, "away"),
        ([], [(FRIDAY, FRIDAY)], THURSDAY, ""),
    ],
)
def test_holidays_and_days_away_move_a_check_in_within_its_week_or_drop_it(
    off: list[date], away: list[tuple[date, date]], day: date, skipped: str
) -> None:
    one = person("U1", days_off=frozenset(off), away=tuple(away))
    slot = only(week_of(rollout([one, person("UOWNER")], run("U1"))), "checkin")
    assert (*local(slot), slot.skipped) == (day, time(10), skipped)


def test_other_working_days_and_hours() -> None:
    sunday = MONDAY + 6 * DAY
    state = rollout(
        [person("U1", ZoneInfo("Asia/Dubai")), person("UOWNER")],
        run("U1"),
        working_days=frozenset({0, 1, 2, 3, 6}),
        hours={"checkin": Hour(4, time(8, 30)), "checkin-reminder": Hour(2, time(9))},
    )
    assert local(only(week_of(state), "checkin")) == (sunday, time(8, 30))  # Friday is closed here
    assert local(only(week_of(state), "checkin-reminder")) == (MONDAY + 2 * DAY, time(9))
    closed = only(week_of(replace(state, working_days=frozenset({0}))), "checkin")
    assert closed.skipped == "no working day left in the week"


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        (BERLIN, date(2026, 3, 29)),
        (BERLIN, date(2026, 10, 25)),
        (NEW_YORK, date(2026, 3, 8)),
        (NEW_YORK, date(2026, 11, 1)),
        (SYDNEY, date(2026, 4, 5)),
        (SYDNEY, date(2026, 10, 4)),
    ],
)
def test_local_hours_hold_over_the_clock_changes_of_2026(zone: ZoneInfo, change: date) -> None:
    monday = monday_of(change)
    begun = datetime.combine(monday - WEEK, time(), tzinfo=UTC)
    one = person("U1", zone)
    state = rollout(
        [one, person("UOWNER", zone)],
        run("U1", cycles=((monday, begun),), reporter="U1", team=person("CTEAM", zone), audited=True),
        working_days=frozenset(range(7)),
        hours={"checkin": Hour(6, time(2, 30))},  # inside the very hour that is skipped or repeated
    )
    slots = list(due(begun, begun + 6 * WEEK, state))
    assert {slot.zone for slot in slots if slot.kind != "digest"} == {zone}
    for nudge in NUDGES:
        found = [slot for slot in slots if slot.kind == nudge.kind]
        assert len(found) == 4, nudge.kind
        for slot in found:
            day, at = local(slot)
            expected = time(2, 30) if nudge.kind == "checkin" or not nudge.hour else nudge.hour.at
            skips = day == change and nudge.kind == "checkin" and at == time(3, 30)
            assert at == expected or skips
    sundays = [local(slot)[0] for slot in slots if slot.kind == "checkin"]
    assert sorted(sundays) == [change + n * WEEK for n in range(4)]
    apart = {b.at - a.at for a, b in _neighbours(slots, "kpi-missing")}
    assert apart == {WEEK, WEEK + _shift(zone, change)}


def _neighbours(slots: list[Slot], kind: str) -> list[tuple[Slot, Slot]]:
    found = sorted((slot for slot in slots if slot.kind == kind), key=lambda slot: slot.at)
    return list(pairwise(found))


def _shift(zone: ZoneInfo, change: date) -> timedelta:
    """How much longer than a day the date of the change is."""
    midnight, next_midnight = (datetime.combine(change + n * DAY, time(), tzinfo=zone) for n in (0, 1))
    return next_midnight.astimezone(UTC) - midnight.astimezone(UTC) - DAY


def test_a_message_stays_useful_as_long_as_its_week_lasts() -> None:
    state = rollout([person("U1"), person("UOWNER")], run("U1"))
    slot = only(week_of(state), "checkin")
    assert slot.useful_until.astimezone(BERLIN) == datetime(2026, 12, 6, 0, tzinfo=BERLIN)
    assert all(one.useful_until > one.at for one in due(BEGUN, BEGUN + 5 * WEEK, state))


def test_a_monday_that_begins_while_the_workspace_still_has_saturday_is_not_lost() -> None:
    east, west = ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Etc/GMT+12")
    state = rollout(
        [person("U1", east), person("UOWNER", east)],
        run("U1"),
        zone=west,
        hours={"checkin": Hour(0, time(0, 30))},
    )
    at = datetime.combine(MONDAY, time(0, 30), tzinfo=east).astimezone(UTC)
    state = replace(state, runs=(run("U1", cycles=((MONDAY, at - WEEK),)),))
    assert at.astimezone(west).weekday() == 5
    assert kinds(due(at - timedelta(minutes=1), at, state)) == ["checkin"]


def test_who_is_away_for_good_is_asked_again_in_a_year() -> None:
    one = person(away=((date(2026, 1, 1), date(2099, 1, 1)),))
    moment = datetime(2026, 12, 3, 9, tzinfo=UTC)
    opens = next_open(moment, one)
    assert timedelta(days=365) < opens - moment < timedelta(days=380)
    assert opens.astimezone(BERLIN).time() == time(9)


@pytest.mark.parametrize(
    ("moment", "comes"),
    [
        ("Thu 07:59", "Thu 09:00"),
        ("Thu 08:00", "Thu 08:00"),
        ("Thu 17:59", "Thu 17:59"),
        ("Thu 18:00", "Fri 09:00"),
        ("Thu 23:30", "Fri 09:00"),
        ("Fri 18:00", "Mon 09:00"),
        ("Sat 12:00", "Mon 09:00"),
        ("Mon 03:00", "Mon 09:00"),
    ],
)
def test_what_is_held_overnight_comes_at_nine(moment: str, comes: str) -> None:
    days = {"Thu": 5, "Fri": 6, "Sat": 7, "Mon": 9}
    berlin = ZoneInfo("Europe/Berlin")
    day, _, clock = moment.partition(" ")
    at = datetime(2026, 3, days[day], int(clock[:2]), int(clock[3:]), tzinfo=berlin)
    opens = next_open(at, Person("U01", berlin)).astimezone(berlin)
    assert f"{opens:%a %H:%M}" == comes
