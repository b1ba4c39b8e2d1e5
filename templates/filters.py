"""Jinja2 filters: formatting values, and putting strings safely into a template.

Every filter takes and returns plain text (escaped later, when it is printed) or `Mrkdwn` (already safe). Only
`raw` and `flow` return `Markup`, text that is already valid inside its JSON string.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, Final

from jinja2 import Undefined
from markupsafe import Markup

from cadence.mrkdwn import Mrkdwn, channel_link, code, coded, entities, escape, mention
from cadence.refusals import Offer
from cadence.rules.kpi import AmountError, Direction, Unit, far_off, format_amount, word_of_change
from cadence.rules.modes import WORDS as MODE_WORDS
from cadence.rules.modes import Mode
from cadence.rules.percent import change_of, percent_of, probability, set_share
from cadence.typed import one_line, visible

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MODE_MARKS: Final[Mapping[Mode, str]] = {
    Mode.HUMAN_LED: "🧑 Human-led",
    Mode.COLLABORATIVE: "🤝 Collaborative",
    Mode.AI_LED: "🤖 AI-led",
}
MODE_MEANINGS: Final[Mapping[Mode, str]] = {
    Mode.HUMAN_LED: "a person does this step; AI may help, but decides nothing",
    Mode.COLLABORATIVE: "AI prepares this step, and a person checks and edits the result before it's used",
    Mode.AI_LED: "AI does this step by itself; people handle its exceptions",
}
NAME_SIZE: Final = 80

# An entity, a mention or link, or one character: text is cut only between these.
_TOKEN = re.compile(r"&(?:amp|lt|gt);|<[^<>]*>|.", re.DOTALL)
_ESCAPED_WIDTHS: Final = {char: len(entities(char)) for char in "&<>"}
_WIDEST: Final = max(_ESCAPED_WIDTHS.values())
_URL = re.compile(r"https?://[^\s<>|]+")
_LONGEST_LINK: Final = 1_000
# Every escape in one form. Spaces too: see `flow`.
_JSON_ESCAPES: Final = {code: f"\\u{code:04x}" for code in (*range(0x21), ord('"'), ord("\\"))}
_ANGLES: Final = str.maketrans("<>", "‹›")
"""Look-alikes: a cell shows entities as they are written."""
_BARS: Final = "▁▂▃▄▅▆▇█"


def in_json(text: str) -> Markup:
    """Escape text for use between the quotes of a JSON string."""
    return Markup(text.translate(_JSON_ESCAPES))  # noqa: S704 - this is where text becomes JSON


def printed(value: object) -> str:
    """What `{{ value }}` puts into the JSON text: the `finalize` of the environment.

    Raises:
        TypeError: for a float, a date, None: each needs a filter that formats it, or an `if`.
    """
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return in_json(visible(escape(value)))
    if isinstance(value, int):
        return str(value).lower()
    if isinstance(value, Undefined):
        return str(value)  # raises, naming what is undefined
    raise TypeError(f"A template prints {value!r} without a filter that says how.")


def raw(value: str | int) -> Markup:
    """For values that Slack returns unchanged: ids, values of buttons and options, initial values of
    inputs."""
    if isinstance(value, Markup):
        return value
    return in_json(re.sub(r"[\x00\ud800-\udfff]", "", str(value)))


def flow(body: Markup) -> Markup:
    r"""Text laid out over several template lines as one: `\n` breaks a line, and empty lines are left out.

    What values hold stays as it is: their own spaces and line breaks are written `\u0020` and `\u000a`.
    """
    lines = (line.strip(" ") for line in " ".join(str(body).split()).split(r"\n"))
    return Markup(r"\n".join(line for line in lines if line))  # noqa: S704 - still the same JSON


def cell(text: str) -> Markup:
    """The text of a table's cell: shown literally, so nothing is escaped; `–` if it is empty."""
    if isinstance(text, Markup):
        return Markup(" ").join(text.split()) or in_json("–")
    return in_json(visible(one_line(text)).translate(_ANGLES) or "–")


def _width(piece: str) -> int:
    """The maximum length of an entity, a mention or a character against a limit: Slack may count UTF-16
    units."""
    if len(piece) == 1:
        return 2 if piece > "\uffff" else _ESCAPED_WIDTHS.get(piece, 1)
    return sum(2 if char > "\uffff" else 1 for char in piece)


def _plain_width(text: str) -> int:
    """The length of a text against a limit."""
    wide = 0 if text.isascii() else sum(char > "\uffff" for char in text)
    return len(text) + wide + sum((width - 1) * text.count(char) for char, width in _ESCAPED_WIDTHS.items())


