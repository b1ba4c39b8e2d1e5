"""Nudge hours as people write them, invalid ones, and which hour applies to whom."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from cadence.flows.core.nudge_hours import lines_of, parse_hours
from cadence.nudges import TABLE, ActiveAdoption, Hour, Person, Rollout, Slot, due
from cadence.nudges.hours import SETTABLE
from cadence.refusals import Refusal
from tests.contexts import assert_golden

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 11, 30)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "kind", "hour"),
    [
        ("check-in: Thu 10:00", "checkin", (3, time(10))),
        ("checkin: friday 9:15", "checkin", (4, time(9, 15))),
        ("Check-in reminder: FRI 08:00", "checkin-reminder", (4, time(8))),
        ("week opens: Mon, 9.30", "week-opens", (0, time(9, 30))),
        ("kpi-missing: Fri 17:59", "kpi-missing", (4, time(17, 59))),
        ("cycle closes: 15:00", "cycle-closed", (4, time(15))),
        ("cycle closes: 4th Fri 15:00", "cycle-closed", (4, time(15))),
    ],
)
def test_hours_as_people_write_them(line: str, kind: str, hour: tuple[int, time]) -> None:
    assert {key: one[:2] for key, one in parse_hours(f"\n{line}\n").items()} == {kind: hour}


@pytest.mark.parametrize(
    "line",
    [
        "check-in Thu 10",
        "check-in: Thu",
        "check-in: 10:00",
        "check-in: Thorsday 10:00",
        "check-in: Thu 25:00",
        "check-in: Thu 07:59",
        "check-in: Thu 18:00",
        "check-in Thu 10:00",
        "chekin: Thu 10:00",
        "lunch: Thu 12:00",
        "cycle closes: Thu 15:00",
        "handoff overdue: Thu 15:00",
        "check-in: Thu 10:00\ncheck-in: Fri 10:00",
    ],
)
def test_a_line_that_cant_be_read_says_what_would_be_right(line: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_hours(line)
    assert_golden(refused.value.plain, f"line:{ascii(line)[1:-1]}")
    assert refused.value.field == "hours"


def test_a_question_ends_with_one_mark() -> None:
    with pytest.raises(Refusal) as refused:
        parse_hours("chekin: Thu 10:00")
    assert_golden(refused.value.plain, "question")


def test_every_unreadable_line_is_reported() -> None:
    with pytest.raises(Refusal) as refused:
        parse_hours("check-in Thu\nkpi-missing: Fri 17:00\ncheck-in reminder: Thu 25:00")
    assert_golden(refused.value.plain, "every-line")


def test_the_digest_is_no_adoptions() -> None:
    with pytest.raises(Refusal) as refused:
        parse_hours("digest: Mon 10:00", of_adoption=True)
    assert_golden(refused.value.plain, "digest")


def test_what_a_form_shows_is_read_back() -> None:
    usual = {row.kind: row.hour for row in TABLE if row.hour}
    assert parse_hours(lines_of(usual)) == usual
    assert lines_of(usual).splitlines()[1] == "check-in: Thu 10:00"
    assert "digest" not in lines_of(usual, of_adoption=True)
    assert len(lines_of(usual).splitlines()) == len(SETTABLE) == len(TABLE) - 1


def run(number: int, *members: str, begun: datetime = LONG_AGO, **hours: Hour) -> ActiveAdoption:
    return ActiveAdoption(
        number,
        ((MONDAY, begun),),
        members,
        "UOWNER",
        None,
        hours=hours,
    )


def checkins(*runs: ActiveAdoption, hours: dict[str, Hour] | None = None) -> dict[str, str]:
    """When each person is asked in the week, in Berlin."""
    people = {member: Person(member, BERLIN) for one in runs for member in one.members}
    state = Rollout("T1", BERLIN, (), people, runs, hours=hours or {})
    start = datetime.combine(MONDAY, time(), tzinfo=BERLIN).astimezone(UTC)
    found: list[Slot] = [slot for slot in due(start, start + WEEK, state) if slot.kind == "checkin"]
    assert len(found) == len({slot.recipient for slot in found})
    return {slot.recipient: f"{slot.at.astimezone(BERLIN):%a %H:%M}" for slot in found}


def at(day: int, hour: int) -> datetime:
    return datetime.combine(MONDAY + day * DAY, time(hour), tzinfo=BERLIN).astimezone(UTC)


WED_9, FRI_9 = Hour(2, time(9)), Hour(4, time(9))


def test_an_adoptions_hour_counts_before_the_workspaces_and_that_before_the_tables() -> None:
    asked = checkins(run(1, "U1"), run(2, "U2", checkin=WED_9), hours={"checkin": FRI_9})
    assert asked == {"U1": "Fri 09:00", "U2": "Wed 09:00"}
    assert checkins(run(1, "U1")) == {"U1": "Thu 10:00"}


def test_who_runs_several_is_asked_once_at_the_earliest_hour() -> None:
    assert checkins(run(1, "U1", checkin=FRI_9), run(2, "U1", checkin=WED_9), run(3, "U1")) == {
        "U1": "Wed 09:00"
    }


def test_a_run_that_began_after_its_own_hour_doesnt_take_the_others_away() -> None:
    late = run(2, "U1", begun=at(2, 12), checkin=WED_9)
    assert checkins(run(1, "U1"), late) == {"U1": "Thu 10:00"}


def test_who_joins_a_second_team_after_its_hour_is_asked_at_the_firsts() -> None:
    second = ActiveAdoption(
        2, ((MONDAY, LONG_AGO),), ("U1",), "", None, hours={"checkin": WED_9}, joined={"U1": at(2, 12)}
    )
    assert checkins(run(1, "U1"), second) == {"U1": "Thu 10:00"}
    assert checkins(second) == {"U1": "Wed 09:00"}


def test_an_hour_that_had_passed_when_it_was_set_comes_when_it_was_set() -> None:
    moved = Hour(0, time(9), since=at(2, 12))
    assert checkins(run(1, "U1", checkin=moved)) == {"U1": "Wed 12:00"}
    at_night = Hour(0, time(9), since=at(2, 22))
    assert checkins(run(1, "U1", checkin=at_night)) == {"U1": "Thu 09:00"}
    next_week = Hour(0, time(9), since=at(-3, 12))
    assert checkins(run(1, "U1", checkin=next_week)) == {"U1": "Mon 09:00"}
