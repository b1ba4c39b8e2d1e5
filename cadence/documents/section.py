"""Reading a group of keys: each value through its kind, every problem collected, none raised."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cadence.documents.problems import Problem
from cadence.documents.tree import Mapping, Node, Scalar, Sequence, Unusable, found, quoted
from cadence.nearest import nearest

T = TypeVar("T")
D = TypeVar("D")
_MOST_UNKNOWN = 50  # beyond it the group is something else altogether, and a thousand hints help nobody


class WrongValueError(ValueError):
    """A value that its kind doesn't take: the reason, and what would be right."""

    def __init__(self, reason: str, right: str) -> None:
        self.reason = reason
        self.right = right
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, and the list its problems go to."""

    path: str
    problems: list[Problem]

    def note(self, line: int, reason: str, right: str) -> None:
        """Add a problem of the value at this place."""
        self.problems.append(Problem(line, self.path, reason, right))

    def under(self, name: str) -> "Place":
        """The place of a key, or of an item (`[2]`), below this one."""
        dot = "." if self.path and not name.startswith("[") else ""
        return Place(f"{self.path}{dot}{name}", self.problems)


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """What a value may be.

    Args:
        read: turns a node into the canonical value; raises WrongValueError, or notes problems of its parts.
        blank: stands in for a value that has a problem, so that reading goes on to the next one. It never
            leaves the package: a document with a problem is refused as a whole.
        example: a right value, as it is written in a file.
    """

    read: Callable[[Node, Place], T]
    blank: T
    example: str


class Section:
    """One group of keys being read. `close()` refuses the keys nobody asked for."""

    def __init__(self, node: Node, place: Place) -> None:
        self._place = place
        self._asked: list[str] = []
        self._refused: set[str] = set()
        self._missing: dict[str, tuple[str, str]] = {}
        self._sound: set[str] = set()
        self.line = node.line
        self._node = node if isinstance(node, Mapping) else Mapping(node.line, {}, {})
        for key, line in self._node.repeats:
            first = self._node.key_lines[key]
            reason = f"{quoted(key)} is written twice" + (f", first on line {first}" if first else "")
            self._place.under(key).note(line, reason, "keep one of them")
        for key_node in self._node.unusable_keys:
            self._place.note(key_node.line, key_node.reason, key_node.right)

    def __contains__(self, key: str) -> bool:
        """Whether the key is written, whatever its value."""
        return key in self._node.entries

    def needed(self, key: str, kind: Kind[T], *, why: str = "is missing", right: str = "") -> T:
        """The value of a key that must be there; `why` says what is wrong without it."""
        if key in self:
            return self._read(key, kind)
        self._asked.append(key)
        right = right or f"write `{key}: {kind.example}`"
        self._missing[key] = (why, right)
        return kind.blank

    def optional(self, key: str, kind: Kind[T], default: D) -> T | D:
        """The value of a key that may be left out."""
        if key in self:
            return self._read(key, kind)
        self._asked.append(key)
        return default

    def _read(self, key: str, kind: Kind[T]) -> T:
        self._asked.append(key)
        place = self._place.under(key)
        before = len(place.problems)
        value = read_value(self._node.entries[key], kind, place)
        if len(place.problems) == before:
            self._sound.add(key)
        return value

    def sound(self, *keys: str) -> bool:
        """Whether all these keys are written and had no problem: only then are they compared."""
        return self._sound.issuperset(keys)

    def refuse(self, key: str, reason: str, right: str) -> None:
        """Note a problem of a key that only shows beside other keys."""
        self._place.under(key).note(self.line_of(key), reason, right)

    def line_of(self, key: str) -> int:
        """The line of a key; of the group when the key isn't written."""
        return self._node.key_lines.get(key, self.line)

    def refuse_other(self, key: str, reason: str, right: str) -> None:
        """Refuse a key that isn't known, with words of its own, when it is written."""
        if key in self:
            self._refused.add(key)
            self.refuse(key, reason, right)

    def close(self) -> None:
        """Refuse the keys that were written and not asked for, each with the nearest that is known, and note
        those that are missing. A key that is only misspelt is told once, not as a missing one too.
        """
        unknown = [key for key in self._node.entries if key not in self._asked and key not in self._refused]
        for key in unknown[:_MOST_UNKNOWN]:
            meant = nearest(key, [name for name in self._asked if name not in self])
            self._missing.pop(meant or "", None)
            right = f"did you mean `{meant}`?" if meant else f"known here: {', '.join(self._asked)}"
            self.refuse(key, f"there is no key {quoted(key)} here", right)
        for key, (why, right) in self._missing.items():
            self._place.under(key).note(self.line, why, right)


def read_value(node: Node, kind: Kind[T], place: Place) -> T:
    """A value through its kind; its blank, and a problem noted, when the kind doesn't take it."""
    if isinstance(node, Unusable):
        place.note(node.line, node.reason, node.right)
        return kind.blank
    if isinstance(node, Scalar) and node.value is None:
        place.note(node.line, "has no value", f"write a value such as `{kind.example}`, or delete the line")
        return kind.blank
    try:
        return kind.read(node, place)
    except WrongValueError as wrong:
        place.note(node.line, wrong.reason, wrong.right)
        return kind.blank


def group(read: Callable[[Section], T], blank: T, *, example: str) -> Kind[T]:
    """A kind whose value is a group of keys, closed once it is read."""

    def reading(node: Node, place: Place) -> T:
        if not isinstance(node, Mapping):
            raise WrongValueError(f"{found(node)} was found", f"write a group such as `{example}`")
        section = Section(node, place)
        value = read(section)
        section.close()
        return value

    return Kind(reading, blank, example)


def listing(
    kind: Kind[T], *, most: int, least: int = 0, distinct: dict[str, Callable[[T], str]] | None = None
) -> Kind[tuple[T, ...]]:
    """A kind whose value is a list of `least` to `most` values of another kind, none of them twice.

    `distinct` says by which of their keys groups are told apart; without it whole values are compared.
    """
    example = f"[{kind.example}]"

    def reading(node: Node, place: Place) -> tuple[T, ...]:
        if not isinstance(node, Sequence):
            raise WrongValueError(f"{found(node)} was found", f"write a list such as `{example}`")
        if len(node.items) > most:
            reason = f"the list has {len(node.items)} items, more than {most}"
            raise WrongValueError(reason, "keep the main ones")
        if len(node.items) < least:
            raise WrongValueError("the list is empty", f"write a list such as `{example}`")
        values: list[T] = []
        for index, item in enumerate(node.items):
            spot = place.under(f"[{index}]")
            before = len(spot.problems)
            value = read_value(item, kind, spot)
            if distinct is not None:
                _note_same_keys(item, spot, value, values, distinct)
            elif len(spot.problems) == before and value in values:
                spot.note(item.line, "is in the list twice", "keep one of them")
            values.append(value)
        return tuple(values)

    return Kind(reading, (), example)


def _note_same_keys(
    item: Node, spot: Place, value: T, earlier: list[T], distinct: dict[str, Callable[[T], str]]
) -> None:
    for key, key_of in distinct.items():
        word = key_of(value)
        if word and word in map(key_of, earlier):  # "" is a blank, whose problem is noted
            line = item.key_lines.get(key, item.line) if isinstance(item, Mapping) else item.line
            spot.under(key).note(line, f"{quoted(word)} is taken by another one", f"give each its own {key}")
