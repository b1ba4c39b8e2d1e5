"""Approve or decline a proposed promotion: only a person promotes (SPEC §5, §8)."""

from cadence.documents import Step
from cadence.flows.core import (
    AdoptionView,
    adoption_by_id,
    curators_read,
    current_modes,
    lapse_open,
    mode_of,
    once,
    require_curator,
    require_owner_or_curator,
    rewrite_proposal,
    step_title,
    tell,
    who_did,
    zone_of,
)
from cadence.flows.promotions.proposing import rubric_in_force
from cadence.flows.standards import change_back, set_mode
from cadence.mrkdwn import say
from cadence.refusals import Refusal
from cadence.rules.modes import LADDER, Mode
from cadence.rules.modes import WORDS as MODE_WORDS
from storage.queries import adoptions, promotions
from storage.tables import Promotion, PromotionState
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.promotions import DeclineForm
from templates.filters import day

GONE = "This proposal no longer exists. `/cadence why` shows where the step is now."


@once
def approve(uow: UnitOfWork, *, promotion_id: int) -> Done:
    """Promote a step as proposed. A second click changes nothing and shows the decision.

    Raises:
        Refusal: no such proposal. NotAllowed: to collaborative the owner or a curator can, to AI-led only a
        curator.
    """
    with uow.write():
        view, row, leads_to = _proposal(uow, promotion_id)
        if leads_to is LADDER[-1]:
            require_curator(uow, to="approve a promotion to AI-led")
        else:
            require_owner_or_curator(uow, playbook=view.playbook, to="approve this promotion")
        settled = _settled(uow, view, row)
        if settled is not None:
            return settled
        step = view.step(row.step)
        _decide(uow, row, PromotionState.APPROVED, reason="")
        set_mode(
            uow,
            view,
            step,
            mode=leads_to,
            kind="promotion",
            reason=f"{row.passes} of {row.samples} samples passed",
            promotion_id=row.id,
        )
        told = [view.team.channel, *curators_read(uow, view.workspace)]
        _tell(uow, view, row, kind="promoted", recipients=told)
        return Done(
            text=say(
                "“{step}” is now {mode}. Team and curators notified.",
                step=step.title,
                mode=MODE_WORDS[leads_to],
            ),
            offers=change_back(uow, view, step, row.mode),
        )


@once
def decline(uow: UnitOfWork, *, promotion_id: int, reason: str) -> Done:
    """Leave a step in its mode, with a reason. A second click changes nothing and shows the decision.

    Raises:
        Refusal: no such proposal, or no reason.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.write():
        view, row, _ = _proposal(uow, promotion_id)
        require_owner_or_curator(uow, playbook=view.playbook, to="decline this promotion")
        settled = _settled(uow, view, row)
        if settled is not None:
            return settled
        if not reason.strip():
            raise Refusal("Add a sentence on why not, so the owner knows what to work on.", field="reason")
        _decide(uow, row, PromotionState.DECLINED, reason=reason.strip())
        told = [view.playbook.owner, *curators_read(uow, view.workspace)]
        others = [one for one in told if one != uow.actor.member]
        _tell(uow, view, row, kind="promotion-declined", recipients=others)
        return Done(
            text=say(
                "“{step}” stays {mode}. We'll check again when the next cycle closes.",
                step=view.step(row.step).title,
                mode=MODE_WORDS[row.mode],
            )
        )


def decline_form(uow: UnitOfWork, *, promotion_id: int) -> DeclineForm | Done:
    """The form that asks for the reason; the decision, if there already is one.

    Raises:
        Refusal: no such proposal.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.write():
        view, row, leads_to = _proposal(uow, promotion_id)
        require_owner_or_curator(uow, playbook=view.playbook, to="decline this promotion")
        settled = _settled(uow, view, row)
        if settled is not None:
            return settled
        return DeclineForm(
            playbook=view.playbook.title,
            team=view.team.title,
            step=view.step(row.step).title,
            before=row.mode,
            after=leads_to,
        )


def _proposal(uow: UnitOfWork, promotion_id: int) -> tuple[AdoptionView, Promotion, Mode]:
    row = promotions.promotion(uow, promotion_id=promotion_id)
    if row is None or row.leads_to is None:
        raise Refusal(GONE)
    adoptions.lock_adoption(uow, adoption_id=row.adoption_id)
    uow.session.refresh(row)
    view = adoption_by_id(uow, adoption_id=row.adoption_id)
    return view, row, row.leads_to


def _settled(uow: UnitOfWork, view: AdoptionView, row: Promotion) -> Done | None:
    """The outcome of a proposal; None while it is undecided. An obsolete one lapses here."""
    step = view.spec.step(row.step)
    if row.state is PromotionState.OPEN and (step is None or not _fits(uow, view, step, row)):
        lapse_open(uow, view, step=row.step, why="the step has changed since")
    at = row.decided_at
    on = day(at.astimezone(zone_of(uow, view.workspace, uow.actor.member)).date()) if at else ""
    match row.state:
        case PromotionState.OPEN:
            return None
        case PromotionState.APPROVED | PromotionState.DECLINED:
            return Done(
                text=say(
                    "{who} {did} this on {on}. Nothing changed.",
                    who=who_did(uow, row.decided_by),
                    did=row.state,
                    on=on,
                )
            )
        case PromotionState.LAPSED:
            return Done(
                text=say(
                    "This proposal for “{step}” expired on {on}: {why}. Nothing changed.",
                    step=step_title(view, row.step),
                    on=on,
                    why=row.reason,
                )
            )
        case _:
            raise Refusal(GONE)


def _fits(uow: UnitOfWork, view: AdoptionView, step: Step, row: Promotion) -> bool:
    mode = mode_of(current_modes(uow, view), step)
    return mode is row.mode and rubric_in_force(uow, view, step) == row.evidence.get("rubric_revision")


def _decide(uow: UnitOfWork, row: Promotion, state: PromotionState, *, reason: str) -> None:
    row.state, row.reason, row.decided_by, row.decided_at = state, reason, uow.actor.member, uow.now
    uow.session.add(row)
    uow.session.flush()
    uow.record(
        action=f"promotion-{state}",
        subject=f"promotion:{row.id}",
        before=PromotionState.OPEN,
        after={"state": state, "step": row.step, "reason": reason},
    )
    rewrite_proposal(uow, row)


def _tell(uow: UnitOfWork, view: AdoptionView, row: Promotion, *, kind: str, recipients: list[str]) -> None:
    tell(
        uow,
        recipients,
        kind=kind,
        slot=row.id,
        subject={"promotion": row.id, "adoption": view.id},
    )
