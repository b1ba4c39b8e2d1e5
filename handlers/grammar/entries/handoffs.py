"""Handoffs from one team to another."""

from typing import Final

from handlers.grammar import commands, read_handoffs
from handlers.grammar.entries.entry import Entry

ENTRIES: Final = (
    Entry(
        slash="/cadence",
        name="handoff",
        usage="[playbook] send <team> <what> | accept [#id] [note] | fail [#id] <reason> | done [#id] [note] | "
        "withdraw [#id] [reason] | show [team=slug] [link=…]",
        summary="hands work to another team under the playbook's contract, takes it, is done with it or withdraws it",
        who="member",
        examples=(
            "/cadence handoff support-reply send billing refund for case 4711",
            "/cadence handoff accept #12",
            "/cadence handoff fail #12 the invoice number is missing",
            "/cadence handoff done #12",
            "/cadence handoff withdraw #13",
            "/cadence handoff show",
        ),
        read=read_handoffs.handoff,
        bare=commands.Handoff,
        options=("team", "link"),
    ),
)
