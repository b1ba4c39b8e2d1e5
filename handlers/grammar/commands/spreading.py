"""From one team to the next."""

from dataclasses import dataclass

from handlers.grammar.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt(Command):
    """`/cadence adopt`. The team is the one of `channel`, or the one named; `champion` is a Slack member ID."""

    playbook: str | None = None
    channel: str | None = None
    team: str | None = None
    champion: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Learn(Command):
    """`/cadence learn`. `text` is the lesson."""

    playbook: str | None = None
    text: str | None = None
    team: str | None = None
