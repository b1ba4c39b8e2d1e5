"""Handoffs from one team to another."""

from dataclasses import dataclass
from typing import Literal

from handlers.grammar.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff(Command):
    """`/cadence handoff`. Without a `verb`, or when something is left out, it opens the form.

    Args:
        to: the receiving team's slug, for `send`; `team` is the sending one's.
        number: which handoff, for all but `send` and `show`; may be left out while only one waits.
        text: what is handed over, the note, or the reason.
    """

    verb: Literal["send", "accept", "fail", "done", "withdraw", "show"] | None = None
    playbook: str | None = None
    to: str | None = None
    number: int | None = None
    text: str | None = None
    link: str | None = None
    team: str | None = None
