"""Rewrite proposed promotions, and end proposals before a decision."""

from datetime import datetime

from cadence.flows.core.adoptions import AdoptionView
from cadence.flows.core.digest_posts import rewrite_digest
from storage.queries import promotions
from storage.tables import Promotion, PromotionState
from storage.work import UnitOfWork

PROPOSED = "promotion-proposed"


def lapse_open(uow: UnitOfWork, view: AdoptionView, *, step: str | None = None, why: str) -> None:
    """End the undecided proposals of a step, or of all steps; `why` completes "because …"."""
    for row in promotions.open_promotions(uow, adoption_id=view.id, step=step):
        row.state, row.reason, row.decided_at = PromotionState.LAPSED, why, uow.now
        uow.session.add(row)
        uow.session.flush()
        uow.record(
            surface="rule",
            action="promotion-lapsed",
            subject=f"promotion:{row.id}",
            before=PromotionState.OPEN,
            after={"state": row.state, "why": why},
        )
        rewrite_proposal(uow, row)


def reopen(uow: UnitOfWork, view: AdoptionView, *, step: str, lapsed_at: datetime) -> None:
    """Reopen a step's proposal that lapsed with a mode change which was reversed since."""
    for row in promotions.lapsed_promotions(uow, adoption_id=view.id, step=step, lapsed_at=lapsed_at):
        row.state, row.reason, row.decided_at = PromotionState.OPEN, "", None
        uow.session.add(row)
        uow.session.flush()
        uow.record(
            surface="rule",
            action="promotion-reopened",
            subject=f"promotion:{row.id}",
            before=PromotionState.LAPSED,
            after={"state": row.state, "why": "the demotion was undone"},
        )
        rewrite_proposal(uow, row)


def rewrite_proposal(uow: UnitOfWork, row: Promotion) -> None:
    """Rewrite every copy of a proposal, and the closing post and the digest that name it, with its current state."""
    mark = f"promotion:{row.id}:{row.state}:{uow.now.timestamp():.0f}"
    uow.rewrite(PROPOSED, row.id, mark=mark)
    uow.rewrite("cycle-closed", row.cycle_id, mark=mark)
    rewrite_digest(uow, mark=mark)
