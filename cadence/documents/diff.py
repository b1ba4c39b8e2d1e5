"""What a new revision of a playbook changes: as data, and as text (`Cap of “Send the reply”: 5% → 8%`)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from cadence.documents.data import to_data
from cadence.documents.playbook import PlaybookSpec
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.rules.amounts import Unit, format_amount
from cadence.rules.kpi import Direction
from cadence.rules.modes import WORDS, Mode
from cadence.rules.percent import set_share

_KEY_OF = {"steps": "key", "guardrails": "name"}
_KEYED = re.compile(r"(steps|guardrails)\[(?P<key>.*)\](?:\.(?P<rest>.+))?")
_SHARES: Final = frozenset({"exception_cap", "accuracy", "max_risk", "threshold"})
_AMOUNTS: Final = frozenset({"baseline", "target"})
_MODES: Final = frozenset({"mode", "fallback"})
_MEMBERS: Final = frozenset({"owner", "escalate_to"})
_NAMES: Final = {
    "exception_cap": "cap",
    "promote.accuracy": "accuracy needed for promotion",
    "promote.max_risk": "highest risk for promotion",
    "promote.cycles": "cycles needed for promotion",
    "verify.sample": "runs spot-checked per week",
    "verify.automated": "automated check",
    "verify.escalate_to": "who is told about a risky grade",
    "kpi.name": "KPI",
    "kpi.unit": "KPI unit",
    "kpi.direction": "which way is better",
    "kpi.window_days": "KPI window in days",
    "case.frequency": "how often the work comes",
    "case.friction": "how much it hurts",
    "case.structure": "how structured the inputs are",
    "case.worth.amount": "worth of a run that counts",
    "case.worth.unit": "unit of that worth",
    "case.worth": "worth of a run that counts",
    "pillars.value_event": "when a run counts",
    "why": "why this mode",
    "scale_rule": "scale rule",
    "rule": "rule of demotions",
    "verify": "checks",
    "scale_rule.cycles": "cycles in a row",
    "runs_per_week": "expected runs per week",
    "setup_minutes": "minutes to set up",
    "min_runs": "fewest runs for the cap rule",
}
_LONGEST: Final = 140


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `steps[send].mode`, before and after; None if there was or is nothing.

    Steps are matched by their key and guardrails by their name; other lists are compared whole.
    """

    path: str
    before: JsonValue
    after: JsonValue


def diff_playbooks(before: PlaybookSpec, after: PlaybookSpec) -> tuple[Change, ...]:
    """Every difference, in the order of the file; empty without any."""
    return tuple(_changes("", to_data(before), to_data(after)))


def _changes(path: str, before: JsonValue, after: JsonValue) -> Iterator[Change]:
    if before == after:
        return
    name = path.rpartition(".")[2]
    if isinstance(before, dict) and isinstance(after, dict):
        for key in _in_order(before, after):
            yield from _changes(f"{path}.{key}" if path else key, before.get(key), after.get(key))
    elif name in _KEY_OF and isinstance(before, list) and isinstance(after, list):
        yield from _keyed_changes(path, _keyed(before, _KEY_OF[name]), _keyed(after, _KEY_OF[name]))
    else:
        yield Change(path, before, after)


def _keyed_changes(path: str, before: dict[str, JsonValue], after: dict[str, JsonValue]) -> Iterator[Change]:
    kept_before, kept_after = [k for k in before if k in after], [k for k in after if k in before]
    if kept_before != kept_after:
        yield Change(f"{path} (order)", list(before), list(after))
    for key in _in_order(before, after):
        yield from _changes(f"{path}[{key}]", before.get(key), after.get(key))


def _keyed(items: list[JsonValue], key: str) -> dict[str, JsonValue]:
    return {str(item[key]): item for item in items if isinstance(item, dict)}


def _in_order(before: dict[str, JsonValue], after: dict[str, JsonValue]) -> list[str]:
    """The keys of both: those of the newer one in its order, and each removed one after its old neighbor."""
    order = list(after)
    for index, key in enumerate(before):
        if key not in after:
            neighbour = list(before)[index - 1] if index else None
            order.insert(order.index(neighbour) + 1 if neighbour else 0, key)
    return order


def differences(before: PlaybookSpec, after: PlaybookSpec) -> tuple[str, ...]:
    """Every difference as a line of text, in the order of the file; empty without any.

    A line that mentions people is `Mrkdwn`.
    """
    words = _Words(before, after)
    return tuple(words.line(change) for change in diff_playbooks(before, after))


