"""One command, as the table holds it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from handlers.grammar.commands import Command
from handlers.grammar.request import Request

Role = Literal["member", "owner", "curator"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One command.

    Args:
        slash: the slash command, `/kpi` or `/cadence`.
        name: the words after it, or the slash command's own name: `team create`, `kpi`. Also its help topic.
        usage: its arguments; `[…]` may be left out.
        summary: one line that completes "This …".
        who: the least role that may.
        examples: whole commands; each can be typed as it stands.
        read: from the words to the command.
        bare: the command when nothing is typed after it.
        options: the names of the `name=value` it takes.
    """

    slash: str
    name: str
    usage: str
    summary: str
    who: Role
    examples: tuple[str, ...]
    read: Callable[[Request], Command]
    bare: Callable[[], Command]
    options: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """As a person types it, without arguments: `/kpi`, `/cadence team create`."""
        return self.slash if self.slash == f"/{self.name}" else f"{self.slash} {self.name}"
