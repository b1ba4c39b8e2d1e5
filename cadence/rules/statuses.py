"""Whether a Slack status means that somebody is away (SPEC §4). Words and emoji are data: add your own
here."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cadence.rules.calendar import local_day

AWAY_EMOJI = frozenset(
    {
        ":palm_tree:",
        ":desert_island:",
        ":beach_with_umbrella:",
        ":face_with_thermometer:",
        ":baby_bottle:",
        ":ooo:",
        ":pto:",
        ":vacation:",
    }
)
"""Slack's own for “Vacationing” and “Out sick” come first."""
AWAY_WORDS = (
    "vacation",
    "vacationing",
    "on holiday",
    "on holidays",
    "holidaying",
    "on leave",
    "annual leave",
    "sick leave",
    "parental leave",
    "maternity leave",
    "paternity leave",
    "out sick",
    "off sick",
    "pto",
    "ooo",
    "ooto",
    "out of office",
    "out of the office",
    "urlaub",
    "im urlaub",
    "krank",
    "elternzeit",
    "en vacances",
    "en congé",
    "de vacaciones",
    "de férias",
    "in ferie",
)
NOT_AWAY = ("back from", "no ", "not ", "before ", "until my", "planning", "soon", "after ")
"""A status that begins with one of these mentions an absence but isn't one."""
END_OF_WORK = time(17)
"""A status that ends later than this covers its last day."""
OPEN_END = timedelta(days=27)
"""How far ahead a status without an end counts; it is checked again every day, and when it changes."""

_WORDS = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, AWAY_WORDS))})(?!\w)", re.IGNORECASE)


def says_away(text: str, emoji: str) -> bool:
    """Whether a status says that somebody is away."""
    said = text.strip()
    if said.casefold().startswith(NOT_AWAY):
        return False
    return emoji.strip() in AWAY_EMOJI or bool(_WORDS.search(said))


def days_away(
    text: str, emoji: str, expires: int, *, zone: ZoneInfo, now: datetime
) -> tuple[date, date] | None:
    """The local days that a status covers, from today on; None if it isn't about an absence, or ends before
    today does.

    Args:
        expires: unix time, 0 for never.
    """
    if not says_away(text, emoji):
        return None
    today = local_day(now, zone)
    if not expires:
        return today, today + OPEN_END
    try:
        end = datetime.fromtimestamp(expires, UTC).astimezone(zone)
    except (ValueError, OverflowError, OSError):
        return today, today + OPEN_END
    last = end.date() if end.time() >= END_OF_WORK else end.date() - timedelta(days=1)
    return (today, min(last, today + timedelta(days=366))) if last >= today else None
