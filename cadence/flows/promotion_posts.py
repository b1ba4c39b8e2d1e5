"""What people read of a promotion, off the stored row, so that it never changes."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.announcing import curators_read
from cadence.flows.composed import Composed, Say, Skip
from cadence.flows.people import zone_of
from cadence.flows.promotion_words import unmet_words
from cadence.flows.promotions import judge_again
from cadence.flows.runs import TeamRun, run_by_id
from cadence.nudges import Unless
from cadence.refusals import Refusal
from cadence.rules.kpi import Outcome
from cadence.rules.modes import LADDER
from storage import people, rubrics
from storage.tables import OwedMessage, Promotion, PromotionState
from templates.contexts.promotions import (
    CycleLooked,
    Promoted,
    PromotionDeclined,
    PromotionLooked,
    PromotionNumbers,
    PromotionProposed,
)


def _promotion(session: Session, message: OwedMessage, now: datetime) -> tuple[TeamRun, Promotion]:
    row = rubrics.promotion(
        session, workspace_id=message.workspace_id, promotion_id=int(message.subject["promotion"])
    )
    if row is None:
        raise Refusal("the promotion isn't there")
    return run_by_id(session, workspace_id=message.workspace_id, adoption_id=row.adoption_id, now=now), row


def proposed(session: Session, message: OwedMessage, now: datetime) -> Composed:
    """A proposal; not sent once it is decided."""
    context = proposal(session, message, now)
    return Say(context) if context.state == PromotionState.OPEN else Skip(Unless.DECIDED)


def proposal(session: Session, message: OwedMessage, now: datetime) -> PromotionProposed:
    """A proposal, or what became of it."""
    run, row = _promotion(session, message, now)
    zone = zone_of(session, run.workspace, message.recipient)
    to_ai = row.leads_to is LADDER[-1]
    return PromotionProposed(
        promotion_id=row.id or 0,
        adoption_id=run.id,
        step_key=row.step,
        playbook=run.playbook.title,
        team=run.team.title,
        step=_title(run, row),
        before=row.mode,
        after=row.leads_to or row.mode,
        numbers=numbers(row),
        owner=run.playbook.owner,
        state=row.state,
        curators_only=to_ai,
        approves=not to_ai or message.recipient in _curators(session, run),
        decided_by=row.decided_by,
        decided_at=row.decided_at.astimezone(zone) if row.decided_at else None,
        reason=row.reason,
    )


def _curators(session: Session, run: TeamRun) -> set[str]:
    """The curators, and where they read."""
    return {
        *curators_read(session, run.workspace),
        *people.curators(session, workspace_id=run.workspace.id),
    }


def _title(run: TeamRun, row: Promotion) -> str:
    step = run.spec.step(row.step)
    return step.title if step else row.step


def numbers(row: Promotion) -> PromotionNumbers:
    """What a stored look at a promotion rests on."""
    verdict, kept = judge_again(row), row.evidence
    return PromotionNumbers(
        cycles=len(verdict.cycles),
        samples=verdict.samples,
        passes=verdict.passes,
        risky=verdict.risky,
        bound=verdict.bound if verdict.samples else 0.0,
        accuracy=verdict.policy.accuracy,
        max_risk=verdict.policy.max_risk,
        confidence=verdict.policy.confidence,
        exceptions=kept.get("exceptions", 0),
        runs=kept.get("runs", 0),
        cap=kept.get("cap", 0.0),
        answered=sum(one.answered for one in verdict.cycles),
        expected=sum(one.expected for one in verdict.cycles),
        kpi_met=sum(one.kpi is Outcome.MET for one in verdict.cycles),
    )


def promoted(session: Session, message: OwedMessage, now: datetime) -> Promoted:
    """A step that is led one mode further."""
    run, row = _promotion(session, message, now)
    return Promoted(
        adoption_id=run.id,
        step_key=row.step,
        playbook=run.playbook.title,
        team=run.team.title,
        step=_title(run, row),
        before=row.mode,
        after=row.leads_to or row.mode,
        numbers=numbers(row),
        approved_by=row.decided_by or "",
    )


def declined(session: Session, message: OwedMessage, now: datetime) -> PromotionDeclined:
    """A proposal that was declined, and why."""
    run, row = _promotion(session, message, now)
    return PromotionDeclined(
        adoption_id=run.id,
        step_key=row.step,
        playbook=run.playbook.title,
        team=run.team.title,
        step=_title(run, row),
        before=row.mode,
        after=row.leads_to or row.mode,
        declined_by=row.decided_by or "",
        reason=row.reason,
    )


def last_look(session: Session, run: TeamRun, *, step: str, zone: ZoneInfo) -> PromotionLooked | None:
    """How a step was looked at for promotion the last time; None before a first cycle closed."""
    row = rubrics.last_promotion(session, workspace_id=run.workspace.id, adoption_id=run.id, step=step)
    if row is None:
        return None
    verdict = judge_again(row)
    return PromotionLooked(
        looked_at=row.judged_at.astimezone(zone),
        state=row.state,
        before=row.mode,
        after=row.leads_to or row.mode,
        numbers=numbers(row),
        needed=row.needed,
        judged=tuple(
            CycleLooked(
                number=one.number,
                samples=one.samples,
                passes=one.passes,
                risky=one.risky,
                over_cap=one.over_cap,
                answered=one.answered,
                expected=one.expected,
                result=one.kpi,
            )
            for one in verdict.cycles
        ),
        unmet=unmet_words(verdict),
        decided_by=row.decided_by,
        decided_at=row.decided_at.astimezone(zone) if row.decided_at else None,
        reason=row.reason,
    )
