"""The kinds of single values: text, numbers, choices, names of things."""

import math
import re
import unicodedata
from enum import StrEnum
from typing import TypeVar

from cadence.documents.places import country_hint, is_country, is_timezone, timezone_hint
from cadence.documents.section import Kind, Place, WrongValueError
from cadence.documents.tree import Node, Scalar, found, quoted
from cadence.documents.words import CHANNEL, ITEM_LENGTH, MEMBER, NO_ANSWER, RESERVED, SLUG, STEP_KEY
from cadence.nearest import nearest
from cadence.rules.amounts import LARGEST

E = TypeVar("E", bound=StrEnum)
_HIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?) ?%")


def text(most: int, *, example: str, lines: bool = False, answer: bool = False) -> Kind[str]:
    """Text of 1 to `most` characters, without spaces around it; of one line unless `lines`.

    With `answer`, words that stand for no answer ("tbd", "n/a") are refused too.
    """

    def reading(node: Node, _place: Place) -> str:
        value = _string(node, example)
        if not value:
            raise WrongValueError("is empty", f"answer with words such as `{example}`, or leave the line out")
        if len(value) > most:
            raise WrongValueError(f"has {len(value)} characters, more than {most}", "say it shorter")
        if "\n" in value and not lines:
            raise WrongValueError("has more than one line", "write it on one line")
        if answer and value.casefold().rstrip(".!") in NO_ANSWER:
            raise WrongValueError(f"{quoted(value)} is no answer", f"answer with words such as `{example}`")
        return value

    return Kind(reading, "", example)


def _string(node: Node, example: str) -> str:
    if not isinstance(node, Scalar):
        raise WrongValueError(f"{found(node)} was found", f"write text such as `{example}`")
    if not isinstance(node.value, str):
        shown = str(node.value).lower() if isinstance(node.value, bool) else node.value
        raise WrongValueError(f"{found(node)} was found where text belongs", f'put it in quotes: "{shown}"')
    value = node.value.replace("\r\n", "\n").replace("\t", " ")
    if any(unicodedata.category(sign) in _HIDDEN and sign != "\n" for sign in value):
        raise WrongValueError("holds a character that can't be shown", "type the text again")
    return "\n".join(line.rstrip() for line in value.strip().split("\n"))


def _yes_no(node: Node, _place: Place) -> bool:
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    raise WrongValueError(f"{found(node)} is neither true nor false", "write `true` or `false`")


YES_NO = Kind(_yes_no, False, "true")


def name_of(pattern: re.Pattern[str], *, what: str, rule: str, example: str) -> Kind[str]:
    """A short name that commands can carry: it fits `pattern` and isn't a word of the commands."""

    def reading(node: Node, _place: Place) -> str:
        if (
            isinstance(node, Scalar)
            and isinstance(node.value, int | float)
            and not isinstance(node.value, bool)
        ):
            raise WrongValueError(
                f"{node.value} is a number, not {what}", f"write {rule}, such as `{example}`"
            )
        value = _string(node, example)
        if value in RESERVED:
            reason = f"{quoted(value)} has a meaning in commands"
            raise WrongValueError(reason, f"choose another word, such as `{example}`")
        if not pattern.fullmatch(value):
            near = re.sub(r"[^a-z0-9]+", "-", value.casefold()).strip("-")
            near = near if pattern.fullmatch(near) and near not in RESERVED else example
            raise WrongValueError(f"{quoted(value)} is not {what}", f"write {rule}, such as `{near}`")
        return value

    return Kind(reading, "", example)


def slug(example: str) -> Kind[str]:
    """A playbook's or a team's short name."""
    rule = "2 to 40 small letters, digits and hyphens, a letter first"
    return name_of(SLUG, what="a short name", rule=rule, example=example)


def step_key(example: str) -> Kind[str]:
    """A step's short name."""
    rule = "1 to 40 small letters, digits, - and _, a letter first"
    return name_of(STEP_KEY, what="a step key", rule=rule, example=example)


def slack_id(pattern: re.Pattern[str], *, what: str, where: str, example: str) -> Kind[str]:
    """A Slack ID; `where` says where Slack shows it."""

    def reading(node: Node, _place: Place) -> str:
        value = _string(node, example)
        if pattern.fullmatch(value):
            return value
        near = value.upper() if pattern.fullmatch(value.upper()) else example
        raise WrongValueError(f"{quoted(value)} is not {what}", f"write `{near}`; {where}")

    return Kind(reading, "", example)


