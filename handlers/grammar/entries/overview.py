"""What stands and why."""

from typing import Final

from handlers.grammar import commands, readers
from handlers.grammar.entries.entry import Entry

ENTRIES: Final = (
    Entry(
        slash="/cadence",
        name="help",
        usage="[topic]",
        summary="lists what you can do, or explains one command",
        who="member",
        examples=("/cadence help", "/cadence help kpi"),
        read=readers.help_,
        bare=commands.Help,
    ),
    Entry(
        slash="/cadence",
        name="status",
        usage="[playbook] [team=slug]",
        summary="shows this week: gate, KPI against target, coverage, ratio against cap, verdicts",
        who="member",
        examples=("/cadence status", "/cadence status support-reply"),
        read=readers.status,
        bare=commands.Status,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="why",
        usage="<playbook> <step> [team=slug]",
        summary="shows a step's last verdicts with every number behind them",
        who="member",
        examples=("/cadence why support-reply send",),
        read=readers.why,
        bare=commands.Why,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="digest",
        usage="",
        summary="shows the weekly digest as it stands now",
        who="curator",
        examples=("/cadence digest",),
        read=lambda _: commands.Digest(),
        bare=commands.Digest,
    ),
)
