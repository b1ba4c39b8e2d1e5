"""The contents of `help`: the table, for a person's roles or for one topic."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, get_args

from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Unknown
from handlers.grammar.errors import clip, shown
from handlers.grammar.request import Request
from handlers.grammar.suggest import suggestion
from handlers.grammar.table import WHO, Command, CommandTable, Entry, Task

_RANK: Final[dict[str, int]] = {role: rank for rank, role in enumerate(WHO)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Help(Command):
    """`help`, of any command. `topic` is a command's name, or what was typed after `help`."""

    topic: str | None = None


def read_help(request: Request) -> Help:
    """`/cadence help [topic]`."""
    topic = " ".join(word.key.lstrip("/") for word in request.typed.take(len(request.typed.words))).strip()
    return Help(topic=clip(topic) or None)


def help_entries(table: CommandTable, topic: str | None, roles: frozenset[str]) -> list[Entry[Any]]:
    """The commands for these roles, or those of a topic, whatever roles they require.

    Args:
        table: every command.
        topic: a command (`kpi`, `/kpi`, `team create`), a group of them (`team`), or None.
        roles: of `member`, `owner`, `curator`; everyone is a member.

    Raises:
        Unknown: no such topic; the text suggests the nearest.
    """
    wanted = " ".join((topic or "").casefold().replace("/", " ").split()).removeprefix("cadence").strip()
    if not wanted:
        most = max((_RANK.get(role, 0) for role in roles), default=0)
        return [entry for entry in table if _RANK[entry.who] <= most]
    found = table.on(wanted)
    if found:
        return found
    near = nearest(wanted, table.topics)
    if near:
        raise Unknown(
            say(
                "There's no help on {topic}. Did you mean {near}?",
                topic=shown(wanted),
                near=code(f"/cadence help {near}"),
            ),
            offer=suggestion(f"/cadence help {near}"),
        )
    raise Unknown(
        say(
            "There's no help on {topic}. See every command with {way}.",
            topic=shown(wanted),
            way=code("/cadence help"),
        ),
        offer=suggestion("/cadence help"),
    )


def by_task(entries: Iterable[Entry[Any]]) -> list[tuple[str, list[Entry[Any]]]]:
    """Entries under the headings of help, in their order; no empty ones."""
    listed = list(entries)
    grouped = [(task, [entry for entry in listed if entry.task == task]) for task in get_args(Task)]
    return [(task, found) for task, found in grouped if found]


def help_rest(table: CommandTable, roles: frozenset[str]) -> list[tuple[str, tuple[str, ...]]]:
    """The commands that these roles can't use, with who can, by role."""
    most = max((_RANK.get(role, 0) for role in roles), default=0)
    return [
        (who, tuple(entry.command for entry in table if entry.who == role))
        for role, who in WHO.items()
        if _RANK[role] > most
    ]
