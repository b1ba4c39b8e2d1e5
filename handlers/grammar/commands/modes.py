"""Modes declared by hand, and the trail."""

from dataclasses import dataclass
from datetime import date

from cadence.rules.modes import Mode
from handlers.grammar.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareMode(Command):
    """`/cadence mode`: who leads a step from now on. Opens the form when something is left out."""

    playbook: str | None = None
    step: str | None = None
    mode: Mode | None = None
    reason: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace(Command):
    """`/cadence trace`: who did what, newest first. `since` is the first day shown."""

    playbook: str | None = None
    step: str | None = None
    since: date | None = None
    team: str | None = None
