"""Posts about promotions: proposed, approved, declined."""

from typing import Final

from cadence.flows.core import (
    AdoptionView,
    MessageKind,
    Skip,
    Urgency,
    adoption_by_id,
    curators_read,
    step_title,
    zone_of,
)
from cadence.flows.promotions.looks import numbers
from cadence.flows.standards import check_line
from cadence.nudges import Unless
from cadence.refusals import Refusal
from cadence.rules.modes import LADDER
from storage.queries import cycles, people, promotions
from storage.tables import OutboxMessage, Promotion, PromotionState
from storage.work import UnitOfWork
from templates.contexts.promotions import Promoted, PromotionDeclined, PromotionProposed


def _promotion(uow: UnitOfWork, message: OutboxMessage) -> tuple[AdoptionView, Promotion]:
    row = promotions.promotion(uow, promotion_id=int(message.subject["promotion"]))
    if row is None:
        raise Refusal("the promotion no longer exists")
    return adoption_by_id(uow, adoption_id=row.adoption_id), row


def proposed(uow: UnitOfWork, message: OutboxMessage) -> PromotionProposed | Skip:
    """A proposal; not sent once it is decided."""
    context = proposal(uow, message)
    return context if context.state == PromotionState.OPEN else Skip(Unless.DECIDED)


def proposal(uow: UnitOfWork, message: OutboxMessage) -> PromotionProposed:
    """A proposal, or its outcome."""
    view, row = _promotion(uow, message)
    zone = zone_of(uow, view.workspace, message.recipient)
    to_ai = row.leads_to is LADDER[-1]
    return PromotionProposed(
        promotion_id=row.id or 0,
        adoption_id=view.id,
        step_key=row.step,
        playbook=view.playbook.title,
        team=view.team.title,
        step=step_title(view, row.step),
        before=row.mode,
        after=row.leads_to or row.mode,
        numbers=numbers(row),
        owner=view.playbook.owner,
        check=check_line(uow, cycles.cycle(uow, cycle_id=row.cycle_id), step=row.step),
        state=row.state,
        curators_only=to_ai,
        approves=not to_ai or message.recipient in _curators(uow, view),
        decided_by=row.decided_by,
        decided_at=row.decided_at.astimezone(zone) if row.decided_at else None,
        reason=row.reason,
    )


def _curators(uow: UnitOfWork, view: AdoptionView) -> set[str]:
    """The curators, and where they get messages."""
    return {
        *curators_read(uow, view.workspace),
        *people.curators(uow),
    }


def promoted(uow: UnitOfWork, message: OutboxMessage) -> Promoted:
    """A step that was promoted one mode."""
    view, row = _promotion(uow, message)
    return Promoted(
        adoption_id=view.id,
        step_key=row.step,
        playbook=view.playbook.title,
        team=view.team.title,
        step=step_title(view, row.step),
        before=row.mode,
        after=row.leads_to or row.mode,
        numbers=numbers(row),
        approved_by=row.decided_by or "",
    )


def declined(uow: UnitOfWork, message: OutboxMessage) -> PromotionDeclined:
    """A proposal that was declined, and why."""
    view, row = _promotion(uow, message)
    return PromotionDeclined(
        adoption_id=view.id,
        step_key=row.step,
        playbook=view.playbook.title,
        team=view.team.title,
        step=step_title(view, row.step),
        before=row.mode,
        after=row.leads_to or row.mode,
        declined_by=row.decided_by or "",
        reason=row.reason,
    )


KINDS: Final = (
    MessageKind(
        "promotion-proposed", proposed, rewrite=proposal, urgency=Urgency.ALERT, unless=(Unless.DECIDED,)
    ),
    MessageKind("promoted", promoted, urgency=Urgency.ALERT),
    MessageKind("promotion-declined", declined, urgency=Urgency.ALERT),
)