class _Words:
    """Says the differences of two specifications in the words of the product, with the titles of steps."""

    def __init__(self, before: PlaybookSpec, after: PlaybookSpec) -> None:
        self._units = (before.kpi.unit, after.kpi.unit)
        self._limits = {rail.name: rail.unit for spec in (before, after) for rail in spec.kpi.guardrails}
        self._titles = {step.key: step.title for spec in (before, after) for step in spec.steps}

    def line(self, change: Change) -> str:
        """One difference as a line of text."""
        if change.path == "steps (order)":
            return f"The order of steps is now {self._order(change.after)} (was {self._order(change.before)})"
        keyed = _KEYED.search(change.path)
        if keyed is None:
            name = _NAMES.get(change.path) or _spoken(change.path)
            name = re.sub(r"^(kpi|pillars) ", lambda found: "KPI " if found[1] == "kpi" else "", name)
            return _joined(_capital(name), self._change(change, change.path))
        key, rest = keyed["key"], keyed["rest"]
        if keyed[1] == "guardrails":
            return self._of(f"guardrail {key}", change, rest, self._limits[key])
        title = f"“{self._titles.get(key, key)}”"
        match rest:
            case "mode":
                return f"{title} is now {_word(change.after)} (was {_word(change.before)})"
            case "fallback":
                return (
                    f"A demotion of {title} now leads to {_word(change.after)} (was {_word(change.before)})"
                )
            case "title":
                return f"{title} is the new name of “{_plain(change.before)}”"
        return self._of(title, change, rest)

    def _of(self, what: str, change: Change, rest: str | None, unit: Unit | None = None) -> str:
        """A difference of a step or guardrail, or that all of it is new or gone."""
        if rest is None:
            gone = change.after is None
            return f"{_capital(what)} was {'removed' if gone else f'added: {_whole(change.after)}'}"
        name = _NAMES.get(rest) or _spoken(rest)
        return _joined(f"{_capital(name)} of {what}", self._change(change, rest, unit))

    def _order(self, keys: JsonValue) -> str:
        return _plain(
            [f"“{self._titles.get(str(key), str(key))}”" for key in keys] if isinstance(keys, list) else keys
        )

    def _change(self, change: Change, path: str, unit: Unit | None = None) -> str:
        if isinstance(change.before, list) and isinstance(change.after, list):
            return _list_change(change.before, change.after)
        last = path.rpartition(".")[2]
        if last in _MEMBERS:
            sides = (mention(str(one)) if one else "nobody" for one in (change.before, change.after))
            return say("{before} → {after}", **dict(zip(("before", "after"), sides, strict=True)))
        if last == "limit" and unit is not None:
            sides = (format_amount(float(str(one)), unit) for one in (change.before, change.after))
            return " → ".join(sides)
        if change.before is None:
            return f"added {self._value(change.after, last, 1)}"
        if change.after is None:
            return f"removed {self._value(change.before, last, 0)}"
        return f"{self._value(change.before, last, 0)} → {self._value(change.after, last, 1)}"

    def _value(self, value: JsonValue, last: str, at: int) -> str:
        """A value: shares in percent, the KPI's numbers in its unit, before (0) or after (1), modes in words."""
        if last in _SHARES:
            return set_share(float(str(value)))
        if last in _AMOUNTS:
            return format_amount(float(str(value)), self._units[at])
        return _word(value) if last in _MODES else _plain(value)


def _joined(head: str, change: str) -> str:
    """`Head: change`; safe text if the change mentions people."""
    if isinstance(change, Mrkdwn):
        return say("{head}: {change}", head=head, change=change)
    return f"{head}: {change}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _spoken(path: str) -> str:
    return path.replace("_", " ").replace(".", " ")


def _word(mode: JsonValue) -> str:
    """A mode as people read it."""
    return WORDS[Mode(str(mode))] if mode in set(Mode) else _plain(mode)


def _list_change(before: list[JsonValue], after: list[JsonValue]) -> str:
    lost = [one for one in before if one not in after]
    new = [one for one in after if one not in before]
    parts = [f"added {_plain(new)}"] if new else []
    parts += [f"removed {_plain(lost)}"] if lost else []
    return "; ".join(parts) or f"{_plain(before)} → {_plain(after)}"


def _whole(value: JsonValue) -> str:
    """A new step or guardrail as text."""
    if not isinstance(value, dict):
        return _plain(value)
    known = [_word(value["mode"])] if "mode" in value else []
    if "exception_cap" in value:
        known.append(f"cap {set_share(float(str(value['exception_cap'])))}")
    if "limit" in value:
        amount = format_amount(float(str(value["limit"])), Unit(str(value["unit"])))
        known.append(f"at {'most' if value.get('direction') == Direction.LOWER else 'least'} {amount}")
    return ", ".join(known)


def _plain(value: JsonValue) -> str:
    if value is None or value in ([], {}):
        return "nothing"
    if isinstance(value, list):
        text = ", ".join(_plain(item) for item in value)
    elif isinstance(value, dict):
        text = ", ".join(
            f"{_NAMES.get(key) or _spoken(key)} {_plain(part)}" for key, part in value.items() if part
        )
    else:
        text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"
