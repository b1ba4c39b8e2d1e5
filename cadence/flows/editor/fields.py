"""The fields of the guided playbook form: their place in the file, how they are parsed and displayed."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue

from cadence.documents import Data, Problem
from cadence.documents.parts import Part, Path, put_in, taken_out
from cadence.rules.amounts import AmountError, Unit, parse_amount
from cadence.rules.percent import set_share

LONGEST = 3_000
"""Maximum characters of a field."""


class Way(StrEnum):
    """How input becomes the value of a file."""

    TEXT = "text"
    LINES = "lines"
    NUMBER = "number"
    SHARE = "share"


Fields = Mapping[str, tuple[Path, Way]]

_PILLARS = ("value_event", "input_contract", "output_trust", "operational_owner", "replication_template")
FIELDS: Mapping[Part, Fields] = {
    Part.BASICS: {
        "title": (("title",), Way.TEXT),
        "slug": (("playbook",), Way.TEXT),
        "function": (("function",), Way.TEXT),
        "owner": (("owner",), Way.TEXT),
        "runs_per_week": (("runs_per_week",), Way.NUMBER),
        "pilot": (("pilot",), Way.TEXT),
    },
    Part.KPI: {
        "name": (("kpi", "name"), Way.TEXT),
        "unit": (("kpi", "unit"), Way.TEXT),
        "direction": (("kpi", "direction"), Way.TEXT),
        "baseline": (("kpi", "baseline"), Way.NUMBER),
        "target": (("kpi", "target"), Way.NUMBER),
        "window_days": (("kpi", "window_days"), Way.NUMBER),
    },
    Part.PACKAGE: {
        "inputs": (("inputs",), Way.LINES),
        "outputs": (("outputs",), Way.LINES),
        "quality": (("quality",), Way.LINES),
        "criteria": (("rubric", "criteria"), Way.LINES),
        "threshold": (("rubric", "threshold"), Way.SHARE),
        "loop": (("loop",), Way.TEXT),
    },
    Part.NEXT_TEAM: {
        "cycles": (("scale_rule", "cycles"), Way.NUMBER),
        "setup_minutes": (("setup_minutes",), Way.NUMBER),
        "checklist": (("checklist",), Way.LINES),
        "examples": (("examples",), Way.LINES),
        "fixed": (("fixed",), Way.LINES),
        "adaptable": (("adaptable",), Way.LINES),
    },
    Part.PILLARS: {
        **{name: (("case", name), Way.NUMBER) for name in ("frequency", "friction", "structure")},
        "worth": (("case", "worth", "amount"), Way.NUMBER),
        "worth_unit": (("case", "worth", "unit"), Way.TEXT),
        **{pillar: (("pillars", pillar), Way.TEXT) for pillar in _PILLARS},
    },
}
STEP: Fields = {
    "title": (("title",), Way.TEXT),
    "key": (("key",), Way.TEXT),
    "mode": (("mode",), Way.TEXT),
    "exception_cap": (("exception_cap",), Way.SHARE),
    "fallback": (("fallback",), Way.TEXT),
    "why": (("why",), Way.TEXT),
    "accuracy": (("promote", "accuracy"), Way.SHARE),
    "max_risk": (("promote", "max_risk"), Way.SHARE),
    "cycles": (("promote", "cycles"), Way.NUMBER),
    "sample": (("verify", "sample"), Way.NUMBER),
    "escalate_to": (("verify", "escalate_to"), Way.TEXT),
    "automated": (("verify", "automated"), Way.TEXT),
}
GUARDRAIL: Fields = {
    "name": (("name",), Way.TEXT),
    "unit": (("unit",), Way.TEXT),
    "direction": (("direction",), Way.TEXT),
    "limit": (("limit",), Way.NUMBER),
}
NEARLY_ALL = ("accuracy", "threshold")
"""Shares for which 1 may mean all as well as 1%, so the form asks."""
AMOUNTS = ("baseline", "target", "limit")
"""Fields that are counted in a unit."""

_PERCENT = re.compile(r"(\d+(?:[.,]\d+)?|[.,]\d+) ?%")
_BULLET = re.compile(r"^\s*(?:[-•*–]\s+)?")
_INDEX = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Spot:
    """The part of a playbook to fill in; `step` is its key, "" for a new one."""

    slug: str | None
    part: Part
    step: str = ""


def filled(
    data: Data, fields: Fields, given: Mapping[str, str], *, unit: str | None = None
) -> tuple[Data, dict[str, str]]:
    """The data with the input applied, and problems with amounts, by field.

    A field that isn't on the form stays as it was. `unit` is that of the amounts among the fields.
    """
    errors: dict[str, str] = {}
    for field, (path, way) in fields.items():
        if field not in given:
            continue
        try:
            value = _value(given[field], way, unit if field in AMOUNTS else None)
            if field in NEARLY_ALL and value == 0.01 and "%" not in given[field]:
                raise AmountError("`1` could mean 1% or 100%.", Unit.PERCENT, ("90%", "100%"))
        except AmountError as error:
            errors[field], value = str(error), given[field]
        data = put_in(data, path, value)
    return data, errors


def _value(typed: str, way: Way, unit: str | None) -> JsonValue:
    if not typed.strip():
        return None
    if unit in set(Unit):
        return parse_amount(typed, Unit(unit or ""))
    match way:
        case Way.LINES:
            return [line for line in (_BULLET.sub("", one).strip() for one in typed.splitlines()) if line]
        case Way.NUMBER:
            return _number(typed)
        case Way.SHARE:
            return _share(typed.strip())
        case _:
            return typed


def _share(typed: str) -> JsonValue:
    """A share of 0 to 1: `8%`, `8` and `0.08` are the same, and so are `1%` and `1`."""
    percent = _PERCENT.fullmatch(typed)
    number = float(percent[1].replace(",", ".")) if percent else _number(typed)
    if not isinstance(number, int | float) or number < 0:
        return typed
    if number > 100:
        raise AmountError(f"`{typed}` is more than 100%.", Unit.PERCENT, ("10%", "90%"))
    return number / 100 if percent or number >= 1 else number


def _number(typed: str) -> JsonValue:
    """A number as people write it; anything else stays text, for the reader to refuse."""
    try:
        number = parse_amount(typed, Unit.COUNT)
    except AmountError:
        return typed
    return int(number) if number.is_integer() else number


def shown(data: Mapping[str, JsonValue], fields: Fields) -> dict[str, str]:
    """Each field as it would be typed."""
    return {field: _typed(taken_out(data, path), way) for field, (path, way) in fields.items()}


def fits(text: str) -> str | None:
    """A text, unless it is too long for a field: truncated, it would be saved so."""
    return text if len(text) <= LONGEST else None


def _typed(value: JsonValue, way: Way) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n".join(str(one) for one in value)
    if isinstance(value, int | float):
        return set_share(value) if way is Way.SHARE else f"{value:.12g}"
    return str(value)


def field_of(where: str, fields: Fields, *, below: str = "") -> str | None:
    """The field of a problem's path, below the path of a step or a guardrail."""
    inside = _INDEX.sub("", where.removeprefix(below).removeprefix("."))
    places = {".".join(path): field for field, (path, _) in fields.items()}
    while inside and inside not in places:
        inside = inside.rpartition(".")[0]
    return places.get(inside)


