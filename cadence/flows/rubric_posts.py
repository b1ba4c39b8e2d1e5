"""What people are sent about rubrics: a risky grade, the week's spot audit."""

from datetime import datetime

from sqlmodel import Session

from cadence.flows.runs import current_modes, mode_of, run_by_id
from cadence.refusals import Refusal
from storage import rubrics
from storage.tables import OwedMessage
from templates.contexts.rubrics import RiskyGrade


def risky_grade(session: Session, message: OwedMessage, now: datetime) -> RiskyGrade:
    """A risky grade, for the person whom the step's playbook names."""
    run = run_by_id(
        session,
        workspace_id=message.workspace_id,
        adoption_id=int(message.subject["adoption"]),
        now=now,
    )
    row = rubrics.result(session, workspace_id=message.workspace_id, result_id=int(message.subject["result"]))
    if row is None:
        raise Refusal("the rubric result isn't there")
    step = run.step(row.step)
    return RiskyGrade(
        adoption_id=run.id,
        step_key=step.key,
        playbook=run.playbook.title,
        team=run.team.title,
        step=step.title,
        mode=mode_of(current_modes(session, run), step),
        samples=row.samples,
        passes=row.passes,
        risky=row.risky,
        max_risk=step.promote.max_risk,
        grader=row.member,
        note=row.note,
        audited=row.audit_id is not None,
    )
