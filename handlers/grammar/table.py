"""Every command there is: what `parse` reads, what mistyped words are compared with, what `help` prints."""

from typing import Final

from handlers.grammar.entries import (
    cycles,
    exports,
    handoffs,
    modes,
    overview,
    people,
    playbooks,
    publishing,
    reports,
    spreading,
    standards,
    teams,
)
from handlers.grammar.entries.entry import Entry, Role

__all__ = ["TABLE", "Entry", "Role"]

TABLE: Final[tuple[Entry, ...]] = (
    *reports.ENTRIES,
    *overview.ENTRIES,
    *playbooks.ENTRIES,
    *publishing.ENTRIES,
    *teams.ENTRIES,
    *cycles.ENTRIES,
    *standards.ENTRIES,
    *spreading.ENTRIES,
    *handoffs.ENTRIES,
    *people.ENTRIES,
    *modes.ENTRIES,
    *exports.ENTRIES,
)
