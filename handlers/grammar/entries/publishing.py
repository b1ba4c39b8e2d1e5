"""Versions of playbooks, and the registry."""

from typing import Final

from handlers.grammar import commands, read_publishing, readers
from handlers.grammar.entries.entry import Entry

ENTRIES: Final = (
    Entry(
        slash="/cadence",
        name="playbook revise",
        usage="[playbook]",
        summary="opens the next draft: the newest one as YAML, to be changed",
        who="owner",
        examples=("/cadence playbook revise support-reply",),
        read=lambda request: commands.RevisePlaybook(playbook=readers.playbook_only(request)),
        bare=commands.RevisePlaybook,
    ),
    Entry(
        slash="/cadence",
        name="playbook publish",
        usage="[playbook]",
        summary="publishes the newest draft as the next version, or says what is missing",
        who="owner",
        examples=("/cadence playbook publish support-reply",),
        read=lambda request: commands.PublishPlaybook(playbook=readers.playbook_only(request)),
        bare=commands.PublishPlaybook,
    ),
    Entry(
        slash="/cadence",
        name="playbook diff",
        usage="[playbook] [vN] [vM|draft]",
        summary="shows what changed between two versions, or what the draft changes",
        who="member",
        examples=("/cadence playbook diff support-reply", "/cadence playbook diff support-reply v1 v2"),
        read=read_publishing.diff,
        bare=commands.DiffPlaybook,
    ),
    Entry(
        slash="/cadence",
        name="playbook move",
        usage="<playbook> [vN|draft] [team=slug]",
        summary="moves a team to another version; its evidence counts anew",
        who="owner",
        examples=("/cadence playbook move support-reply v2 team=support-emea",),
        read=read_publishing.move,
        bare=commands.MovePlaybook,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="playbook retire",
        usage="<playbook> <reason>",
        summary="takes a playbook out of use; running cycles finish",
        who="curator",
        examples=("/cadence playbook retire support-reply the new help desk replaces it",),
        read=read_publishing.retire,
        bare=commands.RetirePlaybook,
    ),
    Entry(
        slash="/cadence",
        name="registry",
        usage="[function]",
        summary="shows the published playbooks with what each team made of them",
        who="member",
        examples=("/cadence registry", "/cadence registry support"),
        read=read_publishing.registry,
        bare=commands.Registry,
    ),
)
