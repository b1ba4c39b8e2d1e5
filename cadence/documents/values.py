"""Valid single values and lists of a document, with a sentence for anything else."""

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from cadence.documents.places import country_hint, country_kind, is_country, is_timezone, timezone_hint
from cadence.documents.words import (
    CHANNEL,
    ITEM_LENGTH,
    MAX_ITEMS,
    MEMBER,
    NO_ANSWER,
    RESERVED,
    SLUG,
    STEP_KEY,
)
from cadence.nearest import nearest
from cadence.rules.amounts import LARGEST

_LONGEST_QUOTE: Final = 40
_HIDDEN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
PERCENT: Final = 100
_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?) ?%")


class WrongValueError(ValueError):
    """An invalid value: the reason, and what to write instead.

    In data it replaces a value that is already known to be invalid, and is reported in its place.

    Args:
        right: "" for "write a value such as …", with the field's example.
        at_key: the problem is on the line of the key rather than of the value.

    `more` are further problems of the same value.
    """

    def __init__(self, reason: str, right: str, *, at_key: bool = False) -> None:
        self.reason = reason
        self.right = right
        self.at_key = at_key
        self.more: tuple[WrongValueError, ...] = ()
        super().__init__(reason)


NO_VALUE: Final = WrongValueError("has no value", "")


def quoted(text: object) -> str:
    """A value as shown in a sentence: one line, in backticks, truncated if long."""
    flat = " ".join(str(text).split()).replace("`", "'")
    return f"`{flat if len(flat) <= _LONGEST_QUOTE else flat[: _LONGEST_QUOTE - 1] + '…'}`"


def found(value: object) -> str:
    """What kind of value something is, for "… was found" sentences."""
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "a group of `key: value` lines"
    if isinstance(value, bool):
        return f"{quoted(str(value).lower())} (yes or no)"
    if isinstance(value, int | float):
        return f"the number {_typed(value)}"
    return f"the text {quoted(value)}" if isinstance(value, str) else "nothing"


def _typed(value: object) -> str:
    """A number as it was written in a file, else in its shortest form."""
    return f"{value:.12g}" if type(value) is float else str(value).strip()


def refuse_known(value: object, example: str) -> None:
    """Raise the known problem of a value."""
    if isinstance(value, WrongValueError):
        right = value.right or f"write a value such as `{example}`, or delete the line"
        raise WrongValueError(value.reason, right, at_key=value.at_key)


@dataclass(frozen=True, slots=True)
class Kind:
    """Metadata of a pydantic field: how to read its value, before the field's type is checked.

    Args:
        read: returns the canonical value; raises WrongValueError.
        example: a valid value, as written in a file.
    """

    read: Callable[[Any], object]
    example: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema of the annotated type, with `read` before it."""
        return core_schema.no_info_before_validator_function(self._reading, handler(source))

    def _reading(self, value: object) -> object:
        refuse_known(value, self.example)
        return None if value is None else self.read(value)


def text(most: int, example: str, *, lines: bool = False, answer: bool = False) -> Kind:
    """Text of 1 to `most` characters, without spaces around it; of one line unless `lines`.

    With `answer`, placeholders ("tbd", "n/a") are refused too.
    """

    def reading(given: object) -> str:
        value = _string(given, example)
        if not value:
            raise WrongValueError("is empty", f"answer with words such as `{example}`, or leave the line out")
        if len(value) > most:
            raise WrongValueError(f"has {len(value)} characters, more than {most}", "shorten it")
        if "\n" in value and not lines:
            raise WrongValueError("has more than one line", "write it on one line")
        if answer and value.casefold().rstrip(".!") in NO_ANSWER:
            raise WrongValueError(
                f"{quoted(value)} isn't an answer", f"answer with words such as `{example}`"
            )
        return value

    return Kind(reading, example)


def _string(value: object, example: str) -> str:
    if isinstance(value, int | float):
        shown = str(value).lower() if isinstance(value, bool) else _typed(value)
        raise WrongValueError(f"{found(value)} was found where text belongs", f'put it in quotes: "{shown}"')
    if not isinstance(value, str):
        raise WrongValueError(f"{found(value)} was found", f"write text such as `{example}`")
    plain = value.replace("\r\n", "\n").replace("\t", " ")
    if not plain.isprintable() and any(
        unicodedata.category(sign) in _HIDDEN and sign != "\n" for sign in plain
    ):
        raise WrongValueError("has a character that can't be shown", "type the text again")
    return "\n".join(line.rstrip() for line in plain.strip().split("\n"))


def _name(pattern: re.Pattern[str], what: str, rule: str, example: str) -> Kind:
    """A short name for use in commands: it matches `pattern` and isn't a command's own word."""

    def reading(given: object) -> str:
        if isinstance(given, int | float) and not isinstance(given, bool):
            raise WrongValueError(
                f"{_typed(given)} is a number, not {what}", f"write {rule}, such as `{example}`"
            )
        value = _string(given, example)
        if value in RESERVED:
            right = f"choose another word, such as `{example}`"
            raise WrongValueError(f"{quoted(value)} is reserved for commands", right)
        if not pattern.fullmatch(value):
            near = re.sub(r"[^a-z0-9]+", "-", value.casefold()).strip("-")
            near = near if pattern.fullmatch(near) and near not in RESERVED else example
            raise WrongValueError(f"{quoted(value)} isn't {what}", f"write {rule}, such as `{near}`")
        return value

    return Kind(reading, example)


def short_name(example: str) -> Kind:
    """A playbook's or a team's short name."""
    return _name(
        SLUG, "a short name", "2 to 40 lowercase letters, digits and hyphens, starting with a letter", example
    )


def step_key(example: str) -> Kind:
    """A step's short name."""
    return _name(
        STEP_KEY, "a step key", "1 to 40 lowercase letters, digits, - and _, starting with a letter", example
    )


