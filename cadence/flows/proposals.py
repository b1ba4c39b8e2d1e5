"""The messages that propose a promotion, and what ends a proposal before anybody decided it."""

from datetime import datetime

from sqlmodel import Session

from cadence.flows.noting import note_rule
from cadence.flows.runs import TeamRun
from storage import ledger, rubrics
from storage.tables import Promotion, PromotionState

PROPOSED = "promotion-proposed"


def proposal_key(row: Promotion) -> str:
    """What the keys of all copies of a proposal begin with."""
    return f"{PROPOSED}:{row.workspace_id}:{row.id}"


def lapse_open(session: Session, run: TeamRun, *, step: str | None = None, why: str, now: datetime) -> None:
    """End the open proposals of a step, or of all steps: they no longer fit; `why` completes "because …"."""
    for row in rubrics.open_promotions(session, workspace_id=run.workspace.id, adoption_id=run.id, step=step):
        row.state, row.reason, row.decided_at = PromotionState.LAPSED, why, now
        session.add(row)
        session.flush()
        note_rule(
            session,
            run,
            action="promotion-lapsed",
            subject=f"promotion:{row.id}",
            now=now,
            before=PromotionState.OPEN,
            after={"state": row.state, "why": why},
        )
        rewrite_proposal(session, row, now=now)


def reopen(session: Session, run: TeamRun, *, step: str, lapsed_at: datetime, now: datetime) -> None:
    """Open the proposal of a step again that lapsed with a change of mode which was taken back since."""
    for row in rubrics.lapsed_promotions(
        session, workspace_id=run.workspace.id, adoption_id=run.id, step=step, lapsed_at=lapsed_at
    ):
        row.state, row.reason, row.decided_at = PromotionState.OPEN, "", None
        session.add(row)
        session.flush()
        note_rule(
            session,
            run,
            action="promotion-reopened",
            subject=f"promotion:{row.id}",
            now=now,
            before=PromotionState.LAPSED,
            after={"state": row.state, "why": "the demotion was taken back"},
        )
        rewrite_proposal(session, row, now=now)


def rewrite_proposal(session: Session, row: Promotion, *, now: datetime, correlation_id: str = "") -> None:
    """Owe every copy of a proposal, and the closing post that names it, a rewrite to what became of it."""
    copies = [
        sent
        for prefix in (proposal_key(row), f"cycle-closed:{row.workspace_id}:{row.cycle_id}")
        for sent in ledger.by_prefix(session, workspace_id=row.workspace_id, prefix=prefix)
    ]
    ledger.owe_rewrites(
        session,
        workspace_id=row.workspace_id,
        messages=copies,
        mark=f"promotion:{row.id}:{row.state}:{now.timestamp():.0f}",
        now=now,
        correlation_id=correlation_id,
    )
