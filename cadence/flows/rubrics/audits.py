"""Spot audits: draw attested runs of a step each week, for the owner to grade (SPEC §6).

Nobody grades their own work: the owner's runs are left out of the draw.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import Any, Final

from cadence.actor import Actor
from cadence.documents import Step
from cadence.flows.core import AdoptionView, adoption_by_id, once, require_owner_or_curator
from cadence.flows.promotions import Pool, pool, rubric_in_force
from cadence.flows.rubrics.recording import NewResult, save_results
from cadence.links import kept_link
from cadence.mrkdwn import Mrkdwn, say
from cadence.nudges import SPOT_AUDIT
from cadence.refusals import Refusal
from cadence.rules.audits import Attested, Grade, PlaceInWeek, draw, drawable, place_in_week
from cadence.rules.calendar import week_number
from storage.outbox.slots import Nudged
from storage.queries import adoptions, cycles, people, rubrics, schedule, trail
from storage.tables import RubricResult, SpotAudit
from storage.work import Entry, UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.rubrics import AuditForm, RunToGrade
from templates.filters import plural
from templates.ids import Field


def draw_due_audits(uow: UnitOfWork, nudges: Iterable[Nudged]) -> None:
    """Draw the runs for the spot-audit messages queued just now."""
    by_week: dict[date, set[int]] = defaultdict(set)
    for one in nudges:
        if one.kind == SPOT_AUDIT and not one.reason:
            by_week[date.fromisoformat(one.subject["week"])].add(int(one.subject["adoption"]))
    for week_start, adoption_ids in by_week.items():
        _draw_week(uow, sorted(adoption_ids), week_start)


def _draw_week(uow: UnitOfWork, adoption_ids: Sequence[int], week_start: date) -> None:
    """Draw the runs of all audits of one week."""
    of_week: Any = {"adoption_ids": adoption_ids, "week_start": week_start}
    adoptions.lock_adoptions(uow, adoption_ids=adoption_ids)
    known = rubrics.drawn(uow, **of_week)
    rows = [row for row in _draws(uow, of_week) if (row.adoption_id, row.step) not in known]
    if not rows:
        return
    rubrics.add(uow, rows=rows)
    ids = rubrics.drawn(uow, **of_week)
    entries = [
        Entry(
            action="audit-drawn",
            subject=f"audit:{ids[row.adoption_id, row.step]}",
            after={"step": row.step, "week": week_start.isoformat(), "seed": row.seed, "drawn": row.drawn},
        )
        for row in rows
    ]
    uow.record_all(entries, surface="clock")


def _draws(uow: UnitOfWork, of_week: dict[str, Any]) -> Iterator[SpotAudit]:
    """The draws of the audited steps of adoptions for a week, by adoption and step."""
    workspace_id, week_start = uow.workspace_id, of_week["week_start"]
    populations: dict[int, list[Attested]] = defaultdict(list)
    for adoption_id, member, runs in rubrics.attested(uow, **of_week):
        populations[adoption_id].append((member, runs))
    cycles = rubrics.cycles_of_week(uow, **of_week)
    specs = schedule.specs(uow, version_ids=[one.version_id for one in cycles])
    for cycle in cycles:
        population = drawable(populations[cycle.adoption_id], grader=cycle.owner)
        for step, sample in _sampled(specs[cycle.version_id]) if population else ():
            seed = f"{workspace_id}/{cycle.adoption_id}/{step}/{week_start}"
            yield SpotAudit(
                workspace_id=workspace_id,
                adoption_id=cycle.adoption_id,
                cycle_id=cycle.cycle_id,
                step=step,
                week=week_number(cycle.starts_on, week_start) or 0,
                week_start=week_start,
                sample=sample,
                seed=seed,
                population=[list(one) for one in population],
                drawn=[list(one) for one in draw(population, sample=sample, seed=seed)],
                drawn_at=uow.now,
            )


def _sampled(spec: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """(step, runs drawn per week) of a version's audited steps."""
    for step in spec.get("steps", []):
        sample = (step.get("verify") or {}).get("sample")
        if sample:
            yield step["key"], sample


MOST_IN_A_FORM = 45
"""Slack shows at most 100 blocks, and a run takes two; the rest is graded in a second form."""
TO_GRADE = "grade a spot check"
GRADES: Final = {
    Grade.PASS: "Passed",
    Grade.FAIL: "Failed",
    Grade.RISKY_PASS: "Passed, but risky",
    Grade.RISKY_FAIL: "Failed, and risky",
}


