"""Posts about a step's standard: over its cap, demoted, drifting, or its mode declared by hand."""

from collections.abc import Mapping
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cadence.documents import Step
from cadence.flows.core import (
    AdoptionView,
    MessageKind,
    Skip,
    Urgency,
    adoption_by_id,
    dropped_step,
    spec_of,
    step_title,
)
from cadence.flows.standards.drifts import drift_evidence, found_drift, is_alone, see_drift
from cadence.flows.standards.evidence import explained_evidence, verdict_evidence
from cadence.flows.standards.watch_ends import first_alert, watch_end
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.nudges import Unless
from cadence.refusals import Refusal
from cadence.rules.drift import DriftEvent
from cadence.rules.modes import rank
from cadence.rules.percent import set_share
from cadence.rules.verdicts import Line, Rule
from storage.queries import cycles, exceptions, playbooks, rubrics, standards, trail
from storage.queries.standards import StepChange
from storage.tables import OutboxMessage, RubricRevision, StepDrift, StepVerdict
from storage.work import UnitOfWork
from templates.contexts.standards import (
    Demoted,
    Drift,
    DriftNumbers,
    DriftReported,
    ModeDeclared,
    Samples,
    Watch,
)
from templates.filters import day, plural
from templates.filters import mode as mode_word


def _verdict(uow: UnitOfWork, message: OutboxMessage) -> tuple[AdoptionView, StepVerdict]:
    row = standards.verdict(uow, verdict_id=int(message.subject["verdict"]))
    if row is None:
        raise Refusal("the verdict no longer exists")
    view = adoption_by_id(uow, adoption_id=row.adoption_id)
    return view, row


def watched(uow: UnitOfWork, message: OutboxMessage) -> Watch | Skip:
    """A step over its cap; skipped once it is under its cap again or was demoted, or a newer alert says more."""
    context = watch(uow, message)
    if context.ended == "replaced":
        return Skip(Unless.NEWER_SAID)
    return Skip(Unless.OVER) if context.ended in ("under", "demoted") else context


def watch(uow: UnitOfWork, message: OutboxMessage) -> Watch:
    """The current state of a step over its cap, with the owner's answer, or how the watch ended."""
    view, opened = _verdict(uow, message)
    step = view.spec.step(opened.step) or dropped_step(uow, view, opened.step)
    end = watch_end(uow, view, opened)
    found = standards.latest_watch(uow, row=opened, before=end.verdict if end else None)
    row, began = found or opened, first_alert(uow, opened)
    answers = trail.entries(
        uow,
        action="watch-answered",
        subject=f"adoption:{view.id}/{row.step}",
        after=trail.last_id(uow, subject=f"verdict:{began.id}"),
    )
    if end is not None and end.at is not None:  # a later plan is about a later watch
        answers = [one for one in answers if one.at <= end.at]
    return Watch(
        adoption_id=view.id,
        step_key=row.step,
        playbook=view.playbook.title,
        team=view.team.title,
        step=step.title if step else row.step,
        mode=row.mode,
        evidence=explained_evidence(uow, view, row),
        probability=row.probability,
        owner=view.playbook.owner,
        opened_at=began.judged_at.astimezone(view.zone),
        ended=end.how if end else None,
        by_estimates=bool(end and end.how == "under" and end.verdict and _by_estimates(row, end.verdict)),
        ended_at=end.at.astimezone(view.zone) if end and end.at else None,
        latest=verdict_evidence(end.verdict) if end and end.verdict else None,
        leads_to=end.verdict.lands_on if end and end.verdict else None,
        demote_at=row.demote_at if row.line is Line.NONE else None,
        close_date=row.closes_on if row.rule is not Rule.EVIDENCE and not row.closing else None,
        critical_reason=_critical_reason(uow, row),
        top_reason=row.top_reason,
        top_reason_count=row.top_reason_count,
        answer=answers[-1].after if answers else None,
        answered_by=answers[-1].member if answers else None,
    )


