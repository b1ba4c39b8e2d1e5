"""What a new revision of a playbook changes: as data, and as text (`cap of send: 5% → 8%`)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from cadence.documents.data import to_data
from cadence.documents.playbook import PlaybookSpec
from cadence.rules.amounts import Unit, format_amount

_KEY_OF = {"steps": "key", "guardrails": "name"}
_KEYED = re.compile(r"(steps|guardrails)\[(?P<key>.*)\](?:\.(?P<rest>.+))?")
_SHARES: Final = frozenset({"exception_cap", "accuracy", "max_risk", "threshold"})
_AMOUNTS: Final = frozenset({"baseline", "target"})
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
    "case.worth.amount": "worth of a value event",
    "case.worth.unit": "unit of a value event's worth",
    "case.worth": "worth of a value event",
    "why": "why this mode",
    "scale_rule": "cycles in a row",
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
    """Every difference as a line of text, in the order of the file; empty without any."""
    return tuple(_line(change, before, after) for change in diff_playbooks(before, after))


def _line(change: Change, before: PlaybookSpec, after: PlaybookSpec) -> str:
    units = (before.kpi.unit, after.kpi.unit)
    if change.path == "steps (order)":
        return f"step order: {_plain(change.before)} → {_plain(change.after)}"
    keyed = _KEYED.search(change.path)
    if keyed is None:
        last = change.path.rpartition(".")[2]
        name = _NAMES.get(change.path) or change.path.replace("_", " ").replace(".", " ")
        name = re.sub(r"^(kpi|pillars) ", lambda found: "KPI " if found[1] == "kpi" else "", name)
        return f"{name}: {_change(change, _writer(last, units))}"
    key, rest = keyed["key"], keyed["rest"]
    noun = "step" if keyed[1] == "steps" else "guardrail"
    if rest is None:
        added = change.before is None
        return f"{noun} {key}: {'added, ' + _whole(change.after) if added else 'removed'}"
    last = rest.rpartition(".")[2]
    name = _NAMES.get(rest) or rest.replace("_", " ").replace(".", " ")
    return f"{name} of {key}: {_change(change, _writer(last, units))}"


_Writer = Callable[[JsonValue, int], str]


def _writer(last: str, units: tuple[Unit, Unit]) -> _Writer:
    """Return how to format a value: shares in percent, the KPI's numbers in its unit, before or after."""
    if last in _SHARES:
        return lambda value, _: f"{float(str(value)) * 100:.10g}%"
    if last in _AMOUNTS:
        return lambda value, at: format_amount(float(str(value)), units[at])
    return lambda value, _: _plain(value)


def _change(change: Change, write: _Writer) -> str:
    if isinstance(change.before, list) and isinstance(change.after, list):
        return _list_change(change.before, change.after)
    before = "nothing" if change.before is None else write(change.before, 0)
    after = "nothing" if change.after is None else write(change.after, 1)
    return f"{before} → {after}"


def _list_change(before: list[JsonValue], after: list[JsonValue]) -> str:
    lost = [one for one in before if one not in after]
    new = [one for one in after if one not in before]
    parts = [f"added {_plain(new)}"] if new else []
    parts += [f"removed {_plain(lost)}"] if lost else []
    return "; ".join(parts) or f"{_plain(before)} → {_plain(after)}"


def _whole(value: JsonValue) -> str:
    """A new step or guardrail as text."""
    if isinstance(value, dict):
        known = [str(value[name]) for name in ("title", "mode") if name in value]
        if "exception_cap" in value:
            known.append(f"cap {float(str(value['exception_cap'])) * 100:.10g}%")
        if "limit" in value:
            known.append(f"limit {value['limit']}")
        return ", ".join(known)
    return _plain(value)


def _plain(value: JsonValue) -> str:
    if value is None or value in ([], {}):
        return "nothing"
    if isinstance(value, list):
        text = ", ".join(_plain(item) for item in value)
    elif isinstance(value, dict):
        text = ", ".join(f"{key.replace('_', ' ')} {_plain(part)}" for key, part in value.items() if part)
    else:
        text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"
