"""Playbooks."""

from dataclasses import dataclass

from handlers.grammar.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlaybook(Command):
    """`/cadence playbook new`: opens the guided form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlaybook(Command):
    """`/cadence playbook import`: opens the form for the YAML."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowPlaybook(Command):
    """`/cadence playbook show`."""

    playbook: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPlaybooks(Command):
    """`/cadence playbook list`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPlaybook(Command):
    """`/cadence playbook export`. `number` is that of a published version, None for the newest draft."""

    playbook: str | None = None
    number: int | None = None