def _by_estimates(before: StepVerdict, after: StepVerdict) -> bool:
    """Whether two verdicts differ only in the runs that are estimated."""
    known = [(row.exceptions, row.attested, row.measured) for row in (before, after)]
    return known[0] == known[1] and after.assumed > before.assumed


def demoted(uow: UnitOfWork, message: OutboxMessage) -> Demoted:
    """A demoted step, and the line of the rule that decided."""
    view, row = _verdict(uow, message)
    undone, revised = _undone(uow, row), _revised(uow, row)
    strict = row.line is Line.CAP and not row.closing
    own = view.spec.step(row.step)
    step = own or dropped_step(uow, view, row.step)
    return Demoted(
        adoption_id=view.id,
        step_key=row.step,
        playbook=view.playbook.title,
        team=view.team.title,
        step=step.title if step else row.step,
        before=row.mode,
        after=row.lands_on or row.mode,
        line="strict" if strict else row.line,
        evidence=explained_evidence(uow, view, row),
        probability=row.probability,
        owner=view.playbook.owner,
        threshold=row.confidence,
        min_runs=row.min_runs,
        critical_reason=_critical_reason(uow, row),
        top_reason=row.top_reason,
        top_reason_count=row.top_reason_count,
        undone_by=undone.member if undone else None,
        undone_at=undone.changed_at.astimezone(view.zone) if undone else None,
        revised_by=revised.member if revised else None,
        revised_at=revised.revised_at.astimezone(view.zone) if revised else None,
        dropped=own is None,
    )


def demotion(uow: UnitOfWork, message: OutboxMessage) -> Demoted | Skip:
    """The same, unless it was undone before it could be sent."""
    context = demoted(uow, message)
    return Skip(Unless.UNDONE) if context.undone_by else context


def _undone(uow: UnitOfWork, row: StepVerdict) -> StepChange | None:
    """The change that reversed a verdict's demotion."""
    history = standards.mode_history(uow, adoption_id=row.adoption_id, step=row.step)
    ids = {one.id for one in history if one.verdict_id == row.id and one.kind == "demotion"}
    return next((one for one in history if one.takes_back in ids), None)


def _revised(uow: UnitOfWork, row: StepVerdict) -> RubricRevision | None:
    """The rubric's first revision since a verdict's demotion."""
    history = standards.mode_history(uow, adoption_id=row.adoption_id, step=row.step)
    found = next((one for one in history if one.verdict_id == row.id and one.kind == "demotion"), None)
    if found is None:
        return None
    return rubrics.revision_after(uow, adoption_id=row.adoption_id, step=row.step, number=found.rubric)


def _critical_reason(uow: UnitOfWork, row: StepVerdict) -> str | None:
    if row.line is not Line.CRITICAL:
        return None
    logged = exceptions.exceptions(
        uow,
        adoption_id=row.adoption_id,
        step=row.step,
        cycle_id=row.cycle_id,
        after_id=row.after_exception,
        through_id=row.through_exception,
        for_verdict=row.id,
        since=row.window_from,
    )
    critical = [one.reason for one in logged if one.critical]
    return critical[-1] if critical else None


def drift(uow: UnitOfWork, message: OutboxMessage) -> Drift:
    """A step that is run in another mode than planned, by the answers as corrected, with what was decided
    since.

    Raises:
        Refusal: it doesn't exist any more.
    """
    told = standards.event(uow, drift_id=int(message.subject["drift"]))
    if told is None:
        raise Refusal("the drift no longer exists")
    view = adoption_by_id(uow, adoption_id=told.adoption_id)
    found, settled = told, None
    for row in standards.events(uow, adoption_id=view.id, step=told.step):
        if (row.id or 0) <= (told.id or 0) or row.event is DriftEvent.REPORTED:
            continue
        if row.event is not DriftEvent.FOUND:
            settled = row
            break
        if is_alone(row) == is_alone(told):  # what several people report is an alert of its own
            found = row
    return Drift(
        adoption_id=view.id,
        step_key=found.step,
        playbook=view.playbook.title,
        team=view.team.title,
        step=_title(uow, view, found),
        declared=found.declared,
        used=found.used or found.declared,
        also=found.evidence.get("also"),
        numbers=drift_numbers(found),
        alone=is_alone(found),
        owner=view.playbook.owner,
        decision=settled.event.name.lower() if settled else None,
        decided_by=settled.member if settled else None,
        decided_at=settled.at.astimezone(view.zone) if settled else None,
        reason=settled.reason if settled else "",
        after=settled.declared if settled else None,
    )


