"""Cycles."""

from dataclasses import dataclass
from datetime import date

from handlers.grammar.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle(Command):
    """`/cadence cycle` and nothing more: the form for those who may start one, else the cycle shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCycle(Command):
    """`/cadence cycle start`. `day` is the day it should start."""

    playbook: str | None = None
    day: date | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCycle(Command):
    """`/cadence cycle show`. `day` is any day of the cycle meant."""

    playbook: str | None = None
    day: date | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseCycle(Command):
    """`/cadence cycle close`."""

    playbook: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseCycle(Command):
    """`/cadence cycle pause`."""

    playbook: str | None = None
    team: str | None = None
