"""What the alerts say: a step over its cap, as it was last judged; a step demoted, as it was judged then."""

from cadence.flows.core import Composed, Say, Skip, TeamRun, dropped_step, run_by_id
from cadence.flows.standards.evidence import explained_evidence, verdict_evidence
from cadence.flows.standards.watch_ends import watch_end
from cadence.nudges import Unless
from cadence.refusals import Offer, Refusal
from cadence.rules.verdicts import Line, Rule
from storage import trail
from storage.queries import decisions, reports
from storage.tables import LoggedException, ModeChange, OwedMessage, StepVerdict
from storage.work import UnitOfWork
from templates.contexts.verdicts import Demoted, Watch
from templates.ids import Action


def _verdict(uow: UnitOfWork, message: OwedMessage) -> tuple[TeamRun, StepVerdict]:
    row = decisions.verdict(uow, verdict_id=int(message.subject["verdict"]))
    if row is None:
        raise Refusal("the verdict isn't there")
    run = run_by_id(uow, adoption_id=row.adoption_id)
    return run, row


def watched(uow: UnitOfWork, message: OwedMessage) -> Composed:
    """A step over its cap; not sent once it is under its cap again or was demoted."""
    context = watch(uow, message)
    return Skip(Unless.OVER) if context.ended in ("under", "demoted") else Say(context)


def watch(uow: UnitOfWork, message: OwedMessage) -> Watch:
    """A step over its cap as it stands now, with what the owner said will change, or how it ended."""
    run, opened = _verdict(uow, message)
    step = run.spec.step(opened.step) or dropped_step(uow, run, opened.step)
    end = watch_end(uow, run, opened)
    found = decisions.latest_watch(uow, row=opened, before=end.verdict if end else None)
    row = found or opened
    answers = trail.entries(
        uow,
        action="watch-answered",
        subject=f"adoption:{run.id}/{row.step}",
        after=trail.last_id(uow, subject=f"verdict:{opened.id}"),
    )
    return Watch(
        adoption_id=run.id,
        step_key=row.step,
        playbook=run.playbook.title,
        team=run.team.title,
        step=step.title if step else row.step,
        mode=row.mode,
        evidence=explained_evidence(uow, run, row),
        probability=row.probability,
        owner=run.playbook.owner,
        opened_at=opened.judged_at.astimezone(run.zone),
        ended=end.how if end else None,
        ended_at=end.at.astimezone(run.zone) if end and end.at else None,
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


def demoted(uow: UnitOfWork, message: OwedMessage) -> Demoted:
    """A step that now runs in a lower mode, and the line of the rule that decided."""
    run, row = _verdict(uow, message)
    undone = _undone(uow, row)
    strict = row.line is Line.CAP and not row.closing
    own = run.spec.step(row.step)
    step = own or dropped_step(uow, run, row.step)
    return Demoted(
        adoption_id=run.id,
        step_key=row.step,
        playbook=run.playbook.title,
        team=run.team.title,
        step=step.title if step else row.step,
        before=row.mode,
        after=row.lands_on or row.mode,
        line="strict" if strict else row.line,
        evidence=explained_evidence(uow, run, row),
        probability=row.probability,
        owner=run.playbook.owner,
        threshold=row.confidence,
        min_runs=row.min_runs,
        critical_reason=_critical_reason(uow, row),
        top_reason=row.top_reason,
        top_reason_count=row.top_reason_count,
        undone_by=undone.member if undone else None,
        undone_at=undone.changed_at.astimezone(run.zone) if undone else None,
        dropped=own is None,
        offers=(Offer("Record a new rubric", Action.REVISE_RUBRIC, f"{run.id}:{row.step}"),) if own else (),
    )


def demotion(uow: UnitOfWork, message: OwedMessage) -> Composed:
    """The same, unless it was undone before it could be sent."""
    context = demoted(uow, message)
    return Skip(Unless.UNDONE) if context.undone_by else Say(context)


def _undone(uow: UnitOfWork, row: StepVerdict) -> ModeChange | None:
    """The change that took back a verdict's demotion."""
    history = decisions.mode_history(uow, adoption_id=row.adoption_id, step=row.step)
    ids = {one.id for one in history if one.verdict_id == row.id and one.kind == "demotion"}
    return next((one for one in history if one.takes_back in ids), None)


def _critical_reason(uow: UnitOfWork, row: StepVerdict) -> str | None:
    if row.line is not Line.CRITICAL:
        return None
    logged: list[LoggedException] = reports.exceptions(
        uow,
        adoption_id=row.adoption_id,
        step=row.step,
        cycle_id=row.cycle_id,
        after_id=row.after_exception,
        through_id=row.through_exception,
        for_verdict=row.id,
    )
    critical = [one.reason for one in logged if one.critical]
    return critical[-1] if critical else None
