"""What people are sent about rubrics: a risky grade, the week's spot audit."""

from datetime import date
from zoneinfo import ZoneInfo

from cadence.flows.core import (
    Composed,
    Say,
    Skip,
    TeamRun,
    current_modes,
    dropped_step,
    mode_of,
    run_by_id,
    zone_of,
)
from cadence.flows.rubrics.audits import given_grades, place_of
from cadence.nudges import Unless
from cadence.refusals import Refusal
from storage.queries import rubrics
from storage.tables import OwedMessage, SpotAudit
from storage.work import UnitOfWork
from templates.contexts.rubrics import AuditedStep, DrawnRun, RiskyGrade, SpotAuditDue


def risky_grade(uow: UnitOfWork, message: OwedMessage) -> RiskyGrade:
    """A risky grade, for the person whom the step's playbook names."""
    run = run_by_id(uow, adoption_id=int(message.subject["adoption"]))
    row = rubrics.result(uow, result_id=int(message.subject["result"]))
    if row is None:
        raise Refusal("the rubric result isn't there")
    own = run.spec.step(row.step)
    step = own or dropped_step(uow, run, row.step)
    if step is None:
        raise Refusal("no version has the step")
    return RiskyGrade(
        adoption_id=run.id,
        step_key=step.key,
        playbook=run.playbook.title,
        team=run.team.title,
        step=step.title,
        mode=mode_of(current_modes(uow, run), step),
        samples=row.samples,
        passes=row.passes,
        risky=row.risky,
        max_risk=step.promote.max_risk,
        grader=row.member,
        note=row.note,
        audited=row.audit_id is not None,
        dropped=own is None,
    )


def spot_audit(uow: UnitOfWork, message: OwedMessage) -> Composed:
    """Ask the owner to grade the week's draw; not when nothing was attested, or all is graded."""
    context = audit_context(uow, message)
    if not context.steps:
        return Skip(Unless.NO_RUNS)
    if all(one.samples is not None for one in context.steps):
        return Skip(Unless.GRADED)
    return Say(context)


def audit_context(uow: UnitOfWork, message: OwedMessage) -> SpotAuditDue:
    """The week's draw, and what each step was graded."""
    run = run_by_id(uow, adoption_id=int(message.subject["adoption"]))
    week_start = date.fromisoformat(message.subject["week"])
    audits = rubrics.audits_of_week(uow, adoption_id=run.id, week_start=week_start)
    zone = zone_of(uow, run.workspace, message.recipient)
    return SpotAuditDue(
        adoption_id=run.id,
        week_start=week_start.isoformat(),
        playbook=run.playbook.title,
        team=run.team.title,
        week=audits[0].week if audits else None,
        steps=tuple(_audited(uow, run, audit, zone) for audit in audits),
    )


def _audited(uow: UnitOfWork, run: TeamRun, audit: SpotAudit, zone: ZoneInfo) -> AuditedStep:
    step = run.spec.step(audit.step)
    graded = rubrics.result_of_audit(uow, audit_id=audit.id or 0)
    return AuditedStep(
        audit_id=audit.id or 0,
        step=step.title if step else audit.step,
        runs=tuple(
            DrawnRun(member=member, found=place_of(audit, member, number), link=given.link)
            for (member, number), given in zip(audit.drawn, given_grades(uow, audit), strict=True)
        ),
        samples=graded.samples if graded else None,
        passes=graded.passes if graded else 0,
        risky=graded.risky if graded else 0,
        grader=graded.member if graded else None,
        graded_at=graded.graded_at.astimezone(zone) if graded else None,
    )
