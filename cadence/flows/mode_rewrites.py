"""What shows who leads a step, once that has changed: open check-ins, and the post that opened the week."""

from datetime import datetime

from sqlmodel import Session

from cadence.flows.asked_members import expected_members
from cadence.flows.checkin_rows import CHECKIN_KINDS, key
from cadence.flows.runs import TeamRun
from storage import ledger


def rewrite_modes(
    session: Session, run: TeamRun, *, mark: str, now: datetime, correlation_id: str = ""
) -> None:
    """Owe this week's check-ins and opening post a rewrite to the modes that hold now."""
    week, where = run.week_start, run.workspace.id
    prefixes = [f"week-opens:{where}:{run.id}:{run.team.channel}:{week}"] + [
        key(kind, where, member, week)
        for member in expected_members(session, run, week_start=week)
        for kind in CHECKIN_KINDS
    ]
    ledger.owe_rewrites(
        session,
        workspace_id=where,
        messages=[
            sent
            for prefix in prefixes
            for sent in ledger.by_prefix(session, workspace_id=where, prefix=prefix)
        ],
        mark=mark,
        now=now,
        correlation_id=correlation_id,
    )