def _word(
    fits: Callable[[str], object], what: Callable[[str], str], hint: Callable[[str], str], example: str
) -> Kind:
    """A word that `fits`; for any other, `what` says what it isn't, and `hint` what to write instead."""

    def reading(given: object) -> str:
        value = _string(given, example)
        if not fits(value):
            raise WrongValueError(f"{quoted(value)} isn't {what(value)}", hint(value))
        return value

    return Kind(reading, example)


def _slack_id(pattern: re.Pattern[str], what: str, where: str, example: str) -> Kind:
    def hint(value: str) -> str:
        return f"write `{value.upper() if pattern.fullmatch(value.upper()) else example}`; {where}"

    return _word(pattern.fullmatch, lambda _: what, hint, example)


def member(example: str) -> Kind:
    """A person's Slack ID."""
    where = "Slack shows it in a person's profile, under Copy member ID"
    return _slack_id(MEMBER, "a Slack member ID", where, example)


def channel(example: str) -> Kind:
    """A channel's Slack ID."""
    return _slack_id(
        CHANNEL, "a Slack channel ID", "Slack shows it at the foot of a channel's details", example
    )


TIMEZONE: Final = _word(is_timezone, lambda _: "a time zone", timezone_hint, "Europe/Berlin")
COUNTRY: Final = _word(is_country, country_kind, country_hint, "DE")


def choice(options: type[StrEnum], example: StrEnum) -> Kind:
    """One word of an enum."""
    words = ", ".join(options)

    def reading(value: object) -> StrEnum:
        if not isinstance(value, str):
            raise WrongValueError(f"{found(value)} isn't known here", f"write one of {words}")
        if value in set(options):
            return options(value)
        if meant := nearest(value.replace(" ", "-").replace("_", "-"), options):
            raise WrongValueError(f"{quoted(value)} isn't one of {words}", f"did you mean `{meant}`?")
        raise WrongValueError(f"{quoted(value)} isn't known here", f"write one of {words}")

    return Kind(reading, str(example))