def reported(uow: UnitOfWork, message: OutboxMessage) -> DriftReported | Skip:
    """A report by one person, for the owner; skipped once it was corrected or settled."""
    context = report(uow, message)
    return context if context.people == 1 and context.ended is None else Skip(Unless.CORRECTED)


def report(uow: UnitOfWork, message: OutboxMessage) -> DriftReported:
    """The current state of a report by one person.

    Raises:
        Refusal: it doesn't exist any more.
    """
    row = standards.event(uow, drift_id=int(message.subject["drift"]))
    if row is None:
        raise Refusal("the report no longer exists")
    view = adoption_by_id(uow, adoption_id=row.adoption_id)
    step = view.spec.step(row.step)
    cycle = cycles.cycle(uow, cycle_id=row.cycle_id)
    seen = see_drift(uow, view, cycle, step) if step else None
    ended: Literal["settled", "corrected", "alert"] | None = None
    if step is None or seen is None or seen.window.after >= row.after_check_in:
        ended = "settled"
    elif not seen.verdict.drifted:
        ended = "corrected"
    elif found_drift(uow, view, step) is not None:
        ended = "alert"
    return DriftReported(
        adoption_id=view.id,
        step_key=row.step,
        playbook=view.playbook.title,
        team=view.team.title,
        step=_title(uow, view, row),
        declared=seen.declared if seen else row.declared,
        used=(seen and seen.verdict.used) or row.used or row.declared,
        also=seen.verdict.also if seen else row.evidence.get("also"),
        numbers=_numbers(drift_evidence(seen)) if seen else drift_numbers(row),
        people=len(seen.verdict.by) if seen else 0,
        ended=ended,
    )


def _title(uow: UnitOfWork, view: AdoptionView, found: StepDrift) -> str:
    """The step's title, from the version it was found in if the team's own doesn't have it any more."""
    step = view.spec.step(found.step)
    if step is None and (then := found.evidence.get("version")):
        version = playbooks.version(uow, version_id=int(then))
        step = spec_of(uow, version).step(found.step)
    return step.title if step else found.step


def drift_numbers(found: StepDrift) -> DriftNumbers:
    """The numbers behind a drift."""
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


def declared(uow: UnitOfWork, message: OutboxMessage) -> ModeDeclared:
    """A step's mode that a person declared.

    Raises:
        Refusal: it doesn't exist any more.
    """
    row = standards.mode_change(uow, change_id=int(message.subject["change"]))
    if row is None:
        raise Refusal("the mode change no longer exists")
    view = adoption_by_id(uow, adoption_id=row.adoption_id)
    before = row.before or row.after
    raised = rank(row.after) > rank(before)
    return ModeDeclared(
        adoption_id=view.id,
        step_key=row.step,
        playbook=view.playbook.title,
        team=view.team.title,
        step=step_title(view, row.step),
        before=before,
        after=row.after,
        member=row.member or view.playbook.owner,
        reason=row.reason,
        raised=raised,
        samples=samples_behind(uow, view, step=row.step, rubric=row.rubric) if raised else None,
    )


def samples_behind(uow: UnitOfWork, view: AdoptionView, *, step: str, rubric: int) -> Samples | None:
    """The graded samples of a step in the current cycle, on a revision of its rubric; None without any."""
    rows = rubrics.graded_in_cycle(uow, cycle_id=view.cycle.id or 0) if view.cycle else []
    found = [row for row in rows if (row.step, row.revision) == (step, rubric)]
    samples = sum(row.samples for row in found)
    if view.cycle is None or not samples:
        return None
    return Samples(passes=sum(row.passes for row in found), samples=samples, cycle=view.cycle.number)


