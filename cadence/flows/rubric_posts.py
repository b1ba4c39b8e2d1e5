"""What people are sent about rubrics: a risky grade, the week's spot audit."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.audits import given_grades, place_of
from cadence.flows.composed import Composed, Say, Skip
from cadence.flows.people import zone_of
from cadence.flows.runs import TeamRun, current_modes, mode_of, run_by_id
from cadence.flows.versions import dropped_step
from cadence.nudges import Unless
from cadence.refusals import Refusal
from storage import rubrics
from storage.tables import OwedMessage, SpotAudit
from templates.contexts.rubrics import AuditedStep, DrawnRun, RiskyGrade, SpotAuditDue


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
    own = run.spec.step(row.step)
    step = own or dropped_step(session, run, row.step)
    if step is None:
        raise Refusal("no version has the step")
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
        dropped=own is None,
    )


def spot_audit(session: Session, message: OwedMessage, now: datetime) -> Composed:
    """Ask the owner to grade the week's draw; not when nothing was attested, or all is graded."""
    context = audit_context(session, message, now)
    if not context.steps:
        return Skip(Unless.NO_RUNS)
    if all(one.samples is not None for one in context.steps):
        return Skip(Unless.GRADED)
    return Say(context)


def audit_context(session: Session, message: OwedMessage, now: datetime) -> SpotAuditDue:
    """The week's draw, and what each step was graded."""
    run = run_by_id(
        session,
        workspace_id=message.workspace_id,
        adoption_id=int(message.subject["adoption"]),
        now=now,
    )
    week_start = date.fromisoformat(message.subject["week"])
    audits = rubrics.audits_of_week(
        session, workspace_id=run.workspace.id, adoption_id=run.id, week_start=week_start
    )
    zone = zone_of(session, run.workspace, message.recipient)
    return SpotAuditDue(
        adoption_id=run.id,
        week_start=week_start.isoformat(),
        playbook=run.playbook.title,
        team=run.team.title,
        week=audits[0].week if audits else None,
        steps=tuple(_audited(session, run, audit, zone) for audit in audits),
    )


def _audited(session: Session, run: TeamRun, audit: SpotAudit, zone: ZoneInfo) -> AuditedStep:
    step = run.spec.step(audit.step)
    graded = rubrics.result_of_audit(session, workspace_id=run.workspace.id, audit_id=audit.id or 0)
    return AuditedStep(
        audit_id=audit.id or 0,
        step=step.title if step else audit.step,
        runs=tuple(
            DrawnRun(member=member, found=place_of(audit, member, number), link=given.link)
            for (member, number), given in zip(audit.drawn, given_grades(session, audit), strict=True)
        ),
        samples=graded.samples if graded else None,
        passes=graded.passes if graded else 0,
        risky=graded.risky if graded else 0,
        grader=graded.member if graded else None,
        graded_at=graded.graded_at.astimezone(zone) if graded else None,
    )
