"""Grade a spot audit: the runs drawn for a week, in one form; the grades are rubric results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import zip_longest
from typing import Final

from sqlmodel import Session

from cadence.documents import Step
from cadence.flows.callers import Caller, require_owner_or_curator
from cadence.flows.promotion_evidence import pool, rubric_in_force
from cadence.flows.repeats import once
from cadence.flows.rubric_results import save_result
from cadence.flows.runs import TeamRun, run_by_id
from cadence.links import kept_link
from cadence.mrkdwn import Mrkdwn, say
from cadence.nudges import SPOT_AUDIT
from cadence.refusals import Refusal
from cadence.rules.audits import Grade, PlaceInWeek, place_in_week
from storage import ledger, people, playbooks, rubrics, trail
from storage.engine import Database
from storage.tables import RubricResult, SpotAudit
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.rubrics import AuditForm, RunToGrade
from templates.filters import plural
from templates.ids import Field

MOST_IN_A_FORM = 45
"""Slack shows at most 100 blocks, and a run takes two; what doesn't fit is graded in a second form."""
TO_GRADE = "grade a spot audit"
GRADES: Final = {
    Grade.PASS: "Passed",
    Grade.FAIL: "Failed",
    Grade.RISKY_PASS: "Passed, but risky",
    Grade.RISKY_FAIL: "Failed, and risky",
}


@dataclass(frozen=True, slots=True)
class Graded:
    """What one run was graded, a `Grade` as its text, and a link to the run when there is one."""

    grade: str | None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class AuditMeant:
    """Which audits: those of a week that aren't graded yet, or one of them, to change its grades."""

    adoption_id: int | None = None
    week_start: date | None = None
    audit_id: int | None = None


def audit_form(db: Database, caller: Caller, meant: AuditMeant, *, now: datetime) -> AuditForm:
    """The form to grade what was drawn, in one go.

    Raises:
        Refusal: nothing was drawn, or all is graded.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with db.read() as session:
        run, audits = _meant(session, caller, meant, now=now)
        require_owner_or_curator(session, caller, owner=run.playbook.owner, to=TO_GRADE)
        _refuse_own(caller, audits)
        if not audits:
            raise Refusal("Every run that was drawn is graded. [Change] in the message corrects a grade.")
        fitting = _fitting(audits)
        names = people.members(
            session,
            workspace_id=run.workspace.id,
            member_ids={member for audit in fitting for member, _ in audit.drawn},
        )
        runs = tuple(
            RunToGrade(
                audit_id=audit.id or 0,
                place=place,
                step=_step(run, audit).title,
                member=names[member].name or member if member in names else member,
                found=place_of(audit, member, number),
                chosen=given.grade,
                link=given.link or "",
            )
            for audit in fitting
            for place, ((member, number), given) in enumerate(
                zip(audit.drawn, given_grades(session, audit), strict=True)
            )
        )
        return AuditForm(
            playbook=run.playbook.title,
            team=run.team.title,
            grades=tuple(Choice(label=label, value=grade) for grade, label in GRADES.items()),
            runs=runs,
            criteria=run.spec.rubric.criteria if run.spec.rubric else (),
            left=sum(len(audit.drawn) for audit in audits) - len(runs),
        )


def _meant(
    session: Session, caller: Caller, meant: AuditMeant, *, now: datetime
) -> tuple[TeamRun, list[SpotAudit]]:
    """The run, and the audits that are meant; one of a step that a later version dropped can't be graded."""
    only = None
    if meant.audit_id is not None:
        only = rubrics.audit(session, workspace_id=caller.workspace_id, audit_id=meant.audit_id)
        if only is None:
            raise Refusal("That spot audit isn't there any more.")
    adoption_id = only.adoption_id if only else meant.adoption_id or 0
    run = run_by_id(session, workspace_id=caller.workspace_id, adoption_id=adoption_id, now=now)
    if only is not None:
        return run, [only]
    audits = rubrics.audits_of_week(
        session,
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        week_start=meant.week_start or run.week_start,
    )
    return run, [one for one in audits if _result(session, one) is None and run.spec.step(one.step)]


def _fitting(audits: Sequence[SpotAudit]) -> list[SpotAudit]:
    """As many of the audits, whole, as one form holds; at least one."""
    fitting: list[SpotAudit] = []
    for one in audits:
        if fitting and sum(len(audit.drawn) for audit in (*fitting, one)) > MOST_IN_A_FORM:
            break
        fitting.append(one)
    return fitting


def _step(run: TeamRun, audit: SpotAudit) -> Step:
    return run.step(audit.step)


def _result(session: Session, audit: SpotAudit) -> RubricResult | None:
    return rubrics.result_of_audit(session, workspace_id=audit.workspace_id, audit_id=audit.id or 0)


def given_grades(session: Session, audit: SpotAudit) -> list[Graded]:
    """The grades given before, in the order of the draw; without a grade where there is none."""
    entries = trail.entries(
        session, workspace_id=audit.workspace_id, action="rubric-result", subject=f"audit:{audit.id}"
    )
    if not entries:
        return [Graded(None)] * len(audit.drawn)
    grades, links = entries[-1].after["grades"], entries[-1].after.get("links") or ()
    return [Graded(grade, link) for grade, link in zip_longest(grades, links)]


