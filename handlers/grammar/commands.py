"""What a command means, once read. What is None was not said: the handler infers it or opens the form."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from cadence.rules.modes import Mode
from storage.tables.reports import Attestation


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """`/kpi`: this week's number. `value` is as typed: the KPI's unit, known later, says how to read it."""

    value: str | None = None
    note: str | None = None
    playbook: str | None = None
    team: str | None = None
    week: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attest:
    """`/attest`: an answer to the check-in. `modes` are the drifted steps, each with the mode it ran in."""

    attestation: Attestation | None = None
    runs: int | None = None
    modes: tuple[tuple[str, Mode], ...] = ()
    note: str | None = None
    playbook: str | None = None
    team: str | None = None
    week: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogException:
    """`/exception`: one run in which a step left its rule."""

    step: str | None = None
    critical: bool = False
    reason: str | None = None
    link: str | None = None
    playbook: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """`help`, of any command. `topic` is a command's name, or what was typed after `help`."""

    topic: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """`/cadence status`."""

    playbook: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """`/cadence why`: the last verdicts of a step."""

    playbook: str | None = None
    step: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlaybook:
    """`/cadence playbook import`: opens the form for the YAML."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowPlaybook:
    """`/cadence playbook show`."""

    playbook: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPlaybooks:
    """`/cadence playbook list`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPlaybook:
    """`/cadence playbook export`."""

    playbook: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTeam:
    """`/cadence team create`: the form, with what was typed in it. `team` is the slug made of the title."""

    team: str | None = None
    title: str | None = None
    channel: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinTeam:
    """`/cadence team join`. `members` are the people mentioned; empty means the person who typed."""

    team: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveTeam:
    """`/cadence team leave`. `members` are the people mentioned; empty means the person who typed."""

    team: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamMembers:
    """`/cadence team members`."""

    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """`/cadence cycle` and nothing more: the form for those who may start one, else the cycle shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCycle:
    """`/cadence cycle start`. `day` is the day it should start."""

    playbook: str | None = None
    day: date | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCycle:
    """`/cadence cycle show`. `day` is any day of the cycle meant."""

    playbook: str | None = None
    day: date | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """`/cadence digest`: this week's so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`/cadence settings`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
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
class Snooze:
    """`/cadence snooze`."""

    until: SnoozeUntil | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """`/cadence mute`, or with `off` the end of it."""

    off: bool = False


Command = (
    Kpi
    | Attest
    | LogException
    | Help
    | Status
    | Why
    | ImportPlaybook
    | ShowPlaybook
    | ListPlaybooks
    | ExportPlaybook
    | CreateTeam
    | JoinTeam
    | LeaveTeam
    | TeamMembers
    | Cycle
    | StartCycle
    | ShowCycle
    | Digest
    | Settings
    | Away
    | Snooze
    | Mute
)