def drift_counts(found: StepDrift) -> Mrkdwn:
    """`as human-led, not collaborative as planned: 3 of 9 check-ins (limit 20%) in weeks 1 and 2`.

    Mentions check-ins that were still open when it was found.
    """
    numbers = drift_numbers(found)
    weeks = [str(week) for week in numbers.weeks]
    last = f"{', '.join(weeks[:-1])} and {weeks[-1]}" if len(weeks) > 1 else "".join(weeks)
    return say(
        "as {used}, not {declared} as planned: {drifted} of {check_ins} "
        "({share}limit {limit}{awaited}) in {weeks} {last}",
        used=mode_word(found.used or found.declared, found.evidence.get("also")),
        declared=mode_word(found.declared),
        drifted=numbers.drifted,
        check_ins=plural(numbers.attested + numbers.awaited, "check-in"),
        awaited=f"; {numbers.awaited} still open then, counted as planned" if numbers.awaited else "",
        share=f"{numbers.percent}, " if numbers.percent else "",
        limit=set_share(numbers.limit),
        weeks="weeks" if len(weeks) > 1 else "week",
        last=last,
    )


def drift_history(
    uow: UnitOfWork, view: AdoptionView, step: Step, zone: ZoneInfo, *, owner: bool
) -> tuple[Mrkdwn, ...]:
    """The events of a step's drift, newest first.

    Reports by one person, and their outcomes, are only for the `owner`.
    """
    lines: list[Mrkdwn] = []
    hidden = False
    for row in standards.events(uow, adoption_id=view.id, step=step.key):
        if row.event in (DriftEvent.FOUND, DriftEvent.REPORTED):
            hidden = is_alone(row) and not owner
        if not hidden:
            line = _line(row, day(row.at.astimezone(zone)))
            lines.append(
                say("{line} Corrected since.", line=line) if _is_corrected(uow, view, step, row) else line
            )
    return tuple(reversed(lines))


def _is_corrected(uow: UnitOfWork, view: AdoptionView, step: Step, row: StepDrift) -> bool:
    """Whether a report by one person was corrected since."""
    if row.event is not DriftEvent.REPORTED:
        return False
    seen = see_drift(uow, view, cycles.cycle(uow, cycle_id=row.cycle_id), step)
    return seen.window.after < row.after_check_in and not seen.verdict.drifted


def _line(row: StepDrift, on: str) -> Mrkdwn:
    if row.event is DriftEvent.REPORTED:
        return say("{on}: one person reported that the step ran {counts}.", on=on, counts=drift_counts(row))
    if row.event is DriftEvent.FOUND:
        return say("{on}: drift found. The step ran {counts}.", on=on, counts=drift_counts(row))
    if row.event is DriftEvent.BACK_TO_PLAN:
        return say(
            "{on}: {who} decided to go back to {mode}: {reason}",
            on=on,
            who=mention(row.member or ""),
            mode=mode_word(row.declared),
            reason=row.reason,
        )
    if row.event is DriftEvent.DECLARED:
        return say("{on}: settled. The plan is {mode} now.", on=on, mode=mode_word(row.declared))
    return say("{on}: no drift anymore. Check-ins were corrected.", on=on)


KINDS = (
    MessageKind(
        "watch", watched, rewrite=watch, urgency=Urgency.ALERT, unless=(Unless.OVER, Unless.NEWER_SAID)
    ),
    MessageKind("demoted", demotion, rewrite=demoted, urgency=Urgency.ALERT, unless=(Unless.UNDONE,)),
    MessageKind("drift", drift, rewrite=drift, urgency=Urgency.ALERT),
    MessageKind("drift-reported", reported, rewrite=report, unless=(Unless.CORRECTED,)),
    MessageKind("mode-declared", declared),
)
