"""Numbers as people write them, in the unit of a KPI, and numbers as people read them.

`.` is the decimal point and `,` groups thousands, as in `1,234.5`. A decimal comma is understood where it
can't be a thousands group: `12,5` is 12.5, `1,234` is 1234. What could be two numbers is refused with an
example.
"""

import math
import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

LARGEST: Final = 1e12
_LONGEST = 40


class Unit(StrEnum):
    """The unit of a KPI; `count`, `currency` and `score` have no unit word."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    PERCENT = "percent"
    COUNT = "count"
    CURRENCY = "currency"
    SCORE = "score"


_EXAMPLES: Final[Mapping[Unit, tuple[str, str]]] = {
    Unit.MINUTES: ("14m", "14"),
    Unit.HOURS: ("1h30m", "1.5"),
    Unit.DAYS: ("2d", "2.5"),
    Unit.PERCENT: ("92%", "92.5"),
    Unit.COUNT: ("1,234", "1.2k"),
    Unit.CURRENCY: ("$1.2k", "1,234.50"),
    Unit.SCORE: ("4.6", "4.6/5"),
}
_NOUNS: Final[Mapping[Unit, str]] = {
    Unit.MINUTES: "a number of minutes",
    Unit.HOURS: "a number of hours",
    Unit.DAYS: "a number of days",
    Unit.PERCENT: "a percentage",
    Unit.COUNT: "a count",
    Unit.CURRENCY: "an amount of money",
    Unit.SCORE: "a score",
}


class AmountError(ValueError):
    """A number that can't be read in the KPI's unit; the message says why and what would be right.

    Args:
        problem: one sentence of plain text.
        unit: the KPI's unit.
        examples: two amounts that `parse_amount` reads in that unit, for callers that show a whole command;
            by default the unit's usual ones.
    """

    def __init__(self, problem: str, unit: Unit, examples: tuple[str, str] | None = None) -> None:
        self.problem = problem
        self.unit = unit
        self.examples = examples or _EXAMPLES[unit]
        first, second = self.examples
        super().__init__(f"{problem} Try `{first}` or `{second}`.")


_NUMBER = r"""(?:
    [1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?            # 1,234.5
  | [1-9]\d{0,2}(?:\ \d{3})+(?:\.\d+|,\d{1,2})?  # 1 234,5
  | \d+,\d{1,2}                                  # 12,5
  | \d+(?:\.\d*)?
  | \.\d+
)(?![\d.,])"""
_PIECE = re.compile(rf"(?P<number>{_NUMBER})\s*(?P<word>[a-z]*)\s*", re.VERBOSE)
_AMOUNT = re.compile(
    rf"(?P<before>[^\d.,+-]*)(?P<sign>[+-]?)(?P<money>[^\d.,+-]*)(?P<number>{_NUMBER})\s*(?P<after>.*)",
    re.VERBOSE,
)
_SCALE = re.compile(rf"(?:/|out\ of|of)\s*(?P<top>{_NUMBER})", re.VERBOSE)

# The minus sign, the dashes that phones type instead, and the full-width percent sign.
_LOOKALIKES: Final = {"\u2212": "-", "\u2012": "-", "\u2013": "-", "\uff05": "%"}

_IN_MINUTES: Final[Mapping[str, float]] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1 / 60),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 1.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 60.0),
    **dict.fromkeys(("d", "day", "days"), 1440.0),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), 10080.0),
}
_DURATIONS: Final[Mapping[Unit, float]] = {Unit.MINUTES: 1.0, Unit.HOURS: 60.0, Unit.DAYS: 1440.0}
_SMALLER: Final[Mapping[float, float]] = {10080.0: 1440.0, 1440.0: 60.0, 60.0: 1.0, 1.0: 1 / 60}
_MULTIPLIERS: Final[Mapping[str, float]] = {
    **dict.fromkeys(("k", "K", "thousand"), 1e3),
    **dict.fromkeys(("M", "mn", "million"), 1e6),
    **dict.fromkeys(("bn", "billion"), 1e9),
}
_CURRENCIES: Final = frozenset("$€£¥₹₩₽₺₴₪฿") | {
    *("us$", "usd", "dollar", "dollars", "cad", "aud", "nzd", "sgd", "hkd", "mxn", "r$", "brl"),
    *("eur", "euro", "euros", "gbp", "pound", "pounds", "chf", "sek", "nok", "dkk", "kr", "pln", "zł", "czk"),
    *("huf", "jpy", "yen", "cny", "krw", "inr", "zar", "ils"),
}
_SUFFIXES: Final[Mapping[Unit, frozenset[str]]] = {
    Unit.PERCENT: frozenset({"%", "percent", "per cent", "pct", "pp", "percentage points"}),
    Unit.COUNT: frozenset(),
    Unit.CURRENCY: _CURRENCIES,
    Unit.SCORE: frozenset({"point", "points", "pts", "star", "stars"}),
}
MEASURES: Final = (
    frozenset(_IN_MINUTES)
    | {word.lower() for word in _MULTIPLIERS}
    | _SUFFIXES[Unit.PERCENT]
    | _SUFFIXES[Unit.CURRENCY]
    | _SUFFIXES[Unit.SCORE]
)
"""Lower-case words that, right after a number, belong to the amount rather than to a note."""


def parse_amount(text: str, unit: Unit) -> float:
    """Parse a number as a person wrote it, converted to the KPI's unit.

    A number without a unit is in the KPI's unit: `0.92` of a percent KPI is 0.92%. A day is 24 hours. A score
    keeps its own scale: `4.6/5` is 4.6. A duration is never negative. `1:30` is refused, because it could be
    `1h30m` or `1m30s`. For a currency `1.2m` is 1.2 million; for a count only `1.2M` is, because `m` means
    minutes.

    Raises:
        AmountError: for any other text.
    """
    if not isinstance(text, str) or len(text) > 10 * _LONGEST:
        raise AmountError("That number is too long.", unit)
    plain = _normalise(text)
    if not plain:
        raise AmountError("A number is missing.", unit)
    value = _duration(plain, unit) if unit in _DURATIONS else _quantity(plain, unit)
    if value is None and re.fullmatch(r"[\d.,]*\d[\d.,]*", plain):
        raise AmountError(f"`{_shown(text)}` could mean two numbers.", unit, ("1,234.5", "1234.5"))
    if value is None:
        raise AmountError(f"`{_shown(text)}` isn't {_NOUNS[unit]}.", unit)
    if abs(value) > LARGEST:
        raise AmountError(f"`{_shown(text)}` is too large for this KPI.", unit)
    return value


_WHOLE: Final = re.compile(r"[+-]?(?:\d+|(?!0)\d{1,3}(?:[,\u202f\xa0]\d{3})+)(?:\.0{0,2})?")


def whole_number(text: str) -> int | None:
    """A whole number as typed, such as `14` or `1,234`; None for anything else, such as `1,4`."""
    if not _WHOLE.fullmatch(text) or len(text) > 10 * _LONGEST:
        return None
    return int(re.sub(r"[,\u202f\xa0]", "", text.partition(".")[0]))


def _normalise(text: str) -> str:
    """Normalize digits of any script, spaces of any width and every minus sign; remove invisible
    characters."""
    kept = []
    for char in text:
        category = unicodedata.category(char)
        if category == "Nd":
            kept.append(str(unicodedata.decimal(char)))
        elif category == "Zs" or char in "\t\n\r":
            kept.append(" ")
        elif category not in ("Cf", "Cc"):
            kept.append(_LOOKALIKES.get(char, char))
    return " ".join("".join(kept).split())


def _shown(text: str) -> str:
    """The input, short and on one line, safe between backticks."""
    line = " ".join(text.replace("`", "'").split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _number(written: str) -> float:
    """The value of text that `_NUMBER` matched."""
    digits = written.replace(" ", "")
    if re.fullmatch(r"\d+,\d{1,2}", digits) or (" " in written and "," in written):
        digits = digits.replace(",", ".")
    return float(digits.replace(",", ""))


def _duration(plain: str, unit: Unit) -> float | None:
    """`14m`, `1h30m`, `1h 30`: units get smaller from left to right; a last number without a unit is in
    the next smaller one."""
    if plain.startswith("-"):
        raise AmountError(f"`{_shown(plain)}` is below zero. Durations can't be negative.", unit)
    if re.fullmatch(r"\d+:\d\d(:\d\d)?", plain):
        raise AmountError(f"`{_shown(plain)}` could be hours or minutes.", unit, ("1h30m", "1m30s"))
    minutes, last, at, text = 0.0, math.inf, 0, plain.lower().removeprefix("+")
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            return None
        word, at = piece["word"], piece.end()
        bare = _DURATIONS[unit] if last == math.inf else _SMALLER.get(last)
        scale = _IN_MINUTES.get(word) if word else bare
        if scale is None or scale >= last or (not word and at < len(text)):
            return None
        minutes, last = minutes + _number(piece["number"]) * scale, scale
    return minutes / _DURATIONS[unit] if last != math.inf else None


def _quantity(plain: str, unit: Unit) -> float | None:
    """Percent, count, currency or score: a sign, a currency before or after, `k` and `M`, `%`, `/5`."""
    found = _AMOUNT.fullmatch(plain)
    if found is None:
        return None
    before = (found["before"] + found["money"]).strip().lower()
    if before and (unit is not Unit.CURRENCY or before not in _CURRENCIES):
        return None
    value = _number(found["number"])
    after = found["after"].strip()
    if unit is Unit.SCORE and (scale := _SCALE.fullmatch(after.lower())):
        if not value <= _number(scale["top"]) or not _number(scale["top"]):
            raise AmountError(f"`{_shown(plain)}` is more than its own scale.", unit)
        after = ""
    if unit in (Unit.COUNT, Unit.CURRENCY):
        multiplier, after = _multiplied(after, unit)
        value *= multiplier
    if after and (before or after.lower() not in _SUFFIXES[unit]):
        return None
    return -value if found["sign"] == "-" and value else value


def _multiplied(after: str, unit: Unit) -> tuple[float, str]:
    """Remove `k`, `M` or `million`. A small `m` is a million for money; for a count it looks like minutes."""
    word = re.match(r"[A-Za-z]*", after)
    first = word[0] if word else ""
    factor = _MULTIPLIERS.get(first) or _MULTIPLIERS.get(first.lower())
    if factor is None and unit is Unit.CURRENCY:
        factor = {"m": 1e6, "b": 1e9}.get(first.lower())
    return (1.0, after) if factor is None else (factor, after[len(first) :].strip())


def format_amount(value: float, unit: Unit) -> str:
    """A value for display, with its unit: `14 min`, `1.5 h`, `2.5 days`, `92%`, `1,234`.

    Rounded by 0.5% at most; under a billionth it is 0. A currency has no symbol, because none is known.
    """
    number = _rounded(value)
    match unit:
        case Unit.MINUTES:
            return f"{number} min"
        case Unit.HOURS:
            return f"{number} h"
        case Unit.DAYS:
            return f"{number} {'day' if number in ('1', '-1') else 'days'}"
        case Unit.PERCENT:
            return f"{number}%"
        case _:
            return number


def _rounded(value: float) -> str:
    size = abs(value)
    if size >= 10_000:
        places = 0
    elif size >= 100:
        places = 1
    elif size >= 1:
        places = 2
    else:  # three figures, however small: 90 s of a KPI in hours is 0.025 h
        places = min(9, 2 - math.floor(math.log10(size))) if size else 0
    text = f"{value:,.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
