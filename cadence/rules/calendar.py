"""Local dates and hours: weeks, cycles and the instant of a slot (SPEC §3, §4).

A slot is a local date and hour. Zones and their clock changes are looked up with zoneinfo as late as
possible, so a slot that a clock change repeats or removes still has exactly one instant.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

YEARS = range(2000, 2100)
"""Years that can be typed: others have no calendars, and date arithmetic ends not far beyond."""
WEEKS = 4
"""Weeks in a cycle."""
FRIDAY = 4


def monday_of(day: date) -> date:
    """The Monday of the week that contains a date."""
    return day - timedelta(days=day.weekday())


def next_monday(day: date) -> date:
    """The first Monday after a date; never the date itself."""
    return monday_of(day) + timedelta(days=7)


def closing_day(starts_on: date) -> date:
    """The fourth Friday of a cycle that starts on a Monday."""
    return starts_on + timedelta(weeks=WEEKS - 1, days=FRIDAY)


def week_number(starts_on: date, day: date) -> int | None:
    """The week of the cycle that contains a date, 1 to 4; `None` before the cycle and after its fourth
    Sunday."""
    number = (day - starts_on).days // 7 + 1
    return number if 1 <= number <= WEEKS else None


def week_monday(starts_on: date, week: int) -> date:
    """The Monday of a week of the cycle (week 1 is the first)."""
    return starts_on + timedelta(weeks=week - 1)


def months_until(monday: date, many: int) -> list[date]:
    """The first Mondays of the last `many` months, oldest first, and the Monday after them.

    A week belongs to the month of its Monday. The last month is that of `monday`.
    """
    count = monday.year * 12 + monday.month - 1
    return [_first_monday(one) for one in range(count - many + 1, count + 2)]


def _first_monday(month: int) -> date:
    """The first Monday of a month, counted from January of year 0."""
    return monday_of(date(month // 12, month % 12 + 1, 7))


def ends_month(monday: date) -> bool:
    """Whether a week is the last of its month."""
    return (monday + timedelta(weeks=1)).month != monday.month


@lru_cache(maxsize=4096)  # a workspace has few zones and hours, so most slots share their instant
def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The UTC instant of a local date and hour.

    An hour that a clock change repeats means its first occurrence. An hour it skips means the same distance
    past midnight on the old clock, which is the next hour that exists. Where the last hour of the date is
    skipped (Nuuk), it means the same distance before midnight on the new clock: a slot keeps its date.
    """
    moment = datetime.combine(day, at.replace(fold=0), tzinfo=zone).astimezone(UTC)
    if local_day(moment, zone) != day:
        return datetime.combine(day, at.replace(fold=1), tzinfo=zone).astimezone(UTC)
    return moment


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The local date of an instant."""
    return moment.astimezone(zone).date()


def working_day_from(day: date, *, is_working: Callable[[date], bool]) -> date | None:
    """The date itself or the next working day of the same week; `None` when the week has none left."""
    for later in range(7 - day.weekday()):
        candidate = day + timedelta(days=later)
        if is_working(candidate):
            return candidate
    return None
