"""Samples stretched to the longest, nastiest or shortest values, by walking their fields."""

import re
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from typing import Any

from cadence.mrkdwn import Mrkdwn, escape

EVIL = "EVIL"
NASTY = (
    "<!channel> <!here> @everyone <@U0EVIL> <#C0EVIL> ",
    '"\\n\\"} , "text": "x", \\ \\u0041 ',
    "{{7*7}} {% raw %} {{ self }} {# no #} ",
    "</script><script>alert(1)</script> &lt;!channel&gt; ",
    "<https://evil.example|click me> <mailto:a@b.c> ",
    "👩‍👩‍👧‍👦🏳️‍🌈 مرحبا \u202eevil\u202c שלום ",
    "&" * 40,
    "W" * 40,
    f"x\n*{EVIL}*\n_{EVIL}_ ~{EVIL}~ `{EVIL}`\r\n> {EVIL} *_{EVIL}_*\u2028```{EVIL}``` ",
    "a\u200bb\u2060c\U000e0041\U000e0042d\u202ee\u2066f\x85g"
    "\x9bh\xadi\x07j\ufeffk\u200dl\x00m\x1bn\x7fo\u061cp\u3164q ",
    "one\ntwo\r\n\n> three\t*four* _five_ ~six~ `seven` ```eight``` \x00\x1b ",
)

# One of a few words, or a number as text: never typed freely. Slack IDs are known by their look.
_FIXED = frozenset(
    {
        *(
            "mode",
            "before",
            "after",
            "chosen",
            "leads_to",
            "ended",
            "fallback",
            "declared",
            "used",
            "also",
            "older",
            "unit",
            "direction",
            "attestation",
            "kind",
            "runs_are",
            "role",
            "working_days",
            "inherited",
        ),
        *("line", "decision", "trigger", "rule", "result", "state", "function", "action", "value"),
        *("week_start", "week", "selected", "step_key", "key", "adoption_id", "private_metadata"),
    }
)
_SLACK_ID = re.compile(r"[UC]01[A-Z0-9]+")
_LONG_TEXTS = (
    "reason",
    "right",
    "note",
    "answer",
    "top_reason",
    "critical_reason",
    "lessons",
    "loop",
    "text",
    "change",
)
_LENGTHS = {
    **dict.fromkeys((*_LONG_TEXTS, "notes", "drifts"), 1000),
    **dict.fromkeys(("paragraphs", "lines", "changes", "link", "permalink", "summary", "usage"), 2000),
    "typed": 3000,
    **dict.fromkeys(("what", "on_failure", "inputs", "outputs", "lacking"), 300),
    "name": 60,
}
_DIGEST_LISTS = ("decisions", "owners_jobs", "demotions", "notes", "skipped", "sections")
_COUNTS = {
    **dict.fromkeys(("rows", "entries", "items", "earlier", "problems", "lessons", "adoptions"), 60),
    **dict.fromkeys(("steps", "drifts", "examples"), 12),
    "names": 60,
    **dict.fromkeys(("missing", "members", "curators", "away"), 2000),
    **dict.fromkeys(_DIGEST_LISTS, 10_000),
    **dict.fromkeys(("choices", "paragraphs", "lines", "changes"), 120),
    "groups": 50,
    **dict.fromkeys(("inputs", "outputs", "lacking", "absent"), 20),
    **dict.fromkeys(
        ("gaps", "deltas", "teams", "nearly", "passed_over", "playbooks", "modes", "finishing", "runs"), 60
    ),
}
_KEPT = frozenset({"readings", "offers", "weeks", "gates", "guardrails"})


def longest(sample: Any, text: str) -> Any:
    """Every list as long as it gets, every text of a person made of `text`, as long as it may be."""
    return _walk(sample, lambda name, value: _long(name, value, text))


def shortest(sample: Any) -> Any:
    """Optional values are removed, lists cut to one, texts to one letter."""
    changes = {}
    for field in fields(sample):
        value = getattr(sample, field.name)
        if field.name in _FIXED or field.name == "readings":
            continue
        if _default(field) is not MISSING:
            changes[field.name] = _default(field)
        elif isinstance(value, tuple):
            changes[field.name] = tuple(shortest(one) if is_dataclass(one) else one for one in value[:1])
        elif isinstance(value, Mrkdwn):
            changes[field.name] = Mrkdwn("x")
        elif isinstance(value, str):
            changes[field.name] = "x"
        elif is_dataclass(value):
            changes[field.name] = shortest(value)
    return replace(sample, **changes)


def _default(field: "Field[Any]") -> Any:
    return field.default


def _walk(value: Any, change: Callable[[str, Any], Any]) -> Any:
    changes = {
        field.name: change(field.name, getattr(value, field.name))
        for field in fields(value)
        if getattr(value, field.name) is not None
    }
    return replace(value, **changes)


def _long(name: str, value: Any, text: str) -> Any:
    if isinstance(value, tuple):
        if not value or name in _KEPT:
            return value
        long = [_long(name, one, text) for one in value]
        if name == "lines" and is_dataclass(value[0]):
            return tuple(long)
        count = max(_COUNTS.get(name, 0), len(long))
        return tuple(_numbered(long[at % len(long)], at) if at < 200 else long[0] for at in range(count))
    if is_dataclass(value) and not isinstance(value, type):
        return _walk(value, lambda field, inner: _long(field, inner, text))
    if isinstance(value, str) and name not in _FIXED and not _SLACK_ID.fullmatch(value):
        typed = (text * 3000)[: _LENGTHS.get(name, 80)]
        return escape(typed) if isinstance(value, Mrkdwn) else typed
    if isinstance(value, float | int) and name in ("value", "target", "baseline", "limit"):
        return 123_456_789_012.5
    return value


def _numbered(item: Any, number: int) -> Any:
    """Items that carry an id carry different ones."""
    names = {field.name for field in fields(item)} if is_dataclass(item) else set()
    changes: dict[str, Any] = {}
    if "adoption_id" in names:
        changes["adoption_id"] = number
    if "slug" in names:
        changes["slug"] = f"{number}-{item.slug}"[:80]
    if "place" in names:
        changes["place"] = number
    if "key" in names:
        changes["key"] = f"step-{number}"
    if "label" in names and "value" in names and number:
        changes["value"] = f"{number}:{item.value}"[:150]
    if "choices" in names:
        changes["choices"] = tuple(replace(one, value=f"{one.value}:{number}") for one in item.choices)
    if "step" in names and is_dataclass(item.step):
        changes["step"] = _numbered(item.step, number)
    return replace(item, **changes) if changes else item