@dataclass(frozen=True, slots=True)
class Graded:
    """The grade of one run, a `Grade` as its text, and a link to the run if there is one."""

    grade: str | None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class AuditMeant:
    """Which audits: the ungraded ones of a week, or a single one, to change its grades."""

    adoption_id: int | None = None
    week_start: date | None = None
    audit_id: int | None = None


def audit_form(uow: UnitOfWork, meant: AuditMeant) -> AuditForm:
    """The form to grade all drawn runs at once.

    Raises:
        Refusal: nothing was drawn, or all is graded.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.read():
        view, audits = _meant(uow, meant)
        require_owner_or_curator(uow, playbook=view.playbook, to=TO_GRADE)
        _refuse_own(uow.actor, audits)
        if not audits:
            raise Refusal("Every run is graded already. To correct a grade, click [Change] in the message.")
        fitting = _fitting(audits)
        names = people.members(uow, member_ids={member for audit in fitting for member, _ in audit.drawn})
        runs = tuple(
            RunToGrade(
                audit_id=audit.id or 0,
                place=place,
                step=_step(view, audit).title,
                member=names[member].name or member if member in names else member,
                found=place_of(audit, member, number),
                chosen=given.grade,
                link=given.link or "",
            )
            for audit in fitting
            for place, ((member, number), given) in enumerate(
                zip(audit.drawn, given_grades(uow, audit), strict=True)
            )
        )
        return AuditForm(
            playbook=view.playbook.title,
            team=view.team.title,
            grades=tuple(Choice(label=label, value=grade) for grade, label in GRADES.items()),
            runs=runs,
            criteria=view.spec.rubric.criteria if view.spec.rubric else (),
            left=sum(len(audit.drawn) for audit in audits) - len(runs),
        )


def _meant(uow: UnitOfWork, meant: AuditMeant) -> tuple[AdoptionView, list[SpotAudit]]:
    """The adoption, and the audits in question; an audit of a step that a later version dropped can't be
    graded."""
    only = None
    if meant.audit_id is not None:
        only = rubrics.audit(uow, audit_id=meant.audit_id)
        if only is None:
            raise Refusal("This spot check no longer exists.")
    adoption_id = only.adoption_id if only else meant.adoption_id or 0
    view = adoption_by_id(uow, adoption_id=adoption_id)
    if only is not None:
        return view, [only]
    audits = rubrics.audits_of_week(uow, adoption_id=view.id, week_start=meant.week_start or view.week_start)
    return view, [one for one in audits if _result(uow, one) is None and view.spec.step(one.step)]


def _fitting(audits: Sequence[SpotAudit]) -> list[SpotAudit]:
    """As many complete audits as one form holds; at least one."""
    fitting: list[SpotAudit] = []
    for one in audits:
        if fitting and sum(len(audit.drawn) for audit in (*fitting, one)) > MOST_IN_A_FORM:
            break
        fitting.append(one)
    return fitting


def _step(view: AdoptionView, audit: SpotAudit) -> Step:
    return view.step(audit.step)


def _result(uow: UnitOfWork, audit: SpotAudit) -> RubricResult | None:
    return rubrics.result_of_audit(uow, audit_id=audit.id or 0)


def given_grades(uow: UnitOfWork, audit: SpotAudit) -> list[Graded]:
    """Earlier grades, in the order of the draw; empty without any."""
    entries = trail.entries(uow, action="rubric-result", subject=f"audit:{audit.id}")
    if not entries:
        return [Graded(None)] * len(audit.drawn)
    grades, links = entries[-1].after["grades"], entries[-1].after.get("links") or ()
    return [Graded(grade, link) for grade, link in zip_longest(grades, links)]


def _refuse_own(caller: Actor, audits: Sequence[SpotAudit]) -> None:
    """Keep people from grading their own work, which is possible if the playbook has a new owner since the
    draw."""
    drawn = {member for audit in audits for member, _ in audit.drawn}
    if drawn == {caller.member}:
        raise Refusal("These runs are all your own. Ask a curator to grade them.")


@once
def grade_audits(uow: UnitOfWork, *, grades: Mapping[int, Mapping[int, Graded]]) -> Done:
    """Save the grades of the runs of one or more audits, and return the current evidence of each step.

    Grading again is a correction: both are kept. The same grades again record nothing.

    Args:
        grades: by audit and by index in its draw.

    Raises:
        Refusal: a run without a grade, an invalid link, no such audit, or only the caller's own runs.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    if not grades:
        raise Refusal("There are no runs to grade in this form. Close it and click [Grade them] again.")
    with uow.write():
        audits = [_audit(uow, audit_id) for audit_id in sorted(grades)]
        if len({one.adoption_id for one in audits}) > 1:
            raise Refusal("These runs belong to different teams. Close the form and open it again.")
        adoption_id = audits[0].adoption_id
        adoptions.lock_adoption(uow, adoption_id=adoption_id)
        view = adoption_by_id(uow, adoption_id=adoption_id)
        require_owner_or_curator(uow, playbook=view.playbook, to=TO_GRADE)
        _refuse_own(uow.actor, audits)
        lines = [_grade(uow, view, audit, _read(audit, grades[audit.id or 0])) for audit in audits]
        _rewrite(uow, view, audits[0].week_start)
        return Done(text=Mrkdwn("\n".join(lines)))


