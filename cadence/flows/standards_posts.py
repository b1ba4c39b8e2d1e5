"""What is posted of the standard itself: a drift and what became of it, a mode declared by hand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlmodel import Session

from cadence.documents import playbook_from_data
from cadence.flows.composed import Composed, Say, Skip
from cadence.flows.drift_state import found_drift, is_alone
from cadence.flows.drifting import drift_evidence, see_drift
from cadence.flows.runs import TeamRun, run_by_id
from cadence.nudges import Unless
from cadence.refusals import Refusal
from cadence.rules.drift import DriftEvent
from cadence.rules.modes import rank
from storage import decisions, drifts, playbooks
from storage.tables import OwedMessage, StepDrift
from templates.contexts.standards import Drift, DriftNumbers, DriftReported, ModeDeclared


def drift(session: Session, message: OwedMessage, now: datetime) -> Drift:
    """A step that is run in another mode than declared, with what was decided since.

    Raises:
        Refusal: it isn't there any more.
    """
    found = drifts.event(session, workspace_id=message.workspace_id, drift_id=int(message.subject["drift"]))
    if found is None:
        raise Refusal("the drift isn't there")
    run = run_by_id(session, workspace_id=message.workspace_id, adoption_id=found.adoption_id, now=now)
    later = [
        row
        for row in drifts.events(
            session, workspace_id=found.workspace_id, adoption_id=run.id, step=found.step
        )
        if (row.id or 0) > (found.id or 0) and row.event not in (DriftEvent.FOUND, DriftEvent.REPORTED)
    ]
    settled = later[0] if later else None
    return Drift(
        adoption_id=run.id,
        step_key=found.step,
        playbook=run.playbook.title,
        team=run.team.title,
        step=_title(session, run, found),
        declared=found.declared,
        used=found.used or found.declared,
        numbers=drift_numbers(found),
        alone=is_alone(found),
        owner=run.playbook.owner,
        decision=settled.event if settled else None,
        decided_by=settled.member if settled else None,
        decided_at=settled.at.astimezone(run.zone) if settled else None,
        reason=settled.reason if settled else "",
        after=settled.declared if settled else None,
    )


def reported(session: Session, message: OwedMessage, now: datetime) -> Composed:
    """What one person alone reports of a step, for the owner; not sent once it was corrected or settled."""
    context = report(session, message, now)
    return Say(context) if context.people == 1 and context.ended is None else Skip(Unless.CORRECTED)


def report(session: Session, message: OwedMessage, now: datetime) -> DriftReported:
    """What is reported of a step now, or what became of the report.

    Raises:
        Refusal: it isn't there any more.
    """
    row = drifts.event(session, workspace_id=message.workspace_id, drift_id=int(message.subject["drift"]))
    if row is None:
        raise Refusal("the report isn't there")
    run = run_by_id(session, workspace_id=message.workspace_id, adoption_id=row.adoption_id, now=now)
    step = run.spec.step(row.step)
    cycle = playbooks.cycle(session, workspace_id=row.workspace_id, cycle_id=row.cycle_id)
    seen = see_drift(session, run, cycle, step) if step else None
    ended: Literal["settled", "corrected", "alert"] | None = None
    if step is None or seen is None or seen.after >= row.after_check_in:
        ended = "settled"
    elif not seen.verdict.drifted:
        ended = "corrected"
    elif found_drift(session, run, step) is not None:
        ended = "alert"
    return DriftReported(
        adoption_id=run.id,
        step_key=row.step,
        playbook=run.playbook.title,
        team=run.team.title,
        step=_title(session, run, row),
        declared=seen.declared if seen else row.declared,
        used=(seen and seen.verdict.used) or row.used or row.declared,
        numbers=_numbers(drift_evidence(seen)) if seen else drift_numbers(row),
        people=len(seen.verdict.by) if seen else 0,
        ended=ended,
    )


def _title(session: Session, run: TeamRun, found: StepDrift) -> str:
    """The step's title, in the version it was found in when the team's own has it no more."""
    step = run.spec.step(found.step)
    if step is None and (then := found.evidence.get("version")):
        version = playbooks.version(session, workspace_id=found.workspace_id, version_id=int(then))
        step = playbook_from_data(version.spec).step(found.step)
    return step.title if step else found.step


def drift_numbers(found: StepDrift) -> DriftNumbers:
    """The numbers a drift was found by."""
    return _numbers(found.evidence)


def _numbers(kept: Mapping[str, Any]) -> DriftNumbers:
    return DriftNumbers(
        attested=int(kept["attested"]),
        drifted=int(kept["drifted"]),
        weeks=tuple(kept["weeks"]),
        share=float(kept["share"]),
        limit=float(kept["limit_share"]),
        limit_weeks=int(kept["limit_weeks"]),
        limit_people=int(kept.get("limit_people", 1)),
        limit_attestations=int(kept.get("limit_attestations", 1)),
        awaited=int(kept["awaited"]),
    )


def declared(session: Session, message: OwedMessage, now: datetime) -> ModeDeclared:
    """Who leads a step now, because a person declared it.

    Raises:
        Refusal: it isn't there any more.
    """
    row = decisions.mode_change(
        session, workspace_id=message.workspace_id, change_id=int(message.subject["change"])
    )
    if row is None:
        raise Refusal("the mode change isn't there")
    run = run_by_id(session, workspace_id=message.workspace_id, adoption_id=row.adoption_id, now=now)
    step = run.spec.step(row.step)
    before = row.before or row.after
    return ModeDeclared(
        adoption_id=run.id,
        step_key=row.step,
        playbook=run.playbook.title,
        team=run.team.title,
        step=step.title if step else row.step,
        before=before,
        after=row.after,
        member=row.member or run.playbook.owner,
        reason=row.reason,
        raised=rank(row.after) > rank(before),
    )
