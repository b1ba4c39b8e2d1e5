"""Approve or decline a proposed promotion: only a person promotes (SPEC §5, §8)."""

from datetime import datetime

from sqlmodel import Session

from cadence.documents import Step
from cadence.flows.announcing import curators_read, tell
from cadence.flows.callers import Caller, require_curator, require_owner_or_curator
from cadence.flows.noting import note
from cadence.flows.people import zone_of
from cadence.flows.promotion_evidence import rubric_in_force
from cadence.flows.proposals import lapse_open, rewrite_proposal
from cadence.flows.repeats import once
from cadence.flows.runs import TeamRun, current_modes, mode_of, run_by_id
from cadence.flows.windows import set_mode
from cadence.mrkdwn import mention, say
from cadence.refusals import Refusal
from cadence.rules.modes import LADDER, Mode
from storage import playbooks, rubrics
from storage.engine import Database
from storage.tables import Promotion, PromotionState
from templates.contexts.answers import Done
from templates.contexts.promotions import DeclineForm
from templates.filters import MODE_WORDS, day

GONE = "This proposal isn't there any more. `/cadence why` shows how the step stands."


@once
def approve(db: Database, caller: Caller, *, promotion_id: int, now: datetime) -> Done:
    """Promote a step as it was proposed. A second click changes nothing and says what was decided.

    Raises:
        Refusal: no such proposal.
        NotAllowed: to collaborative the owner or a curator may, to AI-led only a curator.
    """
    with db.write() as session:
        run, row, leads_to = _proposal(session, caller, promotion_id, now=now)
        if leads_to is LADDER[-1]:
            require_curator(session, caller, to="approve a promotion to AI-led")
        else:
            require_owner_or_curator(session, caller, owner=run.playbook.owner, to="approve this promotion")
        settled = _settled(session, caller, run, row, now=now)
        if settled is not None:
            return settled
        step = run.step(row.step)
        _decide(session, caller, row, PromotionState.APPROVED, reason="", now=now)
        set_mode(
            session,
            run,
            step,
            mode=leads_to,
            kind="promotion",
            reason=f"{row.passes} of {row.samples} samples passed",
            verdict_id=None,
            promotion_id=row.id,
            member=caller.member,
            surface=caller.surface,
            correlation_id=caller.request,
            now=now,
        )
        told = [run.team.channel, *curators_read(session, run.workspace)]
        _tell(session, caller, run, row, kind="promoted", recipients=told, now=now)
        return Done(
            text=say(
                "{step} is {mode} from now on. The team and the curators are told.",
                step=step.title,
                mode=MODE_WORDS[leads_to],
            )
        )


@once
def decline(db: Database, caller: Caller, *, promotion_id: int, reason: str, now: datetime) -> Done:
    """Leave a step in its mode, and say why. A second click changes nothing and says what was decided.

    Raises:
        Refusal: no such proposal, or no reason.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with db.write() as session:
        run, row, _ = _proposal(session, caller, promotion_id, now=now)
        require_owner_or_curator(session, caller, owner=run.playbook.owner, to="decline this promotion")
        settled = _settled(session, caller, run, row, now=now)
        if settled is not None:
            return settled
        if not reason.strip():
            raise Refusal(
                "Say in a sentence why not, so that the owner knows what to work on.", field="reason"
            )
        _decide(session, caller, row, PromotionState.DECLINED, reason=reason.strip(), now=now)
        told = [run.playbook.owner, *curators_read(session, run.workspace)]
        others = [one for one in told if one != caller.member]
        _tell(session, caller, run, row, kind="promotion-declined", recipients=others, now=now)
        return Done(
            text=say(
                "{step} stays {mode}. It is looked at again when the next cycle closes.",
                step=run.step(row.step).title,
                mode=MODE_WORDS[row.mode],
            )
        )


def decline_form(db: Database, caller: Caller, *, promotion_id: int, now: datetime) -> DeclineForm | Done:
    """The form that asks why not; what was decided already, when it was.

    Raises:
        Refusal: no such proposal.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with db.write() as session:
        run, row, leads_to = _proposal(session, caller, promotion_id, now=now)
        require_owner_or_curator(session, caller, owner=run.playbook.owner, to="decline this promotion")
        settled = _settled(session, caller, run, row, now=now)
        if settled is not None:
            return settled
        return DeclineForm(
            playbook=run.playbook.title,
            team=run.team.title,
            step=run.step(row.step).title,
            before=row.mode,
            after=leads_to,
        )


def _proposal(
    session: Session, caller: Caller, promotion_id: int, *, now: datetime
) -> tuple[TeamRun, Promotion, Mode]:
    row = rubrics.promotion(session, workspace_id=caller.workspace_id, promotion_id=promotion_id)
    if row is None or row.leads_to is None:
        raise Refusal(GONE)
    playbooks.lock_adoption(session, workspace_id=caller.workspace_id, adoption_id=row.adoption_id)
    session.refresh(row)
    run = run_by_id(session, workspace_id=caller.workspace_id, adoption_id=row.adoption_id, now=now)
    return run, row, row.leads_to


def _settled(session: Session, caller: Caller, run: TeamRun, row: Promotion, *, now: datetime) -> Done | None:
    """What became of a proposal; None while it waits. One that no longer fits lapses here."""
    step = run.spec.step(row.step)
    if row.state is PromotionState.OPEN and (step is None or not _fits(session, run, step, row)):
        lapse_open(session, run, step=row.step, why="the step has changed since", now=now)
    title = step.title if step else row.step
    at = row.decided_at
    on = day(at.astimezone(zone_of(session, run.workspace, caller.member)).date()) if at else ""
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


def _fits(session: Session, run: TeamRun, step: Step, row: Promotion) -> bool:
    mode = mode_of(current_modes(session, run), step)
    return mode is row.mode and rubric_in_force(session, run, step) == row.evidence.get("rubric_revision")


def _decide(
    session: Session, caller: Caller, row: Promotion, state: PromotionState, *, reason: str, now: datetime
) -> None:
    row.state, row.reason, row.decided_by, row.decided_at = state, reason, caller.member, now
    session.add(row)
    session.flush()
    note(
        session,
        caller,
        action=f"promotion-{state}",
        subject=f"promotion:{row.id}",
        before=PromotionState.OPEN,
        after={"state": state, "step": row.step, "reason": reason},
        now=now,
    )
    rewrite_proposal(session, row, now=now, correlation_id=caller.request)


def _tell(
    session: Session,
    caller: Caller,
    run: TeamRun,
    row: Promotion,
    *,
    kind: str,
    recipients: list[str],
    now: datetime,
) -> None:
    tell(
        session,
        run.workspace,
        recipients,
        kind=kind,
        slot=row.id,
        subject={"promotion": row.id, "adoption": run.id},
        now=now,
        correlation_id=caller.request,
    )
