"""When a week is over, owners see where check-ins contradict what tools counted."""

from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cadence.flows.checkins import RUNS_DIFFER, ask_about_runs
from cadence.rules.calendar import instant, local_day, monday_of
from storage.outbox import slots
from storage.outbox.queueing import message_key
from storage.queries import machines
from storage.queries.machines import CountedWeek
from storage.work import UnitOfWork

WEEK = timedelta(weeks=1)


class WeekEnd(NamedTuple):
    """When a week in which tools counted runs is over in its team's zone."""

    week: CountedWeek
    at: datetime


def week_ends(uow: UnitOfWork) -> list[WeekEnd]:
    """The ends of last week and this week of the adoptions whose runs tools counted."""
    monday = monday_of(local_day(uow.now, ZoneInfo("UTC")))
    return [  # from last week to next week by UTC: it may be another week in a team's zone
        WeekEnd(row, instant(row.week_start + WEEK, time.min, ZoneInfo(row.timezone)))
        for row in machines.counted_weeks(uow, first=monday - WEEK)
    ]


def ask_about_ended_weeks(uow: UnitOfWork) -> int:
    """Queue the owner's message about each week that is over; returns how many are new.

    Each is queued once, whether the counts differ or not: the message is skipped if they agree when it is
    sent, and later reports send no other.
    """
    with uow.read():
        due = [week for week, at in week_ends(uow) if at <= uow.now < at + WEEK]
        keys = {_key(uow, week): week for week in due}
        known = slots.known_keys(uow, keys=list(keys)) if keys else set()
    new = [week for key, week in keys.items() if key not in known]
    return sum(ask_about_runs(uow, adoption_id=one.adoption_id, week_start=one.week_start) for one in new)


def _key(uow: UnitOfWork, week: CountedWeek) -> str:
    return message_key(uow.workspace_id, RUNS_DIFFER, (week.adoption_id, week.week_start))
