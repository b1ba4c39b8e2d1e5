"""Nudge hours as people write them, one per line: `check-in: Thu 10:00`."""

import re
from collections.abc import Mapping
from datetime import time
from typing import Final

from cadence.nearest import nearest
from cadence.nudges.persons import DAY_CLOSES, DAY_OPENS
from cadence.nudges.table import BY_KIND, DAYS, TABLE, Audience, Hour, Nudge, Timing
from cadence.rules.calendar import FRIDAY

DAY_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WRITTEN: Final = re.compile(r"(?:(?P<day>[A-Za-z]+)\.?,?\s+)?(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:\s?h)?")
SETTABLE: Final = tuple(row for row in TABLE if row.hour is not None)
"""The nudges whose hour can be set."""


class HourRefused(ValueError):
    """An hour that can't be set: the reason, and a correct example."""

    def __init__(self, reason: str, right: str) -> None:
        self.reason = reason
        self.right = right
        super().__init__(f"{reason}; {right}")


def settable(*, of_adoption: bool = False) -> tuple[Nudge, ...]:
    """The nudges whose hour can be set, for a workspace or for one adoption: the digest covers all
    adoptions."""
    return tuple(row for row in SETTABLE if not (of_adoption and row.audience is Audience.CURATORS))


def nudge_named(word: str, *, of_adoption: bool = False) -> Nudge:
    """The nudge that a line names, by its name or its kind.

    Raises:
        HourRefused: there is no such nudge, or its hour can't be set here.
    """
    wanted = " ".join(word.split()).casefold()
    known = settable(of_adoption=of_adoption)
    for row in known:
        if wanted in {row.kind, row.title.casefold(), row.title.casefold().replace("-", "")}:
            return row
    for row in TABLE:
        if wanted in {row.kind, row.title.casefold()}:
            on = row.on if row.hour is None else ""
            why = f"comes {on}, so it doesn't have a fixed hour" if on else "is about the whole workspace"
            raise HourRefused(f"{row.title} {why}", "delete that line")
    titles = [row.title for row in known]
    meant = nearest(wanted, titles)
    right = f"did you mean {meant}?" if meant else f"choose one of {', '.join(titles)}"
    raise HourRefused(f"there's no nudge “{word.strip()[:40]}”", right)


def read_hour(text: str, nudge: Nudge) -> Hour:
    """Parse `Thu 10:00`; for nudges at the close of a cycle `16:00` is enough.

    Raises:
        HourRefused: not an hour, at night, or another day for a nudge of the fourth Friday.
    """
    example = f"write it as {nudge.hour}"
    found = _WRITTEN.fullmatch(text.strip().removeprefix("4th").strip())
    if found is None:
        raise HourRefused(f"“{text.strip()[:40]}” isn't a weekday and an hour", example)
    hour, minute = int(found["hour"]), int(found["minute"])
    if hour > 23 or minute > 59:
        raise HourRefused(f"“{text.strip()[:40]}” isn't a time of day", example)
    at = time(hour, minute)
    if not DAY_OPENS <= at < DAY_CLOSES:
        raise HourRefused(
            f"{at:%H:%M} is outside the hours for nudges",
            f"choose a time from {DAY_OPENS:%H:%M} to before {DAY_CLOSES:%H:%M}",
        )
    return Hour(_weekday(found["day"], nudge, example), at)


def _weekday(word: str | None, nudge: Nudge, example: str) -> int:
    if word is None:
        if nudge.timing is Timing.CLOSING:
            return FRIDAY
        raise HourRefused("the weekday is missing", example)
    short = 3
    days = [
        number
        for number, name in enumerate(DAY_NAMES)
        if len(word) >= short and name.casefold().startswith(word.casefold())
    ]
    if not days:
        raise HourRefused(f"“{word[:20]}” isn't a weekday", f"choose one of {', '.join(DAYS)}")
    if nudge.timing is Timing.CLOSING and days[0] != FRIDAY:
        raise HourRefused("a cycle closes on its fourth Friday", "you can only change the hour")
    return days[0]


def in_lines(hours: Mapping[str, Hour]) -> str:
    """Hours as lines that can be parsed again, in the order of the table."""
    return "\n".join(f"{row.title}: {hours[row.kind]}" for row in SETTABLE if row.kind in hours)


def require_in_order(hours: Mapping[str, Hour]) -> None:
    """Check that a reminder comes after what it reminds of.

    Raises:
        HourRefused: it doesn't.
    """
    first, second = (hours.get(kind) or BY_KIND[kind].hour for kind in ("checkin", "checkin-reminder"))
    if first and second and second[:2] <= first[:2]:
        raise HourRefused(
            f"the check-in reminder ({second}) would come before the check-in ({first})",
            "choose a later day for the reminder",
        )
    if first and second and second.weekday == first.weekday:
        raise HourRefused(
            f"the check-in reminder ({second}) is on the same day as the check-in ({first})",
            "choose a later day for the reminder, or an earlier one for the check-in",
        )
