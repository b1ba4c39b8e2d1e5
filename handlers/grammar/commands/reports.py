"""What people report: numbers, check-ins, exceptions."""

from dataclasses import dataclass

from cadence.rules.modes import Mode
from handlers.grammar.commands.base import Command
from storage.tables.reports import Attestation


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi(Command):
    """`/kpi`: this week's number. `value` is as typed: the KPI's unit, known later, says how to read it.

    `guardrails` are (name, number) as typed.
    """

    value: str | None = None
    note: str | None = None
    guardrails: tuple[tuple[str, str], ...] = ()
    playbook: str | None = None
    team: str | None = None
    week: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attest(Command):
    """`/attest`: an answer to the check-in. `modes` are the drifted steps, each with the mode it ran in."""

    attestation: Attestation | None = None
    runs: int | None = None
    modes: tuple[tuple[str, Mode], ...] = ()
    note: str | None = None
    playbook: str | None = None
    team: str | None = None
    week: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogException(Command):
    """`/exception`: one run in which a step left its rule; `undo` takes back the last one."""

    undo: bool = False
    step: str | None = None
    critical: bool = False
    reason: str | None = None
    link: str | None = None
    playbook: str | None = None
    team: str | None = None