def member(example: str) -> Kind[str]:
    """A person's Slack ID."""
    where = "Slack shows it in a person's profile, under Copy member ID"
    return slack_id(MEMBER, what="a Slack member ID", where=where, example=example)


def channel(example: str) -> Kind[str]:
    """A channel's Slack ID."""
    where = "Slack shows it at the foot of a channel's details"
    return slack_id(CHANNEL, what="a Slack channel ID", where=where, example=example)


def choice(options: type[E], *, example: E) -> Kind[E]:
    """One word of an enum."""
    words = ", ".join(options)

    def reading(node: Node, _place: Place) -> E:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, str) and value in set(options):
            return options(value)
        shown = quoted(value) if isinstance(value, str) else found(node)
        meant = (
            nearest(value.replace(" ", "-").replace("_", "-"), options) if isinstance(value, str) else None
        )
        right = f"did you mean `{meant}`?" if meant else f"write one of {words}"
        raise WrongValueError(
            f"{shown} is not one of {words}" if meant else f"{shown} is not known here", right
        )

    return Kind(reading, example, str(example))


def _number(node: Node, example: str) -> float:
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WrongValueError(
            f"{found(node)} was found where a number belongs", f"write a number such as {example}"
        )
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise WrongValueError(f"{value} is no number one can measure", f"write a number such as {example}")
    return float(value) + 0.0  # -0.0 becomes 0.0


def number(example: str) -> Kind[float]:
    """A measured number, of a size one can measure."""
    return Kind(lambda node, _place: _number(node, example), 0.0, example)


def share(example: str, *, zero: str = "", one: str = "") -> Kind[float]:
    """A share from 0 to 1; `zero` and `one`, when given, say why that end of it isn't taken."""
    near = f"write a share such as {example}"

    def reading(node: Node, _place: Place) -> float:
        given = node.value if isinstance(node, Scalar) else None
        if isinstance(given, str) and (percent := _PERCENT.fullmatch(given.strip())):
            right = f"write it as the share {float(percent[1]) / 100:.4g}"
            raise WrongValueError(f"{quoted(given)} is text, not a number", right)
        value = _number(node, example)
        if not 0 <= value <= 1:
            right = f"write {value / 100:.4g} if {value:g}% is meant" if 2 <= value <= 100 else near
            raise WrongValueError(f"{value:g} is not between 0 and 1", right)
        if why := {0.0: zero, 1.0: one}.get(value):
            raise WrongValueError(f"{value:g} {why}", near)
        return value

    return Kind(reading, 0.5, example)


def whole(least: int, most: int, *, example: str, why: str = "") -> Kind[int]:
    """A whole number from `least` to `most`; `why` says what the limit is for."""

    def reading(node: Node, _place: Place) -> int:
        value = _number(node, example)
        if value != int(value):
            raise WrongValueError(f"{value:g} is not a whole number", f"write one such as {example}")
        if not least <= value <= most:
            reason = f"{value:.12g} is not between {least} and {most:,}" + (f": {why}" if why else "")
            raise WrongValueError(reason, f"write a whole number such as {example}")
        return int(value)

    return Kind(reading, least, example)


def hours(least: float, most: int, *, example: str) -> Kind[float]:
    """A span in hours, from `least` (0 is no span) to `most`."""
    why = f"from {least:g} to {most:,}" if least else f"above 0 and at most {most:,}"

    def reading(node: Node, _place: Place) -> float:
        value = _number(node, example)
        if not least <= value <= most or value == 0:
            raise WrongValueError(f"{value:.12g} hours is not {why}", f"write one such as {example}")
        return value

    return Kind(reading, 1.0, example)


def _timezone(node: Node, _place: Place) -> str:
    value = _string(node, "Europe/Berlin")
    if is_timezone(value):
        return value
    raise WrongValueError(f"{quoted(value)} is not a time zone", timezone_hint(value))


def _country(node: Node, _place: Place) -> str:
    value = _string(node, "DE")
    if is_country(value):
        return value
    raise WrongValueError(f"{quoted(value)} is not a two-letter country code", country_hint(value))


TIMEZONE: Kind[str] = Kind(_timezone, "UTC", "Europe/Berlin")
COUNTRY: Kind[str] = Kind(_country, "", "DE")


def item(example: str) -> Kind[str]:
    """One line of a list."""
    return text(ITEM_LENGTH, example=example)
