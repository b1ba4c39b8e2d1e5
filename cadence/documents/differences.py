"""What a revision changes, in people's words: `cap of send: 5% → 8%`."""

import re
from collections.abc import Callable
from typing import Final

from pydantic import JsonValue

from cadence.documents.diff import Change, diff_playbooks
from cadence.documents.playbook import PlaybookSpec
from cadence.rules.amounts import Unit, format_amount

_KEYED = re.compile(r"(steps|guardrails)\[(?P<key>.*)\](?:\.(?P<rest>.+))?")
_SHARES: Final = frozenset({"exception_cap", "accuracy", "max_risk", "threshold"})
_AMOUNTS: Final = frozenset({"baseline", "target"})
_NAMES: Final = {
    "exception_cap": "cap",
    "promote.accuracy": "accuracy for a promotion",
    "promote.max_risk": "most risk for a promotion",
    "promote.cycles": "cycles for a promotion",
    "verify.sample": "runs drawn a week",
    "verify.automated": "automated check",
    "verify.escalate_to": "who hears of a risky grade",
    "kpi.name": "KPI",
    "kpi.unit": "unit of the KPI",
    "kpi.direction": "which way is better",
    "kpi.window_days": "days of the KPI's window",
    "scale_rule": "cycles in a row",
    "scale_rule.cycles": "cycles in a row",
    "runs_per_week": "runs expected a week",
    "setup_minutes": "minutes to set up",
    "min_runs": "fewest runs for the cap line",
}
_LONGEST: Final = 140


def differences(before: PlaybookSpec, after: PlaybookSpec) -> tuple[str, ...]:
    """Every difference as a line to read, in the order of the file; empty when both say the same."""
    return tuple(_line(change, before, after) for change in diff_playbooks(before, after))


def _line(change: Change, before: PlaybookSpec, after: PlaybookSpec) -> str:
    units = (before.kpi.unit, after.kpi.unit)
    if change.path == "steps (order)":
        return f"order of the steps: {_plain(change.before)} → {_plain(change.after)}"
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
    """How a value is written: shares in percent, the KPI's numbers in its unit, of before or of after."""
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
    """A step or a guardrail that is new."""
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
