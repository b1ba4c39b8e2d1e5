"""Cycles."""

from typing import Final

from handlers.grammar import commands, read_cycles, readers
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
    Entry(
        slash="/cadence",
        name="cycle close",
        usage="<playbook> [team=slug]",
        summary="closes a cycle in its last week, before its hour",
        who="owner",
        examples=("/cadence cycle close support-reply",),
        read=read_cycles.close,
        bare=commands.CloseCycle,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="cycle pause",
        usage="<playbook> [team=slug]",
        summary="asks nothing and starts no cycle until one is started again",
        who="owner",
        examples=("/cadence cycle pause support-reply",),
        read=read_cycles.pause,
        bare=commands.PauseCycle,
        options=("team",),
    ),
)
