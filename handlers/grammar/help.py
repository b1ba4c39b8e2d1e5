"""What `help` says: the table, for the roles a person has or for one topic."""

from dataclasses import dataclass
from typing import Final

from cadence.mrkdwn import code, say
from cadence.nearest import nearest
from cadence.refusals import Unknown
from handlers.grammar.suggest import suggestion
from handlers.grammar.table import TABLE, Entry, Role
from handlers.grammar.teach import shown

_RANK: Final[dict[str, int]] = {"member": 0, "owner": 1, "curator": 2}
WHO: Final[dict[Role, str]] = {"member": "everyone", "owner": "owners and curators", "curator": "curators"}


@dataclass(frozen=True, slots=True)
class HelpEntry:
    """One command for a template; plain text.

    Args:
        command: without its arguments, `/cadence team create`.
        usage: the arguments; empty when it takes none.
        summary: one line that completes "This …".
        who: who may: everyone, owners and curators, or curators.
        examples: whole commands to type.
    """

    command: str
    usage: str
    summary: str
    who: str
    examples: tuple[str, ...]


def help_text(topic: str | None, roles: frozenset[str]) -> list[HelpEntry]:
    """The commands a person with these roles may use, or those a topic names, whoever may.

    Args:
        topic: a command (`kpi`, `/kpi`, `team create`), a group of them (`team`), or None.
        roles: of `member`, `owner`, `curator`; everyone is a member.

    Raises:
        Unknown: no such topic; the text names the nearest.
    """
    wanted = " ".join((topic or "").casefold().replace("/", " ").split()).removeprefix("cadence").strip()
    if not wanted:
        most = max((_RANK.get(role, 0) for role in roles), default=0)
        return [_shown(entry) for entry in TABLE if _RANK[entry.who] <= most]
    found = [entry for entry in TABLE if wanted in (entry.name, entry.name.split()[0])]
    if found:
        return [_shown(entry) for entry in found]
    topics = dict.fromkeys(name for entry in TABLE for name in (entry.name, entry.name.split()[0]))
    near = nearest(wanted, topics)
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
            "There's no help on {topic}. {way} lists every command.",
            topic=shown(wanted),
            way=code("/cadence help"),
        ),
        offer=suggestion("/cadence help"),
    )


def help_rest(roles: frozenset[str]) -> list[tuple[str, tuple[str, ...]]]:
    """What a person with these roles may not do: who may, and the commands, by rank."""
    most = max((_RANK.get(role, 0) for role in roles), default=0)
    return [
        (who, tuple(entry.command for entry in TABLE if entry.who == role))
        for role, who in WHO.items()
        if _RANK[role] > most
    ]


def _shown(entry: Entry) -> HelpEntry:
    return HelpEntry(entry.command, entry.usage, entry.summary, WHO[entry.who], entry.examples)