def _refuse_own(caller: Caller, audits: Sequence[SpotAudit]) -> None:
    """Keep people from grading their own work, which happens when the playbook has a new owner since the draw."""
    drawn = {member for audit in audits for member, _ in audit.drawn}
    if drawn == {caller.member}:
        raise Refusal("These runs are all yours. Somebody else has to grade them: ask a curator.")


@once
def grade_audits(
    db: Database,
    caller: Caller,
    *,
    grades: Mapping[int, Mapping[int, Graded]],
    now: datetime,
) -> Done:
    """Keep what the runs of one or more audits were graded, and say what is known of each step now.

    Grading again is a correction: both are kept. The same grades again record nothing.

    Args:
        grades: by audit and by place in its draw.

    Raises:
        Refusal: a run without a grade, a link that is none, no such audit, or only the caller's own runs.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    if not grades:
        raise Refusal("This form holds no run to grade. Close it and press [Grade them] again.")
    with db.write() as session:
        audits = [_audit(session, caller, audit_id) for audit_id in sorted(grades)]
        if len({one.adoption_id for one in audits}) > 1:
            raise Refusal("These runs are of several teams. Close the form and open it again.")
        adoption_id = audits[0].adoption_id
        playbooks.lock_adoption(session, workspace_id=caller.workspace_id, adoption_id=adoption_id)
        run = run_by_id(session, workspace_id=caller.workspace_id, adoption_id=adoption_id, now=now)
        require_owner_or_curator(session, caller, owner=run.playbook.owner, to=TO_GRADE)
        _refuse_own(caller, audits)
        lines = [
            _grade(session, caller, run, audit, _read(audit, grades[audit.id or 0]), now=now)
            for audit in audits
        ]
        _rewrite(session, caller, run, audits[0].week_start, now=now)
        return Done(text=Mrkdwn("\n".join(lines)))


def _audit(session: Session, caller: Caller, audit_id: int) -> SpotAudit:
    found = rubrics.audit(session, workspace_id=caller.workspace_id, audit_id=audit_id)
    if found is None:
        raise Refusal("That spot audit isn't there any more.")
    return found


def _read(audit: SpotAudit, given: Mapping[int, Graded]) -> list[Graded]:
    read = []
    for place in range(len(audit.drawn)):
        chosen = given.get(place, Graded(None))
        if chosen.grade not in set(Grade):
            raise Refusal("Choose what this run was.", field=f"{Field.GRADE}:{audit.id}:{place}")
        link = kept_link(chosen.link, field=f"{Field.LINK}:{audit.id}:{place}")
        read.append(Graded(chosen.grade, link))
    return read


def _grade(
    session: Session,
    caller: Caller,
    run: TeamRun,
    audit: SpotAudit,
    given: list[Graded],
    *,
    now: datetime,
) -> Mrkdwn:
    step = _step(run, audit)
    before = _result(session, audit)
    grades = [Grade(one.grade or "") for one in given]
    if given_grades(session, audit) != given:
        if before is not None:
            before.replaced_at = now
            session.add(before)
            session.flush()
        row = RubricResult(
            workspace_id=run.workspace.id,
            adoption_id=run.id,
            cycle_id=audit.cycle_id,
            step=step.key,
            revision=before.revision if before else rubric_in_force(session, run, step),
            samples=len(grades),
            passes=sum(one.passed for one in grades),
            risky=sum(one.risky for one in grades),
            audit_id=audit.id,
            member=caller.member,
            surface=caller.surface,
            source=f"{caller.request}:{audit.id}",
            graded_at=now,
        )
        save_result(
            session,
            caller,
            run,
            step,
            row,
            before=before,
            grades=[str(one) for one in grades],
            links=[one.link for one in given],
        )
    found = pool(session, run, step)
    failures = plural(found.samples - found.passes, "failure")
    more = f"{found.more} more to decide" if found.more else "enough to decide when the cycle closes"
    if found.spoiled is not None:
        more = f"cycle {found.spoiled} fell short, so it can be proposed when cycle {found.earliest} closes"
    return say(
        "*{step}*: {passes} of {samples} passed, {risky} risky. So far {all} of {needed} with {failures}: {more}.",
        step=step.title,
        passes=sum(one.passed for one in grades),
        samples=len(grades),
        risky=sum(one.risky for one in grades),
        all=found.samples,
        needed=plural(found.needed, "sample"),
        failures=failures,
        more=more,
    )


def _rewrite(session: Session, caller: Caller, run: TeamRun, week_start: date, *, now: datetime) -> None:
    """Owe the message that asked for the grades a rewrite to what was graded."""
    sent = ledger.by_prefix(
        session, workspace_id=run.workspace.id, prefix=f"{SPOT_AUDIT}:{run.workspace.id}:{run.id}"
    )
    ledger.owe_rewrites(
        session,
        workspace_id=run.workspace.id,
        messages=[one for one in sent if one.subject.get("week") == week_start.isoformat()],
        mark=caller.request,
        now=now,
        correlation_id=caller.request,
    )


def place_of(audit: SpotAudit, member: str, number: int) -> PlaceInWeek:
    """Where in the week a run that was drawn is looked for."""
    return place_in_week(number, dict(audit.population)[member], week_start=audit.week_start)
