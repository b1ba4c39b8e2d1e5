"""YAML 1.2 text to a tree of values that know their line.

The tree is built from ruamel.yaml's events rather than by its loader, for three reasons: every value keeps
its line; aliases, anchors and tags never act, so no file can grow in memory or make an object; and scalars
follow the YAML 1.2 core schema to the letter, so `NO` and `1:30` stay text.
"""

from collections.abc import Iterator

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from cadence.documents.problems import DocumentRefused, Problem
from cadence.documents.syntax import explain, resolve
from cadence.documents.tree import Mapping, Node, Scalar, Sequence, Unusable, found

MAX_BYTES = 200_000
MAX_DEPTH = 8
_BEGIN = "begin with `playbook: a-short-name`, or with `workspace:`"


def parse(text: str) -> Mapping:
    """The file's keys and values.

    Raises:
        DocumentRefused: when nothing can be read: too large, bad syntax, too deep, empty, not a mapping.
    """
    text = text.removeprefix("\ufeff")
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise _refusal(1, f"the file has {size:,} bytes, more than {MAX_BYTES:,}", "import a smaller file")
    _refuse_tabs(text)
    root = _compose(text)
    if isinstance(root, Mapping):
        return root
    if root is None or (isinstance(root, Scalar) and root.value is None):
        raise _refusal(1, "the file is empty", _BEGIN)
    raise _refusal(root.line, f"the file should be `key: value` lines, and {found(root)} was found", _BEGIN)


def _refusal(line: int, reason: str, right: str) -> DocumentRefused:
    return DocumentRefused([Problem(line, "", reason, right)])


def _refuse_tabs(text: str) -> None:
    tabbed = [
        Problem(number, "", "a tab indents this line", "indent with spaces")
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip() and "\t" in line[: len(line) - len(line.lstrip())]
    ]
    if tabbed:
        raise DocumentRefused(tabbed)


def _compose(text: str) -> Node | None:
    composer = _Composer(YAML(typ="safe", pure=True).parse(text))
    try:
        return composer.document()
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _refusal(
            line, "a character here can't be shown", "delete it, or type the line again"
        ) from error
    except MarkedYAMLError as error:
        raise DocumentRefused([explain(error)]) from error
    except (ValueError, OverflowError) as error:  # ruamel.yaml hands an escape beyond Unicode to chr()
        reason = "an escape from this line on names no character"
        raise _refusal(composer.line, reason, "write the character itself") from error


class _Composer:
    """Builds the tree from events; `line` is where the last one began."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self.line = 1

    def document(self) -> Node | None:
        """The first document; None when there is none; a second one is refused."""
        root: Node | None = None
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    line = event.start_mark.line + 1
                    raise _refusal(line, "a second document begins here", "give each document its own file")
                root = self._node(self._next(), depth=1)
        return root

    def _next(self) -> Event:
        event = next(self._events)
        self.line = event.start_mark.line + 1
        return event

    def _node(self, event: Event, *, depth: int) -> Node:
        line = event.start_mark.line + 1
        if depth > MAX_DEPTH:
            reason = f"values are nested more than {MAX_DEPTH} deep"
            raise _refusal(line, reason, "keep to the groups of the examples")
        node: Node
        if isinstance(event, MappingStartEvent):
            node = self._mapping(line, depth)
        elif isinstance(event, SequenceStartEvent):
            node = self._sequence(line, depth)
        elif isinstance(event, ScalarEvent):
            node = Scalar(line, resolve(event.value) if event.style is None else event.value)
        else:
            node = Unusable(line, "* refers to another value", "write the value out, or quote a leading *")
        return _unmarked(event, node)

    def _sequence(self, line: int, depth: int) -> Sequence:
        items: list[Node] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            items.append(self._node(event, depth=depth + 1))
        return Sequence(line, tuple(items))

    def _mapping(self, line: int, depth: int) -> Mapping:
        entries: dict[str, Node] = {}
        key_lines: dict[str, int] = {}
        repeats: list[tuple[str, int]] = []
        unusable: list[Unusable] = []
        while not isinstance(event := self._next(), MappingEndEvent):
            key = self._node(event, depth=depth + 1)
            value = self._node(self._next(), depth=depth + 1)
            if isinstance(value, Scalar) and value.value is None:
                value = Scalar(key.line, None)  # what isn't written has no place but its key's
            if not isinstance(key, Scalar) or not isinstance(key.value, str):
                reason = f"a key must be a word, and {found(key)} was found"
                unusable.append(Unusable(key.line, reason, "write `key: value`, with a word for the key"))
            elif key.value in entries:
                repeats.append((key.value, key.line))
            else:
                entries[key.value] = value
                key_lines[key.value] = key.line
        return Mapping(line, entries, key_lines, tuple(repeats), tuple(unusable))


def _unmarked(event: Event, node: Node) -> Node:
    """The node itself, unless an anchor or a tag marks it: neither acts here, nor is dropped in silence."""
    if isinstance(event, NodeEvent) and not isinstance(event, AliasEvent) and event.anchor:
        return Unusable(
            node.line, "& gives a value a name, which isn't used here", "quote it, or delete the &"
        )
    if getattr(event, "tag", None):
        return Unusable(
            node.line, "! gives a value a type, which isn't used here", "quote it, or delete the !"
        )
    return node
