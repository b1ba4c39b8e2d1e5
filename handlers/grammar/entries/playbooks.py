"""Playbooks."""

from typing import Final

from handlers.grammar import commands, read_publishing, readers
from handlers.grammar.entries.entry import Entry

ENTRIES: Final = (
    Entry(
        slash="/cadence",
        name="playbook new",
        usage="",
        summary="opens a form that leads you through a new playbook; what you fill in is kept",
        who="member",
        examples=("/cadence playbook new",),
        read=lambda _: commands.NewPlaybook(),
        bare=commands.NewPlaybook,
    ),
    Entry(
        slash="/cadence",
        name="playbook import",
        usage="",
        summary="opens the form for a playbook's YAML",
        who="owner",
        examples=("/cadence playbook import",),
        read=lambda _: commands.ImportPlaybook(),
        bare=commands.ImportPlaybook,
    ),
    Entry(
        slash="/cadence",
        name="playbook show",
        usage="[playbook]",
        summary="shows a playbook: its KPI, mode map and rubric",
        who="member",
        examples=("/cadence playbook show support-reply",),
        read=lambda request: commands.ShowPlaybook(playbook=readers.playbook_only(request)),
        bare=commands.ShowPlaybook,
    ),
    Entry(
        slash="/cadence",
        name="playbook list",
        usage="",
        summary="lists the playbooks and their states",
        who="member",
        examples=("/cadence playbook list",),
        read=lambda _: commands.ListPlaybooks(),
        bare=commands.ListPlaybooks,
    ),
    Entry(
        slash="/cadence",
        name="playbook export",
        usage="[playbook] [vN]",
        summary="gives a playbook back as the YAML it came from",
        who="member",
        examples=("/cadence playbook export support-reply", "/cadence playbook export support-reply v2"),
        read=read_publishing.export,
        bare=commands.ExportPlaybook,
    ),
)
