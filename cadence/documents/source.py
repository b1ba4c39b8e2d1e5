"""YAML 1.2 text to plain data, with the line of every value.

The data is built from ruamel.yaml's events rather than by its loader, for three reasons: every value keeps
its line; aliases, anchors and tags are never resolved, so no file can exhaust memory or create an object; and
scalars follow the YAML 1.2 core schema exactly, so `NO` and `1:30` stay text.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

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

from cadence.documents.group import Line, Loc, path_of
from cadence.documents.problems import DocumentRefused, Problem
from cadence.documents.syntax import explain, resolve
from cadence.documents.values import NO_VALUE, WrongValueError, found, quoted

MAX_BYTES = 200_000
MAX_DEPTH = 8
_BEGIN = "begin with `playbook: a-short-name`, or with `workspace:`"


@dataclass(frozen=True, slots=True)
class Source:
    """A document: its data, the lines of its values, and problems of its keys.

    A value that YAML allows and a document doesn't, or that is missing, is a `WrongValueError`.
    """

    data: Any = None
    lines: dict[Loc, Line] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def parse(text: str) -> Source:
    """The file's keys and values.

    Raises:
        DocumentRefused: it can't be read: too large, bad syntax, too deep, empty, not a mapping.
    """
    text = text.removeprefix("\ufeff")
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise _refusal(1, f"the file has {size:,} bytes, more than {MAX_BYTES:,}", "import a smaller file")
    _refuse_tabs(text)
    source = _compose(text)
    if isinstance(source.data, dict):
        return source
    if source.data in (None, NO_VALUE):
        raise _refusal(1, "the file is empty", _BEGIN)
    reason = f"the file should be `key: value` lines, and {found(source.data)} was found"
    raise _refusal(source.lines[()].value, reason, _BEGIN)


def _refusal(line: int, reason: str, right: str) -> DocumentRefused:
    return DocumentRefused([Problem(line, "", reason, right)])


def _refuse_tabs(text: str) -> None:
    tabbed = [
        Problem(number, "", "this line is indented with a tab", "indent with spaces")
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip() and "\t" in line[: len(line) - len(line.lstrip())]
    ]
    if tabbed:
        raise DocumentRefused(tabbed)


def _compose(text: str) -> Source:
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
    except (ValueError, OverflowError) as error:  # ruamel.yaml passes an escape beyond Unicode to chr()
        reason = "an escape on this line or below isn't valid"
        raise _refusal(composer.line, reason, "write the character itself") from error


class _Composer:
    """Builds the data from events; `line` is where the last one began."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._lines: dict[Loc, Line] = {}
        self._problems: list[Problem] = []
        self.line = 1

    def document(self) -> Source:
        """The first document, or None; a second one is refused."""
        data: object = None
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if data is not None:
                    line = event.start_mark.line + 1
                    raise _refusal(line, "a second document begins here", "give each document its own file")
                data = self._value(self._next(), ())
        return Source(data, self._lines, self._problems)

    def _next(self) -> Event:
        event = next(self._events)
        self.line = event.start_mark.line + 1
        return event

    def _value(self, event: Event, loc: Loc, *, key: int = 0) -> object:
        """A value with everything in it; its line is kept, and that of its key unless it has none."""
        line = event.start_mark.line + 1
        if len(loc) >= MAX_DEPTH:
            reason = f"values are nested more than {MAX_DEPTH} levels deep"
            raise _refusal(line, reason, "keep to the groups of the examples")
        value: object
        if isinstance(event, MappingStartEvent):
            value = self._mapping(loc)
        elif isinstance(event, SequenceStartEvent):
            value = self._sequence(loc)
        elif isinstance(event, ScalarEvent):
            value = resolve(event.value) if event.style is None else event.value
        else:
            value = WrongValueError("* refers to another value", "write the value out, or quote a leading *")
        value = _unmarked(event, NO_VALUE if value is None else value)
        # A missing value has only its key's line.
        self._lines[loc] = Line(key or line, key if key and value is NO_VALUE else line)
        return value

    def _sequence(self, loc: Loc) -> list[object]:
        items: list[object] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            items.append(self._value(event, (*loc, len(items))))
        return items

    def _mapping(self, loc: Loc) -> dict[str, object]:
        entries: dict[str, object] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            line = event.start_mark.line + 1
            key = self._value(event, (*loc, ""))
            inside = key if isinstance(key, str) and key not in entries else ""
            value = self._value(self._next(), (*loc, inside), key=line)
            if "" in loc:
                continue  # inside a value whose key was already reported
            if not isinstance(key, str):
                reason = f"a key must be a word, and {found(key)} was found"
                right = "write `key: value`, with a word for the key"
                self._problems.append(Problem(line, path_of(loc), reason, right))
            elif key in entries:
                reason = f"{quoted(key)} is written twice, first on line {self._lines[*loc, key].key}"
                self._problems.append(Problem(line, path_of((*loc, key)), reason, "keep one of them"))
            else:
                entries[key] = value
        return entries


def _unmarked(event: Event, value: object) -> object:
    """The value itself, unless it has an anchor or a tag: those are neither resolved nor silently dropped."""
    if isinstance(event, NodeEvent) and not isinstance(event, AliasEvent) and event.anchor:
        return WrongValueError("& gives a value a name, which isn't used here", "quote it, or delete the &")
    if getattr(event, "tag", None):
        return WrongValueError("! gives a value a type, which isn't used here", "quote it, or delete the !")
    return value