def _audit(uow: UnitOfWork, audit_id: int) -> SpotAudit:
    found = rubrics.audit(uow, audit_id=audit_id)
    if found is None:
        raise Refusal("This spot check no longer exists.")
    return found


def _read(audit: SpotAudit, given: Mapping[int, Graded]) -> list[Graded]:
    read = []
    for place in range(len(audit.drawn)):
        chosen = given.get(place, Graded(None))
        if chosen.grade not in set(Grade):
            raise Refusal("Choose a grade for this run.", field=f"{Field.GRADE}:{audit.id}:{place}")
        link = kept_link(chosen.link, field=f"{Field.LINK}:{audit.id}:{place}")
        read.append(Graded(chosen.grade, link))
    return read


def _grade(uow: UnitOfWork, view: AdoptionView, audit: SpotAudit, given: list[Graded]) -> Mrkdwn:
    step = _step(view, audit)
    before = _result(uow, audit)
    grades = [Grade(one.grade or "") for one in given]
    if given_grades(uow, audit) != given:
        if before is not None:
            before.replaced_at = uow.now
            uow.session.add(before)
            uow.session.flush()
        row = RubricResult(
            workspace_id=view.workspace.id,
            adoption_id=view.id,
            cycle_id=audit.cycle_id,
            step=step.key,
            revision=before.revision if before else rubric_in_force(uow, view, step),
            samples=len(grades),
            passes=sum(one.passed for one in grades),
            risky=sum(one.risky for one in grades),
            audit_id=audit.id,
            member=uow.actor.member,
            surface=uow.actor.surface,
            source=f"{uow.actor.request}:{audit.id}",
            graded_at=uow.now,
        )
        result = NewResult(row, before, [str(one) for one in grades], [one.link for one in given])
        save_results(uow, view, cycles.cycle(uow, cycle_id=audit.cycle_id), [result])
    found = pool(uow, view, step)
    return say(
        "*{step}*: {passes} of {samples} passed, {risky} risky.\nSo far: {all:,} of {needed}. {more}",
        step=step.title,
        passes=sum(one.passed for one in grades),
        samples=len(grades),
        risky=sum(one.risky for one in grades),
        all=found.samples,
        needed=plural(found.needed, "sample"),
        more=_more(found),
    )


def _more(found: Pool) -> str:
    """How many more samples decide, as a sentence."""
    if found.spoiled is not None:
        return (
            f"Cycle {found.spoiled} fell short; the earliest promotion is when cycle {found.earliest} closes."
        )
    if not found.more:
        return "That's enough to decide when the cycle closes."
    coming = "one passes" if found.more == 1 else f"{found.more:,} all pass"
    return f"If the next {coming}, that's enough to decide."


def _rewrite(uow: UnitOfWork, view: AdoptionView, week_start: date) -> None:
    """Rewrite the message that asked for the grades, to show them."""
    uow.rewrite(SPOT_AUDIT, view.id, week=week_start, mark=uow.correlation_id)


def place_of(audit: SpotAudit, member: str, number: int) -> PlaceInWeek:
    """Where in the week to look for a drawn run."""
    return place_in_week(number, dict(audit.population)[member], week_start=audit.week_start)
