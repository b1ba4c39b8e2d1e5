"""Messages about rubrics: a risky grade, the week's spot audit."""

from datetime import date
from zoneinfo import ZoneInfo

from cadence.flows.core import (
    AdoptionView,
    MessageKind,
    Skip,
    Urgency,
    adoption_about,
    current_modes,
    dropped_step,
    mode_of,
    shown_week,
    step_title,
    zone_of,
)
from cadence.flows.rubrics.audits import given_grades, place_of
from cadence.flows.standards import check_line
from cadence.nudges import SPOT_AUDIT, Unless
from cadence.refusals import Refusal
from storage.queries import cycles, rubrics
from storage.tables import OutboxMessage, SpotAudit
from storage.work import UnitOfWork
from templates.contexts.rubrics import AuditedStep, DrawnRun, RiskyGrade, SpotAuditDue


def risky_grade(uow: UnitOfWork, message: OutboxMessage) -> RiskyGrade:
    """A risky grade, for the person named in the step's playbook."""
    view = adoption_about(uow, message)
    row = rubrics.result(uow, result_id=int(message.subject["result"]))
    if row is None:
        raise Refusal("the rubric result no longer exists")
    own = view.spec.step(row.step)
    step = own or dropped_step(uow, view, row.step)
    if step is None:
        raise Refusal("the step is in no version")
    return RiskyGrade(
        adoption_id=view.id,
        step_key=step.key,
        playbook=view.playbook.title,
        team=view.team.title,
        step=step.title,
        mode=mode_of(current_modes(uow, view), step),
        samples=row.samples,
        passes=row.passes,
        risky=row.risky,
        max_risk=step.promote.max_risk,
        grader=row.member,
        note=row.note,
        audited=row.audit_id is not None,
        dropped=own is None,
    )


def spot_audit(uow: UnitOfWork, message: OutboxMessage) -> SpotAuditDue | Skip:
    """Ask the owner to grade the week's draw; skipped if nothing was attested, or everything is graded."""
    if adoption_about(uow, message).is_paused:
        return Skip(Unless.PAUSED)
    context = audit_context(uow, message)
    if not context.steps:
        return Skip(Unless.NO_RUNS)
    if all(one.samples is not None for one in context.steps):
        return Skip(Unless.GRADED)
    return context


def audit_context(uow: UnitOfWork, message: OutboxMessage) -> SpotAuditDue:
    """The week's draw, with the grades of each step."""
    view = adoption_about(uow, message)
    week_start = date.fromisoformat(message.subject["week"])
    audits = rubrics.audits_of_week(uow, adoption_id=view.id, week_start=week_start)
    zone = zone_of(uow, view.workspace, message.recipient)
    return SpotAuditDue(
        adoption_id=view.id,
        week_start=week_start.isoformat(),
        playbook=view.playbook.title,
        team=view.team.title,
        week=shown_week(view.cycle, audits[0].week) if audits else None,
        steps=tuple(_audited(uow, view, audit, zone) for audit in audits),
    )


def _audited(uow: UnitOfWork, view: AdoptionView, audit: SpotAudit, zone: ZoneInfo) -> AuditedStep:
    graded = rubrics.result_of_audit(uow, audit_id=audit.id or 0)
    return AuditedStep(
        audit_id=audit.id or 0,
        step=step_title(view, audit.step),
        runs=tuple(
            DrawnRun(member=member, found=place_of(audit, member, number), link=given.link)
            for (member, number), given in zip(audit.drawn, given_grades(uow, audit), strict=True)
        ),
        check=check_line(uow, cycles.cycle(uow, cycle_id=audit.cycle_id), step=audit.step),
        samples=graded.samples if graded else None,
        passes=graded.passes if graded else 0,
        risky=graded.risky if graded else 0,
        grader=graded.member if graded else None,
        graded_at=graded.graded_at.astimezone(zone) if graded else None,
    )


KINDS = (
    MessageKind(SPOT_AUDIT, spot_audit, rewrite=audit_context),
    MessageKind("risky-grade", risky_grade, urgency=Urgency.ALERT),
)
