"""What stands and why."""

from dataclasses import dataclass

from handlers.grammar.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Help(Command):
    """`help`, of any command. `topic` is a command's name, or what was typed after `help`."""

    topic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(Command):
    """`/cadence status`."""

    playbook: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Why(Command):
    """`/cadence why`: the last verdicts of a step."""

    playbook: str | None = None
    step: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest(Command):
    """`/cadence digest`: this week's so far."""
