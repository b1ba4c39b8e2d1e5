"""The table of commands: the declaration of an entry, and the index that finds an entry by its words."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeVar

from handlers.context import RequestContext
from handlers.grammar.request import Request, Vocabulary

ROOT: Final = "/cadence"
Task = Literal[
    "This week", "Exceptions and steps", "Playbooks", "Rollout", "From one team to many", "Teams and settings"
]
"""What a command is for: the headings of help, in their order."""
Role = Literal["member", "owner", "curator"]
WHO: Final[dict[Role, str]] = {"member": "everyone", "owner": "owners and curators", "curator": "curators"}
"""Each role in words, lowest first."""


class Command:
    """A parsed command. A field that is None wasn't given: the handler infers it or opens the form."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutPlaybook(Command):
    """A command about one team's adoption of a playbook; both are slugs."""

    playbook: str | None = None
    team: str | None = None


C = TypeVar("C", bound=Command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Generic[C]):
    """One command, with everything that is said about it anywhere.

    Args:
        name: the words after the slash command, or its own name: `team create`, `kpi`. Also its help topic.
        task: what it is for: its heading in help.
        summary: one line that says what it does, as an imperative: "Report this week's KPI".
        examples: whole commands; each can be typed as it is.
        bare: the command without arguments.
        run: carries out the command.
        slash: the slash command, `/kpi` or `/cadence`.
        usage: its arguments; `[…]` is optional.
        who: the lowest role that can use it.
        read: parses its arguments; None if it has none.
        options: the names of its `name=value` options.
        mentions: the names of its options whose value is a person; the reader takes them.
        pairs: what else it reads before a `=`, in lower case: steps or guardrails.
        group: the command if only the group's name is typed, `/cadence team`; at most one entry of a group
            has it.
        words: words that select it without its name: `/cadence undo`.
        after: the command that precedes it in help, if not the one declared before it.
    """

    name: str
    task: Task
    summary: str
    examples: tuple[str, ...]
    bare: Callable[[], C]
    run: Callable[[RequestContext, C], None]
    slash: str = ROOT
    usage: str = ""
    who: Role = "member"
    read: Callable[[Request], C] | None = None
    options: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    pairs: Callable[[Vocabulary], Collection[str]] = lambda _: ()
    group: Callable[[], C] | None = None
    words: tuple[str, ...] = ()
    after: str | None = None

    @property
    def command(self) -> str:
        """As a person types it, without arguments: `/kpi`, `/cadence team create`."""
        return self.slash if self.slash == f"/{self.name}" else f"{self.slash} {self.name}"

    @property
    def whole_usage(self) -> str:
        """The command with its arguments."""
        return f"{self.command} {self.usage}".strip()


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed command, with the entry that carries it out."""

    entry: Entry[Any]
    command: Command

    def run(self, context: RequestContext) -> None:
        """Carry it out."""
        self.entry.run(context, self.command)


class CommandTable:
    """Every command, in the order in which help lists them.

    Args:
        declared: the entries of the features, one feature after the other.
    """

    def __init__(self, declared: Iterable[Entry[Any]]) -> None:
        self._entries: Final = _in_order(declared)
        self.short: Final = {entry.slash: entry for entry in self if entry.slash != ROOT}
        self.long: Final = {entry.name: entry for entry in self if entry.slash == ROOT}
        self.slashes: Final = (*self.short, ROOT)
        self.heads: Final = tuple(dict.fromkeys(name.split()[0] for name in self.long))
        self.groups: Final = {
            name.split()[0]: [each for each in self if each.name.startswith(f"{name.split()[0]} ")]
            for name in self.long
            if " " in name
        }
        """The entries of `/cadence` that share their first word."""
        self.second_words: Final = {name.split()[1]: name for name in reversed(self.long) if " " in name} | {
            word: f"{entry.name} {word}" for entry in self for word in entry.words
        }
        """The full name for a second word typed alone: `/cadence publish`."""
        self.takers: Final = defaultdict[str, list[Entry[Any]]](list)
        """The commands that take an option, by its name."""
        for entry in self:
            for option in (*entry.options, *entry.mentions):
                self.takers[option].append(entry)

    def __iter__(self) -> Iterator[Entry[Any]]:
        return iter(self._entries)

    @property
    def topics(self) -> tuple[str, ...]:
        """Topics of help: each command and each group."""
        return tuple(dict.fromkeys(name for entry in self for name in (entry.name, entry.name.split()[0])))

    def on(self, topic: str) -> list[Entry[Any]]:
        """The commands of a topic."""
        return [entry for entry in self if topic in (entry.name, entry.name.split()[0])]


def _in_order(declared: Iterable[Entry[Any]]) -> list[Entry[Any]]:
    """As declared, except that an entry with `after` follows the one it names."""
    entries = list(declared)
    ordered = [entry for entry in entries if entry.after is None]
    waiting = [entry for entry in entries if entry.after is not None]
    while waiting:
        names = [entry.name for entry in ordered]
        entry = next(entry for entry in waiting if entry.after in names)
        ordered.insert(names.index(str(entry.after)) + 1, entry)
        waiting.remove(entry)
    return ordered
