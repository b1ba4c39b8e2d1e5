"""People as planning sees them: on which days and at which hours they can be nudged."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cadence.rules.calendar import instant

DAY_OPENS, DAY_CLOSES = time(8, 0), time(18, 0)
"""Nobody is nudged before or after, in local time."""
MORNING = time(9)
"""When a nudge that was held overnight or over days off arrives, in local time."""
LONGEST_WAIT = timedelta(days=371)
"""How far ahead the next working day is looked for: longer than any absence."""
WEEKDAYS = frozenset(range(5))
"""Monday to Friday."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person, or a team's channel, and the days on which they can't be nudged.

    Args:
        days_off: public holidays of their country.
        away: ranges of days away, both ends included.
    """

    member: str
    zone: ZoneInfo
    days_off: frozenset[date] = frozenset()
    away: tuple[tuple[date, date], ...] = ()
    muted: bool = False

    def is_away(self, day: date) -> bool:
        """Whether a date is one of their days away."""
        return bool(self.away) and any(first <= day <= last for first, last in self.away)


def is_working(person: Person, day: date, working_days: frozenset[int]) -> bool:
    """Whether a person can be nudged on a date."""
    return day.weekday() in working_days and day not in person.days_off and not person.is_away(day)


def next_open(moment: datetime, person: Person, working_days: frozenset[int] = WEEKDAYS) -> datetime:
    """The given moment if it is within the person's day, else the next `MORNING` of one of their
    working days.

    Without a working day for more than a year, the morning after `LONGEST_WAIT`.
    """
    local = moment.astimezone(person.zone)
    if is_working(person, local.date(), working_days) and DAY_OPENS <= local.time() < DAY_CLOSES:
        return moment
    day = local.date() if local.time() < DAY_OPENS else local.date() + timedelta(days=1)
    for _ in range(LONGEST_WAIT.days):
        if is_working(person, day, working_days):
            break
        day += timedelta(days=1)
    return instant(day, MORNING, person.zone)
