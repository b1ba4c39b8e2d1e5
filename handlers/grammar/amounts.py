"""Finds where a number ends and its note begins: `14m slow week`, `1h 30m`, `4.6 out of 5 in the survey`."""

import re
from typing import Final

from cadence.mrkdwn import say
from cadence.refusals import Refusal
from cadence.rules.amounts import MEASURES
from handlers.grammar.errors import shown
from handlers.grammar.words import Typed

# Measures that no KPI uses: kept with the number, so that it is refused and not read without them.
_FOREIGN = re.compile(
    r"""(?:quart|gallon|pint|liter|litre|gram|kilo|ounce|ton|tonne|inche|yard|mile|meter|metre|month|quarter|year
        |millisecond|byte|degree)s?|inch|foot|feet|ml|g|kg|lbs?|oz|mm|cm|km|ms|[kmgt]b|bps|permille""",
    re.VERBOSE,
)
_START = re.compile(
    r"[+\-\u2212\u2013]?(?P<code>[^\W\d_]{3}|[^\w\s.,+\-<>&@#]{1,2})?[+\-\u2212\u2013]?[.,]?\d"
)
_LONE_MONEY = re.compile(r"[+-]?(?:[$\u20ac\u00a3\u00a5\u20b9]|usd|eur|gbp|chf)", re.IGNORECASE)
_TIME = re.compile(r"(?:[\d.,]+(?:s|sec|m|min|h|hrs?|d|w)|\d+(?:minutes?|mins|hours?|days?|seconds?|weeks?))")
_TIME_WORDS: Final = frozenset(
    {*("s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minute", "minutes")}
)
_HOURS: Final = re.compile(r"(?:.*\d)?(?:h|hrs?|hours?|d|days?)")
_FIGURE: Final = re.compile(
    r"[+\-\u2212\u2013]?[$\u20ac\u00a3\u00a5\u20b9]?\d[\d.,]*(?:/\d[\d.,]*|(?P<unit>%|[^\W\d_]+)?)"
)
_QUOTES = "\"'`*_\u201c\u201d\u2018\u2019"
_AFTER = f".,;:!?{_QUOTES}"
_MULTIPLIED = re.compile(r".*\d[kmb]|k|m|b|bn|mn|million|billion|thousand")


def starts_amount(typed: Typed) -> bool:
    """Whether the next word begins a number, possibly with a currency before it."""
    if not typed:
        return False
    first = typed.words[0].text.strip(_QUOTES)
    if _LONE_MONEY.fullmatch(first) and len(typed.words) > 1:
        first += typed.words[1].text
    found = _START.match(first)
    currency = found["code"] if found else None
    return found is not None and (not currency or not currency.isalpha() or currency.casefold() in MEASURES)


def take_amount(typed: Typed) -> str:
    """Take a number with its unit, as typed, from the left; the rest is the note.

    Raises:
        Refusal: the note begins with a figure that could belong to the number.
    """
    parts = [_stripped(typed)]
    if _LONE_MONEY.fullmatch(parts[0]):
        parts.append(_stripped(typed))
    while typed and (count := _continues(parts[-1], typed)):
        parts.extend(_stripped(typed) for _ in range(count))
    _refuse_two_numbers(parts, typed)
    if typed and _splits(parts[-1], typed):
        parts.append(_stripped(typed))
    return " ".join(parts)


def refuse_second_number(first: str, typed: Typed, *, words: frozenset[str] = frozenset()) -> None:
    """Refuse a note that is nothing but another number: `14 15` is a slip, and only the person knows which counts.

    Args:
        first: the number, as typed.
        words: words that make it no note either, such as `runs`.

    Raises:
        Refusal: it asks which one, and shows how to keep a number as the note.
    """
    figures = [word.text.rstrip(".,;:!?") for word in typed.words]
    if not figures or not _FIGURE.fullmatch(figures[0]) or not all(_is_figure(one, words) for one in figures):
        return
    second = typed.rest().rstrip(_AFTER)
    raise Refusal(
        say(
            "You typed {one} and {two}. Which one? If {two} is your note, put it in quotes: {note}.",
            one=shown(first),
            two=shown(second),
            note=shown(f'{first} "{second}"'),
        )
    )


def _is_figure(word: str, others: frozenset[str]) -> bool:
    """Whether a word is a number with or without its unit, or a unit by itself; a quoted one isn't."""
    found = _FIGURE.fullmatch(word)
    if found is None:
        return word.casefold() in MEASURES | others
    return not found["unit"] or found["unit"].casefold() in MEASURES


def _stripped(typed: Typed) -> str:
    return typed.take()[0].text.strip(_AFTER.replace(".", "")).rstrip(".")


def _continues(last: str, typed: Typed) -> int:
    """How many of the next words still belong to the number: a unit, a scale, the next part of a duration."""
    word = typed.words[0].text.casefold().rstrip(_AFTER)
    follows = typed.key(1)
    if last[-1:].isdecimal():
        if word in MEASURES or _FOREIGN.fullmatch(word) or re.fullmatch(r"/\d.*", word):
            return 1
        if word in ("/", "of") and follows[:1].isdecimal():
            return 2
        return 3 if (word, follows) == ("out", "of") and typed.key(2)[:1].isdecimal() else 0
    if last.endswith("/") and word[:1].isdecimal():
        return 1
    if not _ends_in_measure(last):
        return 0
    if _TIME.fullmatch(word):
        return 1
    if word.isdecimal() and follows in _TIME_WORDS:
        return 2
    return 1 if word in MEASURES and _MULTIPLIED.fullmatch(last.lower()) else 0


def _ends_in_measure(last: str) -> bool:
    return bool(re.search(r"[a-z%]$", last.lower()))


def _splits(last: str, typed: Typed) -> bool:
    """Whether the next word is a figure that continues the number: the `30` of `1h 30`, the `234` of `1
    234`."""
    word = typed.words[0].text.rstrip(_AFTER)
    if _HOURS.fullmatch(last.lower()):
        return bool(re.fullmatch(r"\d{1,2}", word))
    return bool(re.fullmatch(r"[-+]?[1-9]\d{0,2}", last) and re.fullmatch(r"\d{3}(?:[.,]\d+)?", word))


def _refuse_two_numbers(parts: list[str], typed: Typed) -> None:
    """`1h 30 slow week`, `1 234 tickets`, `1 hour and 30 minutes`: one number or two, only the person
    knows."""
    value = " ".join(parts)
    if typed.key() in ("and", "&", "+") and typed.key(1)[:1].isdecimal() and _ends_in_measure(value):
        follows, figure = " ".join(word.text for word in typed.words[:2]), typed.words[1].text
    elif len(typed.words) > 1 and _splits(parts[-1], typed):
        follows = figure = typed.words[0].text
    else:
        return
    raise Refusal(
        say(
            "If {both} is one number, type {one}. If not, put the note in quotes: {note}.",
            both=shown(f"{value} {follows}"),
            one=shown("".join(parts) + figure),
            note=shown(f'{value} "{follows} \u2026"'),
        )
    )