def clip(text: str, size: int) -> str:
    """Truncate to `size` characters as Slack counts them, including escapes; whole characters, entities,
    mentions."""
    if isinstance(text, Markup):
        raise TypeError("Clip the value, not what was already printed.")
    return _clipped(text if isinstance(text, Mrkdwn) else _spaced(text), size)


def _clipped(text: str, size: int) -> str:
    """`clip` of a text that is safe, or free of what nobody can see."""
    safe = isinstance(text, Mrkdwn)
    if len(text) * (2 if safe else _WIDEST) <= size or (not safe and _plain_width(text) <= size):
        return text
    pieces = (found[0] for found in _TOKEN.finditer(text)) if safe else text
    widths = [(piece, _width(piece)) for piece in islice(pieces, size + 1)]  # no piece is narrower than 1
    if sum(width for _, width in widths) <= size:
        return text
    left, kept = size - 1 - widths[0][1], 0
    while left >= 0:
        kept += 1
        left -= widths[kept][1]
    cut = "".join(piece for piece, _ in widths[:kept]).rstrip("\u200d \n") + "…"
    return Mrkdwn(cut) if safe else cut


def _spaced(text: str) -> str:
    """What `escape` makes of a text but for the escapes: it is that which has to fit."""
    line = one_line(text)
    return f"{' ' * text.startswith(' ')}{line}{' ' * text.endswith(' ')}" if line else line


def name(text: str, size: int = NAME_SIZE) -> str:
    """A title, or any text that must stay on one line."""
    if isinstance(text, Mrkdwn | Markup):
        return clip(type(text)(" ".join(text.split())), size)
    return _clipped(one_line(text), size)


def local_time(at: datetime) -> str:
    """`Thu 10:42`."""
    return f"{WEEKDAYS[at.weekday()]} {at:%H:%M}"


def clock(at: datetime) -> str:
    """`10:42`."""
    return f"{at:%H:%M}"


