"""An unfinished playbook: its parts, their gaps, and setting or removing single values.

The reader of files validates it, so a form refuses what a file would be refused for, in the same words.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from pydantic import JsonValue

from cadence.documents.data import Data
from cadence.documents.problems import DocumentRefused, Problem
from cadence.documents.reading import playbook_from_data

Path = tuple[str, ...]


class Part(StrEnum):
    """A part of a playbook, as a form asks for it; `steps` is asked for one step at a time."""

    BASICS = "basics"
    KPI = "kpi"
    GUARDRAILS = "guardrails"
    STEPS = "steps"
    PACKAGE = "package"
    NEXT_TEAM = "next-team"
    PILLARS = "pillars"


_KEYS: Mapping[str, Part] = {
    **dict.fromkeys(("playbook", "title", "function", "owner", "pilot", "runs_per_week"), Part.BASICS),
    "kpi": Part.KPI,
    "steps": Part.STEPS,
    **dict.fromkeys(("inputs", "outputs", "quality", "rubric", "loop"), Part.PACKAGE),
    **dict.fromkeys(
        ("scale_rule", "setup_minutes", "examples", "checklist", "fixed", "adaptable"), Part.NEXT_TEAM
    ),
    "case": Part.PILLARS,
    "pillars": Part.PILLARS,
}
PUBLISHED_WITH: Mapping[Part, tuple[str, ...]] = {
    Part.PACKAGE: ("inputs", "outputs", "quality", "rubric", "loop"),
    Part.NEXT_TEAM: ("scale_rule", "examples", "checklist"),
}
"""What a part can omit in a draft, but not in a published playbook."""

_INDEX = re.compile(r"\[\d+\]")


def part_of(where: str) -> Part | None:
    """The part that contains a problem's value; None for values that only a file has."""
    if where.startswith("kpi.guardrails"):
        return Part.GUARDRAILS
    return _KEYS.get(_INDEX.sub("", where).partition(".")[0])


def problems_of(data: Mapping[str, object]) -> tuple[Problem, ...]:
    """Every problem of a playbook so far; empty if it could be saved."""
    try:
        playbook_from_data(data)
    except DocumentRefused as refused:
        return refused.problems
    return ()


def taken_out(data: Mapping[str, JsonValue], path: Path) -> JsonValue:
    """The value at a path of keys; None if it is missing."""
    value: JsonValue = dict(data)
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def put_in(data: Mapping[str, JsonValue], path: Path, value: JsonValue) -> Data:
    """A copy with the value at a path; None, "" and an empty list or group remove it instead."""
    key, *rest = path
    copy = dict(data)
    if rest:
        inner = copy.get(key)
        value = put_in(inner if isinstance(inner, dict) else {}, tuple(rest), value)
    if value is None or value in ("", [], {}):
        copy.pop(key, None)
    else:
        copy[key] = value
    return copy
