"""Cycles."""

from typing import Final

from handlers.grammar import commands, readers
from handlers.grammar.entries.entry import Entry

ENTRIES: Final = (
    Entry(
        slash="/cadence",
        name="cycle start",
        usage="<playbook> [date] [team=slug]",
        summary="starts four weeks on a Monday",
        who="owner",
        examples=(
            "/cadence cycle start support-reply next monday",
            "/cadence cycle start support-reply 2026-12-21",
        ),
        read=readers.start_cycle,
        bare=commands.StartCycle,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="cycle show",
        usage="<playbook> [date] [team=slug]",
        summary="shows a cycle: its weeks, gates and readings",
        who="member",
        examples=("/cadence cycle show support-reply",),
        read=readers.show_cycle,
        bare=commands.ShowCycle,
        options=("team",),
    ),
)
