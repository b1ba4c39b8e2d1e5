"""What was recorded, as files."""

from typing import Final

from handlers.grammar import commands, read_exports
from handlers.grammar.entries.entry import Entry

ENTRIES: Final = (
    Entry(
        slash="/cadence",
        name="export",
        usage="[playbook|all]",
        summary="sends you what was recorded as CSV files, with the playbooks as YAML",
        who="owner",
        examples=("/cadence export support-reply", "/cadence export all"),
        read=read_exports.export,
        bare=commands.Export,
    ),
)
