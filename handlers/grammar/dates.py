"""Days as people write them: `2026-12-20`, `20 Dec`, `12/20`, `tomorrow`, `next monday`, and from..until."""

import re
from datetime import date, timedelta
from typing import Final

from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from handlers.grammar.errors import shown

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_SHORTEST: Final = 3
_WEEK = timedelta(days=7)
_FIRST_YEAR, _LAST_YEAR = 2000, 2099
_LEAP_YEARS = 9  # a 29 February occurs again within eight years
_LONGEST_AWAY = timedelta(days=366)
_JUST_PASSED = timedelta(days=31)
_LONGEST_DAY = 40
_NEAR: Final = {"today": 0, "now": 0, "tomorrow": 1, "yesterday": -1}

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DAY_FIRST = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?\.? (?:of )?([a-z]+)\.?(?:,? (\d{4}))?")
_MONTH_FIRST = re.compile(r"([a-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?(?:,? (\d{4}))?")
_NUMBERS = re.compile(r"(\d{1,2})([/.])(\d{1,2})(?:\2(\d{4})?)?")
_SPAN = re.compile(
    r"\s*(?:\.{2,}|\u2026)\s*|\s+(?:to|until|till|-|\u2013|\u2014)\s+|(?<=\d)(?:[-\u2013\u2014]|\s+)(?=\d{1,2}/)"
)


def find_day(text: str, today: date, *, past: bool = False) -> date | None:
    """The date of a text, or None.

    A weekday is the first one from today on; `next` puts it in the week after this one. A day without a year
    is the next such day from today on, or one of the last 31 days. With `past` both are the latest one up to today.

    Raises:
        Refusal: it can be two days, such as `5/6`.
    """
    words = _plain(text)
    if words in _NEAR:
        return today + timedelta(days=_NEAR[words])
    weekday = _index(words.removeprefix("next ").removeprefix("this "), _WEEKDAYS)
    if weekday is not None:
        if words.startswith("next "):
            return today - timedelta(days=today.weekday()) + _WEEK + timedelta(days=weekday)
        ahead = (weekday - today.weekday()) % 7
        return today + timedelta(days=ahead - 7 if past and ahead else ahead)
    if found := _ISO.fullmatch(words):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    return _named(words, today, past=past)


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("\u2011", "-").split()).strip(".,;:!?\"'")[:_LONGEST_DAY]


def _named(words: str, today: date, *, past: bool) -> date | None:
    """Parse `20 Dec`, `20th of December 2026`, `Dec 20, 2026`."""
    if found := _DAY_FIRST.fullmatch(words):
        day, name, year = found[1], found[2], found[3]
    elif found := _MONTH_FIRST.fullmatch(words):
        name, day, year = found[1], found[2], found[3]
    elif found := _NUMBERS.fullmatch(words):
        return _dated(*_in_order(words, found), found[4], today, past=past)
    else:
        return None
    month = _index(name, _MONTHS)
    return None if month is None else _dated(month + 1, int(day), year, today, past=past)


def _in_order(words: str, found: re.Match[str]) -> tuple[int, int]:
    """Month and day of `20.12.`, `12/20` or `20/12`: with dots the day comes first."""
    first, second = int(found[1]), int(found[3])
    if found[2] == "/" and first != second and min(first, second) > 0 and max(first, second) <= len(_MONTHS):
        raise Refusal(
            say(
                "{typed} can be two days. Write {one} or {other}.",
                typed=shown(words),
                one=code(f"{second} {_MONTHS[first - 1][:3].title()} {found[4] or ''}".strip()),
                other=code(f"{first} {_MONTHS[second - 1][:3].title()} {found[4] or ''}".strip()),
            )
        )
    return (second, first) if found[2] == "." or first > second else (first, second)


def _dated(month: int, day: int, year: str | None, today: date, *, past: bool) -> date | None:
    """The day of a year, or the nearest one without a year."""
    if year:
        return _day(int(year), month, day)
    first = today - _JUST_PASSED
    years = (
        range(today.year, today.year - _LEAP_YEARS, -1)
        if past
        else range(first.year, first.year + _LEAP_YEARS)
    )
    candidates = (_day(each, month, day) for each in years)
    return next((each for each in candidates if each and (each <= today if past else each >= first)), None)


def _index(name: str, names: tuple[str, ...]) -> int | None:
    """The index of the name that this abbreviates, with at least three letters."""
    if len(name) < _SHORTEST:
        return None
    return next(
        (at for at, full in enumerate(names) if full.startswith(name) or name == f"{full[:3]}t"), None
    )


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if _FIRST_YEAR <= year <= _LAST_YEAR else None
    except ValueError:
        return None


def read_day(text: str, today: date, *, past: bool = False) -> date:
    """`find_day`, or a refusal that shows three formats."""
    found = find_day(text, today, past=past)
    if found is None:
        raise Refusal(
            say(
                "{typed} isn't a date. Try {iso}, {short} or {relative}.",
                typed=shown(text),
                iso=code("2026-12-20"),
                short=code("20 Dec"),
                relative=code("next monday"),
            )
        )
    return found


def read_span(text: str, today: date) -> tuple[date | None, date]:
    """The first and last day of `from..until` or `from to until`; of `D` alone, that day twice; of `until D`, None
    (from now on) and D.

    Raises:
        Refusal: a day is invalid, a last day is missing, or the range runs backwards, is over, or is too long.
    """
    opening, plain = _opening(text.strip())
    parts = _SPAN.split(plain.casefold(), maxsplit=1)
    start = read_day(parts[0], today) if len(parts) > 1 else None
    until = read_day(parts[-1], today)
    if len(parts) == 1 and opening == "from":
        raise Refusal(
            say(
                "Add the last day, like {example}.",
                example=code(f"/cadence away {plain} to {until + _WEEK - timedelta(days=1):%-d %b}"),
            )
        )
    if len(parts) == 1 and not opening:
        start = until
    if start and until < start:
        until = until if _plain(parts[-1]) in _NEAR else read_day(parts[-1], start)
    if start and until < start:
        raise Refusal(f"{until} is before {start}. Put the first day first: `{until}..{start}`.")
    if until < today:
        raise Refusal(f"{until:%-d %b %Y} is in the past. Choose today ({today:%-d %b %Y}) or later.")
    first = start if start and len(parts) > 1 else today
    if until - first > _LONGEST_AWAY:
        raise Refusal(
            f"{until:%-d %b %Y} is more than a year after {first:%-d %b %Y}. Choose an earlier last day."
        )
    return start, until


def _opening(text: str) -> tuple[str, str]:
    """The preposition a text begins with (`from`, `until` or nothing), and what follows it."""
    found = re.match(r"(?:(from)|until|till|to)\s+", text, flags=re.IGNORECASE)
    if found is None:
        return "", text
    return ("from" if found[1] else "until"), text[found.end() :]
