"""Approve or decline a proposed promotion: only a person promotes (SPEC §5, §8)."""

from cadence.documents import Step
from cadence.flows.core import (
    TeamRun,
    curators_read,
    current_modes,
    lapse_open,
    mode_of,
    note,
    once,
    require_curator,
    require_owner_or_curator,
    rewrite_proposal,
    run_by_id,
    tell,
    zone_of,
)
from cadence.flows.promotions.proposing import rubric_in_force
from cadence.flows.standards import set_mode
from cadence.mrkdwn import mention, say
from cadence.refusals import Refusal
from cadence.rules.modes import LADDER, Mode
from storage.queries import playbooks, rubrics
from storage.tables import Promotion, PromotionState
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.promotions import DeclineForm
from templates.filters import MODE_WORDS, day

GONE = "This proposal isn't there any more. `/cadence why` shows how the step stands."


@once
def approve(uow: UnitOfWork, *, promotion_id: int) -> Done:
    """Promote a step as it was proposed. A second click changes nothing and says what was decided.

    Raises:
        Refusal: no such proposal.
        NotAllowed: to collaborative the owner or a curator may, to AI-led only a curator.
    """
    with uow.write():
        run, row, leads_to = _proposal(uow, promotion_id)
        if leads_to is LADDER[-1]:
            require_curator(uow, to="approve a promotion to AI-led")
        else:
            require_owner_or_curator(uow, owner=run.playbook.owner, to="approve this promotion")
        settled = _settled(uow, run, row)
        if settled is not None:
            return settled
        step = run.step(row.step)
        _decide(uow, row, PromotionState.APPROVED, reason="")
        set_mode(
            uow,
            run,
            step,
            mode=leads_to,
            kind="promotion",
            reason=f"{row.passes} of {row.samples} samples passed",
            verdict_id=None,
            promotion_id=row.id,
            member=uow.actor.member,
            surface=uow.actor.surface,
        )
        told = [run.team.channel, *curators_read(uow, run.workspace)]
        _tell(uow, run, row, kind="promoted", recipients=told)
        return Done(
            text=say(
                "{step} is {mode} from now on. The team and the curators are told.",
                step=step.title,
                mode=MODE_WORDS[leads_to],
            )
        )


@once
def decline(uow: UnitOfWork, *, promotion_id: int, reason: str) -> Done:
    """Leave a step in its mode, and say why. A second click changes nothing and says what was decided.

    Raises:
        Refusal: no such proposal, or no reason.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.write():
        run, row, _ = _proposal(uow, promotion_id)
        require_owner_or_curator(uow, owner=run.playbook.owner, to="decline this promotion")
        settled = _settled(uow, run, row)
        if settled is not None:
            return settled
        if not reason.strip():
            raise Refusal(
                "Say in a sentence why not, so that the owner knows what to work on.", field="reason"
            )
        _decide(uow, row, PromotionState.DECLINED, reason=reason.strip())
        told = [run.playbook.owner, *curators_read(uow, run.workspace)]
        others = [one for one in told if one != uow.actor.member]
        _tell(uow, run, row, kind="promotion-declined", recipients=others)
        return Done(
            text=say(
                "{step} stays {mode}. It is looked at again when the next cycle closes.",
                step=run.step(row.step).title,
                mode=MODE_WORDS[row.mode],
            )
        )


def decline_form(uow: UnitOfWork, *, promotion_id: int) -> DeclineForm | Done:
    """The form that asks why not; what was decided already, when it was.

    Raises:
        Refusal: no such proposal.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.write():
        run, row, leads_to = _proposal(uow, promotion_id)
        require_owner_or_curator(uow, owner=run.playbook.owner, to="decline this promotion")
        settled = _settled(uow, run, row)
        if settled is not None:
            return settled
        return DeclineForm(
            playbook=run.playbook.title,
            team=run.team.title,
            step=run.step(row.step).title,
            before=row.mode,
            after=leads_to,
        )


def _proposal(uow: UnitOfWork, promotion_id: int) -> tuple[TeamRun, Promotion, Mode]:
    row = rubrics.promotion(uow, promotion_id=promotion_id)
    if row is None or row.leads_to is None:
        raise Refusal(GONE)
    playbooks.lock_adoption(uow, adoption_id=row.adoption_id)
    uow.session.refresh(row)
    run = run_by_id(uow, adoption_id=row.adoption_id)
    return run, row, row.leads_to


def _settled(uow: UnitOfWork, run: TeamRun, row: Promotion) -> Done | None:
    """What became of a proposal; None while it waits. One that no longer fits lapses here."""
    step = run.spec.step(row.step)
    if row.state is PromotionState.OPEN and (step is None or not _fits(uow, run, step, row)):
        lapse_open(uow, run, step=row.step, why="the step has changed since")
    title = step.title if step else row.step
    at = row.decided_at
    on = day(at.astimezone(zone_of(uow, run.workspace, uow.actor.member)).date()) if at else ""
    match row.state:
        case PromotionState.OPEN:
            return None
        case PromotionState.APPROVED | PromotionState.DECLINED:
            return Done(
                text=say(
                    "{who} {did} this on {on}; nothing was changed.",
                    who=mention(row.decided_by or ""),
                    did=row.state,
                    on=on,
                )
            )
        case PromotionState.LAPSED:
            return Done(
                text=say(
                    "This proposal for {step} lapsed on {on}: {why}. Nothing was changed.",
                    step=title,
                    on=on,
                    why=row.reason,
                )
            )
        case _:
            raise Refusal(GONE)


def _fits(uow: UnitOfWork, run: TeamRun, step: Step, row: Promotion) -> bool:
    mode = mode_of(current_modes(uow, run), step)
    return mode is row.mode and rubric_in_force(uow, run, step) == row.evidence.get("rubric_revision")


def _decide(uow: UnitOfWork, row: Promotion, state: PromotionState, *, reason: str) -> None:
    row.state, row.reason, row.decided_by, row.decided_at = state, reason, uow.actor.member, uow.now
    uow.session.add(row)
    uow.session.flush()
    note(
        uow,
        action=f"promotion-{state}",
        subject=f"promotion:{row.id}",
        before=PromotionState.OPEN,
        after={"state": state, "step": row.step, "reason": reason},
    )
    rewrite_proposal(uow, row)


def _tell(uow: UnitOfWork, run: TeamRun, row: Promotion, *, kind: str, recipients: list[str]) -> None:
    tell(
        uow,
        run.workspace,
        recipients,
        kind=kind,
        slot=row.id,
        subject={"promotion": row.id, "adoption": run.id},
    )