def at(moment: datetime) -> Mrkdwn:
    """An instant as Slack's date token: clients show it in the reader's own zone and format (`today 10:42 AM`).

    A client that can't shows `Fri 18 Dec 10:42`, in the zone of `moment`.
    """
    fallback = f"{day(moment)} {clock(moment)}"
    return Mrkdwn(f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>")


def _date(on: date | str) -> date:
    return date.fromisoformat(on) if isinstance(on, str) else on


def day(on: date | str, since: date | None = None) -> str:
    """`Fri 18 Dec`; a date or an ISO one. With `since`, also the year if it differs."""
    on = _date(on)
    year = f" {on.year}" if since is not None and on.year != since.year else ""
    return f"{WEEKDAYS[on.weekday()]} {short_day(on)}{year}"


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th`, `11th`, `21st`."""
    if number % 100 in (11, 12, 13):
        return f"{number:,}th"
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def short_day(on: date | str) -> str:
    """`18 Dec`."""
    on = _date(on)
    return f"{on.day} {MONTHS[on.month - 1]}"


def month(on: date) -> str:
    """`Dec 2026`."""
    return f"{MONTHS[on.month - 1]} {on.year}"


def iso(on: date) -> str:
    """`2026-12-18`, as a date picker wants it."""
    return on.isoformat()


def date_range(first: date, last: date) -> str:
    """`Mon 14 – Sun 20 Dec`; one day if they are the same; both months if they differ."""
    if first == last:
        return day(first)
    same = (first.month, first.year) == (last.month, last.year)
    start = f"{WEEKDAYS[first.weekday()]} {first.day}" if same else day(first)
    return f"{start} – {day(last)}"


def likely(share: float, what: str) -> str:
    """A probability in words and numbers: `very likely over the cap (92%)`, rounded down like `probability`."""
    words = ((0.9, "very likely"), (0.7, "likely"), (0.5, "more likely than not"), (0.1, "not likely"))
    word = next((word for least, word in words if share >= least), "very unlikely")
    return f"{word} {what} ({probability(share)})"


def amount(value: float, unit: str) -> str:
    """A KPI number with its unit: `24 min`."""
    return format_amount(value, Unit(unit))


def apart(value: float, other: float, unit: str, direction: str) -> str:
    """How far a value is from another: `14 min faster`, `5 points lower`; empty if they are the same."""
    if format_amount(value, Unit(unit)) == format_amount(other, Unit(unit)):
        return ""
    return f"{distance(value, other, unit)} {change_word(value, other, unit, direction)}"


def distance(value: float, other: float, unit: str) -> str:
    """The difference of two values without its sign: `14 min`, `5 points` for percentages."""
    size = format_amount(abs(value - other), Unit(unit))
    if Unit(unit) is not Unit.PERCENT:
        return size
    return f"{size[:-1]} {'point' if size == '1%' else 'points'}"


def change_word(value: float, other: float, unit: str, direction: str) -> str:
    """`faster`, `slower`, `fewer`, `more`, `lower` or `higher` than another value."""
    return word_of_change(value - other, Unit(unit), Direction(direction))


def far_from(value: float, baseline: float | None, unit: str) -> str:
    """How far a number is from the baseline, if that looks like a typo: `That's 20 times the baseline of 42 min.`"""
    side = far_off(value, baseline, Unit(unit))
    if side is None or baseline is None:
        return ""
    times = f"{value // baseline:,.0f} times" if side == "above" else "less than a twentieth of"
    return f"That's {times} the baseline of {amount(baseline, unit)}."


def examples(unit: str) -> tuple[str, str]:
    """Two examples of typing a number in a unit, as in its error message."""
    return AmountError("", Unit(unit)).examples


def plural(count: int, noun: str, many: str = "") -> str:
    """`1 exception`, `1,200 exceptions`; `many` for nouns that don't take an s."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def number(count: int) -> str:
    """`1,980`."""
    return f"{count:,}"


def signed(count: int) -> str:
    """`+2`, `−1`."""
    return f"{'−' if count < 0 else '+'}{abs(count):,}"


def mode(value: str, also: str | None = None) -> str:
    """`AI-led`, `human-led`, `collaborative`; with another one, `human-led or AI-led`."""
    return " or ".join(MODE_WORDS[Mode(one)] for one in (value, also) if one)


def lead(value: str) -> str:
    """Who leads a step, with its mark: `🤖 AI-led`."""
    return MODE_MARKS[Mode(value)]


def mode_meaning(value: str) -> str:
    """The meaning of a mode for the people who run the step, as the end of a sentence."""
    return MODE_MEANINGS[Mode(value)]


def link(url: str, label: str | None = None) -> Mrkdwn:
    """A link to http(s); anything else is shown as text. A person's link is shown by its address."""
    url = visible(url)
    if not _URL.fullmatch(url) or len(entities(url)) > _LONGEST_LINK:
        return escape(clip(url, 300))
    return Mrkdwn(f"<{entities(url)}|{escape(label)}>") if label else Mrkdwn(f"<{entities(url)}>")


def sparkline(
    readings: Sequence[float | None], target: float | None = None, baseline: float | None = None
) -> str:
    """One bar per reading, a dot for a week without one. Always next to the numbers, never instead of them.

    The scale reaches to the `target` and the `baseline`, and is never narrower than half the largest of all, so
    that a small change looks small. Empty with fewer than two readings, and if every bar is the lowest: they would
    look like a blank to fill in.
    """
    known = [value for value in readings if value is not None]
    scale = [*known, *(value for value in (target, baseline) if value is not None)] if known else []
    low, high = min(scale, default=0.0), max(scale, default=0.0)
    missing = max(abs(low), abs(high)) / 2 - (high - low)
    if missing > 0:
        low, high = low - missing / 2, high + missing / 2
    span, top = high - low, len(_BARS) - 1
    bars = [
        "·" if value is None else _BARS[math.floor((value - low) / span * top + 0.5) if span else top // 2]
        for value in readings
    ]
    return "" if len(known) < 2 or set(bars) == {_BARS[0]} else "".join(bars)


def rows(offers: Sequence[Offer]) -> list[Sequence[Offer]]:
    """The first five buttons in one block, or in one each: Slack refuses a block that contains an action
    twice."""
    shown = offers[:5]
    if len({offer.action for offer in shown}) < len(shown):
        return [(offer,) for offer in shown]
    return [shown] if shown else []


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "raw": raw,
    "flow": flow,
    "clip": clip,
    "rows": rows,
    "name": name,
    "cell": cell,
    "local_time": local_time,
    "clock": clock,
    "at": at,
    "day": day,
    "iso": iso,
    "ordinal": ordinal,
    "short_day": short_day,
    "date_range": date_range,
    "ratio": set_share,
    "month": month,
    "percent_of": percent_of,
    "change_of": change_of,
    "probability": probability,
    "likely": likely,
    "amount": amount,
    "apart": apart,
    "distance": distance,
    "change_word": change_word,
    "far_from": far_from,
    "examples": examples,
    "number": number,
    "signed": signed,
    "plural": plural,
    "mode": mode,
    "lead": lead,
    "mode_meaning": mode_meaning,
    "mention": mention,
    "channel_link": channel_link,
    "code": code,
    "coded": coded,
    "link": link,
    "sparkline": sparkline,
}
