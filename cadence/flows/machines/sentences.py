"""What is wrong with a value that a tool or an assistant sent, and what would be right, in a sentence of our own."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from cadence.nearest import nearest
from cadence.typed import one_line

SLUG: Final = r"^[a-z0-9-]{1,40}$"
ITEM_ID: Final = r"^[\x21-\x7e]+$"
LINK: Final = r"^https?://[^\s<>|\x00-\x1f\x7f]+$"
CURSOR: Final = r"^[0-9]{1,15}$"
FUNCTION: Final = r"^[a-z]{1,20}$"
_PATTERNS: Final[Mapping[str, str]] = {
    SLUG: "a short name: up to 40 lowercase letters, digits and dashes",
    ITEM_ID: "letters, digits and signs of ASCII, without spaces",
    LINK: "an address that begins with `https://`, without spaces",
    CURSOR: "`next` of the page before",
    FUNCTION: "a name in lowercase letters",
}
"""What each pattern of a field means."""
_TAKES: Final[Mapping[str, str]] = {
    "bool": "true or false",
    "date": "a day",
    "datetime": "a time with a UTC offset",
    "dict": "an object",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "string": "text",
    "timezone": "a time with a UTC offset",
    "tuple": "a list",
}
"""What a field takes, by the first word of the error's type in pydantic."""
_EXAMPLES: Final[Mapping[str, str]] = {
    "date": "2026-03-12",
    "datetime": "2026-03-12T10:30:00+01:00",
    "timezone": "2026-03-12T10:30:00+01:00",
}
_LONGEST_NAME: Final = 40


def sentence_of(wrong: ValidationError, *, model: type[BaseModel] | None = None) -> str:
    """The first problem of a value: "`runs` takes a whole number, such as 19."

    Args:
        model: names the fields, if one may be misspelled, and their examples.
    """
    errors = wrong.errors(include_url=False, include_input=False)
    # A misspelled field is missing under its right name: the misspelling says more.
    errors.sort(key=lambda one: one["type"] != "extra_forbidden")
    field = errors[0]["loc"][:1]
    # A field of several types fails for each: what is wrong with the value comes before its type.
    mine = [one for one in errors if one["loc"][:1] == field]
    first = next((one for one in mine if not one["type"].endswith("_type")), mine[0])
    name = str(field[0]) if field else ""
    if first["type"] == "extra_forbidden":
        return unknown_field(name, list(model.model_fields) if model else [])
    known = model.model_fields.get(name) if model else None
    return told(name, first, examples=known.examples if known else None)


def unknown_field(name: str, known: Sequence[str]) -> str:
    """The sentence about a field that isn't known; the nearest known one is named, or all."""
    near = nearest(name, known)
    takes = f" It takes {', '.join(f'`{one}`' for one in known)}." if known else " It takes none."
    hint = f" Did you mean `{near}`?" if near else takes
    return f"There's no field `{shown(name)}`.{hint}"


def told(name: str, error: Mapping[str, Any], *, examples: Sequence[Any] | None = None) -> str:
    """The sentence about one of pydantic's errors.

    Args:
        name: of the field; "" for the whole value.
        examples: correct values of the field.
    """
    kind, context = str(error["type"]), error.get("ctx") or {}
    field = f"`{shown(name)}`" if name else "It"
    if kind == "missing":
        return f"{field} is missing."
    if kind in {"greater_than_equal", "greater_than"}:
        return f"{field} takes a number from {next(iter(context.values())):,.0f} on."
    if kind in {"less_than_equal", "less_than"}:
        return f"{field} takes {next(iter(context.values())):,.0f} at most."
    if kind in {"string_too_short", "too_short"}:
        return f"{field} can't be empty."
    if kind in {"string_too_long", "too_long"}:
        return f"{field} takes {context['max_length']:,} characters at most."
    if kind in {"literal_error", "enum"}:
        return f"{field} takes {context['expected']}."
    sort = "int" if kind == "finite_number" else kind.partition("_")[0]
    takes = _PATTERNS.get(context.get("pattern", "")) or _TAKES.get(sort)
    if takes is None:
        return f"{field} isn't valid."
    example = examples[0] if examples else _EXAMPLES.get(sort)
    such_as = f", such as {_written(example)}" if example is not None else ""
    return f"{field} takes {takes}{such_as}."


def shown(name: str) -> str:
    """A name that somebody sent, short and on one line."""
    line = one_line(name)
    return line if len(line) <= _LONGEST_NAME else f"{line[:_LONGEST_NAME]}…"


def _written(example: object) -> str:
    return f"`{example}`" if isinstance(example, str) else str(example)
