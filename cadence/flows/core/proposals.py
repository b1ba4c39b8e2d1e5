"""The messages that propose a promotion, and what ends a proposal before anybody decided it."""

from datetime import datetime

from cadence.flows.core.adoptions import TeamRun
from cadence.flows.core.trail import note_rule
from storage.outbox import ledger
from storage.queries import rubrics
from storage.tables import Promotion, PromotionState
from storage.work import UnitOfWork

PROPOSED = "promotion-proposed"


def proposal_key(row: Promotion) -> str:
    """What the keys of all copies of a proposal begin with."""
    return f"{PROPOSED}:{row.workspace_id}:{row.id}"


def lapse_open(uow: UnitOfWork, run: TeamRun, *, step: str | None = None, why: str) -> None:
    """End the open proposals of a step, or of all steps: they no longer fit; `why` completes "because …"."""
    for row in rubrics.open_promotions(uow, adoption_id=run.id, step=step):
        row.state, row.reason, row.decided_at = PromotionState.LAPSED, why, uow.now
        uow.session.add(row)
        uow.session.flush()
        note_rule(
            uow,
            action="promotion-lapsed",
            subject=f"promotion:{row.id}",
            before=PromotionState.OPEN,
            after={"state": row.state, "why": why},
        )
        rewrite_proposal(uow, row)


def reopen(uow: UnitOfWork, run: TeamRun, *, step: str, lapsed_at: datetime) -> None:
    """Open the proposal of a step again that lapsed with a change of mode which was taken back since."""
    for row in rubrics.lapsed_promotions(uow, adoption_id=run.id, step=step, lapsed_at=lapsed_at):
        row.state, row.reason, row.decided_at = PromotionState.OPEN, "", None
        uow.session.add(row)
        uow.session.flush()
        note_rule(
            uow,
            action="promotion-reopened",
            subject=f"promotion:{row.id}",
            before=PromotionState.LAPSED,
            after={"state": row.state, "why": "the demotion was taken back"},
        )
        rewrite_proposal(uow, row)


def rewrite_proposal(uow: UnitOfWork, row: Promotion) -> None:
    """Owe every copy of a proposal, and the closing post that names it, a rewrite to what became of it."""
    copies = [
        sent
        for prefix in (proposal_key(row), f"cycle-closed:{row.workspace_id}:{row.cycle_id}")
        for sent in ledger.by_prefix(uow, prefix=prefix)
    ]
    ledger.owe_rewrites(
        uow, messages=copies, mark=f"promotion:{row.id}:{row.state}:{uow.now.timestamp():.0f}"
    )
