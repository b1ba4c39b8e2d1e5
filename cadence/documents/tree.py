"""A document as a tree of values that know their line (counted from 1; 0 when there is no file)."""

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence as AnySequence
from dataclasses import dataclass

_LONGEST_QUOTE = 40


@dataclass(frozen=True, slots=True)
class Scalar:
    """One text, number, true, false, or nothing."""

    line: int
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    line: int
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Unusable:
    """A value, or a key, that YAML allows and a document doesn't: with its reason and what would be right."""

    line: int
    reason: str
    right: str


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values; the line of each key; keys written again; keys that can't be keys."""

    line: int
    entries: dict[str, "Node"]
    key_lines: dict[str, int]
    repeats: tuple[tuple[str, int], ...] = ()
    unusable_keys: tuple[Unusable, ...] = ()


Node = Scalar | Sequence | Mapping | Unusable


def tree_of(data: object) -> Node:
    """The tree of JSON-able data, without lines; so stored rows pass through the same reader as files."""
    if isinstance(data, AnyMapping):
        entries = {str(key): tree_of(value) for key, value in data.items()}
        return Mapping(0, entries, dict.fromkeys(entries, 0))
    if isinstance(data, AnySequence) and not isinstance(data, str | bytes):
        return Sequence(0, tuple(tree_of(item) for item in data))
    if data is None or isinstance(data, str | int | float | bool):
        return Scalar(0, data)
    return Unusable(
        0, f"{type(data).__name__} is no value of a document", "use text, numbers, lists and mappings"
    )


def quoted(text: object) -> str:
    """A value as it is shown in a sentence: one line, in backticks, cut when long."""
    flat = " ".join(str(text).split()).replace("`", "'")
    return f"`{flat if len(flat) <= _LONGEST_QUOTE else flat[: _LONGEST_QUOTE - 1] + '…'}`"


def found(node: Node) -> str:
    """What kind of value a node is, for "… was found" sentences."""
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Mapping):
        return "a group of `key: value` lines"
    if isinstance(node, Unusable) or node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return f"{quoted(str(node.value).lower())} (yes or no)"
    return f"the text {quoted(node.value)}" if isinstance(node.value, str) else f"the number {node.value}"
