"""From one team to the next."""

from typing import Final

from handlers.grammar import commands, read_spreading
from handlers.grammar.entries.entry import Entry

ENTRIES: Final = (
    Entry(
        slash="/cadence",
        name="adopt",
        usage="<playbook> [#channel] [champion=@x] [team=slug]",
        summary="brings a playbook to another team, and starts its checklist there",
        who="owner",
        examples=("/cadence adopt support-reply team=support-us",),
        read=read_spreading.adopt,
        bare=commands.Adopt,
        options=("team",),
    ),
    Entry(
        slash="/cadence",
        name="learn",
        usage="<playbook> <text> [team=slug]",
        summary="keeps a lesson with the playbook; the next team reads it at setup",
        who="member",
        examples=("/cadence learn support-reply Load the policy file before the first draft",),
        read=read_spreading.learn,
        bare=commands.Learn,
        options=("team",),
    ),
)
