"""Modes declared by hand, and the trail."""

from typing import Final

from handlers.grammar import commands, read_modes
from handlers.grammar.entries.entry import Entry

ENTRIES: Final = (
    Entry(
        slash="/cadence",
        name="mode",
        usage="<playbook> <step> <mode> <reason> [team=slug]",
        summary="declares by hand who leads a step",
        who="owner",
        examples=("/cadence mode support-reply send collaborative the replies need an editor again",),
        read=read_modes.mode,
        bare=commands.DeclareMode,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="trace",
        usage="[playbook] [step] [since] [team=slug]",
        summary="shows who did what, when and from where, newest first",
        who="member",
        examples=(
            "/cadence trace",
            "/cadence trace support-reply send",
            "/cadence trace support-reply monday",
        ),
        read=read_modes.trace,
        bare=commands.Trace,
        options=("team",),
    ),
)
