"""The message that asks for a missing number, once the number is in."""

from datetime import date, datetime

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.runs import TeamRun
from storage import ledger
from storage.ledger import Owed
from storage.tables import MessageState

_KIND = "kpi-missing"


def rewrite_missing_number(
    session: Session, caller: Caller, run: TeamRun, *, week_start: date, mark: str, now: datetime
) -> None:
    """Owe a rewrite of each message that asked for this week's number, so that none asks for what is there.

    `mark` tells one reading from the next: each rewrites the message once.
    """
    asked = [
        sent
        for sent in ledger.briefs_by_prefix(
            session, workspace_id=run.workspace.id, prefix=f"{_KIND}:{run.workspace.id}:{run.id}"
        )
        if f":{week_start}" in sent.key and sent.state is MessageState.SENT and sent.replaces_id is None
    ]
    ledger.owe(
        session,
        workspace_id=run.workspace.id,
        owed=[
            Owed(
                key=f"rewrite:{sent.id}:reading:{mark}",
                kind="rewrite",
                recipient=sent.recipient,
                subject=sent.subject | {"kind": sent.kind},
                due_at=now,
                replaces_id=sent.id,
            )
            for sent in asked
        ],
        now=now,
        correlation_id=caller.request,
    )
