"""What people report: numbers, check-ins, exceptions."""

from typing import Final

from handlers.grammar import commands, readers
from handlers.grammar.attest import attest
from handlers.grammar.entries.entry import Entry

ENTRIES: Final = (
    Entry(
        slash="/kpi",
        name="kpi",
        usage="[playbook] <value> [guardrail=value] [note] [week=N] [team=slug]",
        summary="records this week's number; again in the same week corrects it and keeps both",
        who="member",
        examples=(
            "/kpi support-reply 14m",
            "/kpi 1h30m two people away",
            "/kpi 92% week=2",
            "/kpi 14m CSAT=4.7",
        ),
        read=readers.kpi,
        bare=commands.Kpi,
        options=("week", "team"),
    ),
    Entry(
        slash="/attest",
        name="attest",
        usage="[playbook] as-declared|drifted|not-run [runs=N] [step=mode …] [note] [week=N] [team=slug]",
        summary="answers your check-in",
        who="member",
        examples=("/attest as-declared runs=14", "/attest drifted draft=human-led", "/attest not-run"),
        read=attest,
        bare=commands.Attest,
        options=("runs", "week", "team"),
    ),
    Entry(
        slash="/exception",
        name="exception",
        usage="[playbook] <step> [critical] <reason> [link=…] [team=slug]",
        summary="logs one run in which a step left its rule",
        who="member",
        examples=(
            "/exception send tone was off",
            "/exception support-reply send critical promised a refund",
            "/exception undo",
        ),
        read=readers.exception,
        bare=commands.LogException,
        options=("link", "team"),
    ),
)
