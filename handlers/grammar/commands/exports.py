"""What was recorded, as files."""

from dataclasses import dataclass

from handlers.grammar.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Export(Command):
    """`/cadence export`: a playbook's records, or `everything` of one's own; opens the form when bare."""

    playbook: str | None = None
    everything: bool = False