_FILE_WORDS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"such as 0\.(\d\d)\b"), lambda found: f"such as {int(found[1])}%"),
    (re.compile(r", or `direction: \w+`"), ""),
    (re.compile(r"write `fallback: [\w-]+`, or leave the line out"), "choose “One level down”"),
    (
        re.compile(r"write `sample: 5`, or `automated:` with a check's name"),
        "write how many runs to grade, or a check",
    ),
    (re.compile(r"or leave the line out"), "or leave it empty"),
    (re.compile(r"[Tt]he text (`.*`) was found where a number belongs"), r"\1 isn't a number"),
    (re.compile(r"`[\w-]+: ([^`]+)`"), r"`\1`"),
)
"""The file reader's wording about keys and lines, with the wording for a form, which has neither."""


def _as_a_form_says(said: str) -> str:
    for words, instead in _FILE_WORDS:
        said = words.sub(instead, said)
    return said


def sentence(problem: Problem) -> str:
    """A problem as a sentence under a field: `This has 81 characters, more than 80. Shorten it.`"""
    line = _INDEX.search(problem.where.rpartition(".")[2])
    lead = f"Line {int(line[1]) + 1}" if line else "This"
    said, right = _as_a_form_says(problem.reason), _as_a_form_says(problem.right)
    if said.startswith(("is ", "has ")):
        said = f"{lead} {said}"
    elif line:
        said = f"{lead}: {said}"
    return f"{_capital(said)}. {_capital(right)}{'' if right.endswith(('?', '.')) else '.'}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
