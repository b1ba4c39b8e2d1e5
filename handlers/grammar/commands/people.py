"""People's own nudges, and the workspace's settings."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from handlers.grammar.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Command):
    """`/cadence settings`: the workspace's; with a playbook, those of a team that runs it."""

    playbook: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Away(Command):
    """`/cadence away`. `until` is the last day away; `start` is None for "from now". `off` ends it."""

    start: date | None = None
    until: date | None = None
    off: bool = False
    member: str | None = None


class SnoozeUntil(StrEnum):
    """How long one's own check-in waits."""

    HOUR = "hour"
    TOMORROW = "tomorrow"
    FRIDAY = "friday"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze(Command):
    """`/cadence snooze`."""

    until: SnoozeUntil | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute(Command):
    """`/cadence mute`, or with `off` the end of it."""

    off: bool = False
