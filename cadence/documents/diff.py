"""What a new revision of a playbook changes."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from cadence.documents.data import to_data
from cadence.documents.playbook import PlaybookSpec

_KEY_OF = {"steps": "key", "guardrails": "name"}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `steps[send].mode`, before and after; None where there was or is nothing.

    Steps are told apart by their key and guardrails by their name; other lists are compared whole.
    """

    path: str
    before: JsonValue
    after: JsonValue

    def __str__(self) -> str:
        """`kpi.target: 15 → 12`."""
        return f"{self.path}: {_shown(self.before)} → {_shown(self.after)}"


def diff_playbooks(before: PlaybookSpec, after: PlaybookSpec) -> tuple[Change, ...]:
    """Every difference, in the order of the file; empty when both say the same."""
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
    """The keys of both: those of the newer one in its order, and each lost one after its old neighbour."""
    order = list(after)
    for index, key in enumerate(before):
        if key not in after:
            neighbour = list(before)[index - 1] if index else None
            order.insert(order.index(neighbour) + 1 if neighbour else 0, key)
    return order


def _shown(value: JsonValue) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, list):
        return ", ".join(_shown(item) for item in value) or "nothing"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(part)}" for key, part in value.items())
    return str(value)