def _yes_no(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise WrongValueError(f"{found(value)} is neither true nor false", "write `true` or `false`")


YES_NO: Final = Kind(_yes_no, "true")


def _number(value: object, example: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WrongValueError(
            f"{found(value)} was found where a number belongs", f"write a number such as {example}"
        )
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise WrongValueError(
            f"{_typed(value)} isn't a number that can be measured", f"write a number such as {example}"
        )
    return float(value) + 0.0  # -0.0 becomes 0.0


def number(example: str) -> Kind:
    """A measured number, of a realistic size."""
    return Kind(lambda value: _number(value, example), example)


def share(example: str, *, small: bool = False, zero: str = "", one: str = "") -> Kind:
    """A share: `8%`, `8` and `0.08` are the same. `zero` and `one`, if given, say why that end is excluded.

    Args:
        small: a share that is never nearly all, so `1` is 1%; `1.0` and `100%` are all.
    """
    near = f"write a share such as {example}"

    def reading(given: object) -> float:
        percent = _PERCENT.fullmatch(given.strip()) if isinstance(given, str) else None
        value = float(percent[1]) if percent else _number(given, example)
        if not 0 <= value <= PERCENT:
            raise WrongValueError(f"{_typed(given)} isn't between 0% and 100%", near)
        if percent or value > 1 or (small and value == 1 and isinstance(given, int)):
            value /= PERCENT
        if why := {0.0: zero, 1.0: one}.get(value):
            raise WrongValueError(f"{_typed(given)} {why}", near)
        return value

    return Kind(reading, example)


def whole(least: int, most: int, example: str, *, why: str = "") -> Kind:
    """A whole number from `least` to `most`; `why` explains the limit."""

    def reading(given: object) -> int:
        value = _number(given, example)
        if value != int(value):
            raise WrongValueError(f"{_typed(given)} isn't a whole number", f"write one such as {example}")
        if not least <= value <= most:
            reason = f"{_typed(given)} isn't between {least} and {most:,}" + (f": {why}" if why else "")
            raise WrongValueError(reason, f"write a whole number such as {example}")
        return int(value)

    return Kind(reading, example)


def hours(least: float, most: int, example: str) -> Kind:
    """A duration in hours, from `least` (0 is no duration) to `most`."""
    why = f"from {least:g} to {most:,}" if least else f"above 0 and at most {most:,}"

    def reading(given: object) -> float:
        value = _number(given, example)
        if not least <= value <= most or value == 0:
            raise WrongValueError(f"{_typed(given)} hours isn't {why}", f"write one such as {example}")
        return value

    return Kind(reading, example)


def many(of: Kind | str, *, most: int = MAX_ITEMS, least: int = 0, apart: tuple[str, ...] = ()) -> Kind:
    """A list of `least` to `most` values without duplicates.

    Args:
        of: the kind of its elements; for groups, which pydantic reads, the example.
        apart: the keys whose values no two groups may share.
    """
    example = f"[{of if isinstance(of, str) else of.example}]"

    def reading(given: object) -> list[object]:
        if not isinstance(given, list | tuple):
            raise WrongValueError(f"{found(given)} was found", f"write a list such as `{example}`")
        if len(given) > most:
            raise WrongValueError(f"the list has {len(given)} items, more than {most}", "keep the main ones")
        if len(given) < least:
            raise WrongValueError("the list is empty", f"write a list such as `{example}`")
        values: list[object] = []
        for item in given:
            value = _apart(item, values, apart) if isinstance(of, str) else _item(item, of)
            twice = value in values and not apart and not isinstance(value, WrongValueError)
            values.append(WrongValueError("is in the list twice", "keep one of them") if twice else value)
        return values

    return Kind(reading, example)


def _item(value: object, of: Kind) -> object:
    """The value as read, or its problem."""
    try:
        refuse_known(NO_VALUE if value is None else value, of.example)
        return of.read(value)
    except WrongValueError as wrong:
        return wrong


def _apart(group: Any, earlier: list[Any], keys: tuple[str, ...]) -> Any:
    """The group, with a problem in place of each value that an earlier group has too."""
    if not isinstance(group, dict):
        return group
    for key in keys:
        word = _folded(group.get(key))
        if word and word in [_folded(one.get(key)) for one in earlier if isinstance(one, dict)]:
            reason = f"{quoted(group[key])} is already used"
            group = {**group, key: WrongValueError(reason, f"give each its own {key}", at_key=True)}
    return group


def _folded(word: object) -> str:
    return word.strip().casefold() if isinstance(word, str) else ""


def items(example: str, *, least: int = 0) -> Kind:
    """A list of single lines."""
    return many(text(ITEM_LENGTH, example), least=least)
