"""What is posted of the standard itself: a drift and what became of it, a mode declared by hand."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cadence.documents import playbook_from_data
from cadence.flows.core import Composed, Say, Skip, TeamRun, run_by_id
from cadence.flows.standards.drifts import drift_evidence, found_drift, is_alone, see_drift
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.nudges import Unless
from cadence.refusals import Refusal
from cadence.rules.drift import DriftEvent
from cadence.rules.modes import rank
from cadence.rules.percent import set_share
from storage.queries import decisions, drifts, playbooks
from storage.tables import OwedMessage, StepDrift
from storage.work import UnitOfWork
from templates.contexts.standards import Drift, DriftNumbers, DriftReported, ModeDeclared
from templates.filters import day, plural
from templates.filters import mode as mode_word


def drift(uow: UnitOfWork, message: OwedMessage) -> Drift:
    """A step that is run in another mode than declared, with what was decided since.

    Raises:
        Refusal: it isn't there any more.
    """
    found = drifts.event(uow, drift_id=int(message.subject["drift"]))
    if found is None:
        raise Refusal("the drift isn't there")
    run = run_by_id(uow, adoption_id=found.adoption_id)
    later = [
        row
        for row in drifts.events(uow, adoption_id=run.id, step=found.step)
        if (row.id or 0) > (found.id or 0) and row.event not in (DriftEvent.FOUND, DriftEvent.REPORTED)
    ]
    settled = later[0] if later else None
    return Drift(
        adoption_id=run.id,
        step_key=found.step,
        playbook=run.playbook.title,
        team=run.team.title,
        step=_title(uow, run, found),
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


def reported(uow: UnitOfWork, message: OwedMessage) -> Composed:
    """What one person alone reports of a step, for the owner; not sent once it was corrected or settled."""
    context = report(uow, message)
    return Say(context) if context.people == 1 and context.ended is None else Skip(Unless.CORRECTED)


def report(uow: UnitOfWork, message: OwedMessage) -> DriftReported:
    """What is reported of a step now, or what became of the report.

    Raises:
        Refusal: it isn't there any more.
    """
    row = drifts.event(uow, drift_id=int(message.subject["drift"]))
    if row is None:
        raise Refusal("the report isn't there")
    run = run_by_id(uow, adoption_id=row.adoption_id)
    step = run.spec.step(row.step)
    cycle = playbooks.cycle(uow, cycle_id=row.cycle_id)
    seen = see_drift(uow, run, cycle, step) if step else None
    ended: Literal["settled", "corrected", "alert"] | None = None
    if step is None or seen is None or seen.after >= row.after_check_in:
        ended = "settled"
    elif not seen.verdict.drifted:
        ended = "corrected"
    elif found_drift(uow, run, step) is not None:
        ended = "alert"
    return DriftReported(
        adoption_id=run.id,
        step_key=row.step,
        playbook=run.playbook.title,
        team=run.team.title,
        step=_title(uow, run, row),
        declared=seen.declared if seen else row.declared,
        used=(seen and seen.verdict.used) or row.used or row.declared,
        numbers=_numbers(drift_evidence(seen)) if seen else drift_numbers(row),
        people=len(seen.verdict.by) if seen else 0,
        ended=ended,
    )


def _title(uow: UnitOfWork, run: TeamRun, found: StepDrift) -> str:
    """The step's title, in the version it was found in when the team's own has it no more."""
    step = run.spec.step(found.step)
    if step is None and (then := found.evidence.get("version")):
        version = playbooks.version(uow, version_id=int(then))
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


def declared(uow: UnitOfWork, message: OwedMessage) -> ModeDeclared:
    """Who leads a step now, because a person declared it.

    Raises:
        Refusal: it isn't there any more.
    """
    row = decisions.mode_change(uow, change_id=int(message.subject["change"]))
    if row is None:
        raise Refusal("the mode change isn't there")
    run = run_by_id(uow, adoption_id=row.adoption_id)
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


def drift_counts(found: StepDrift) -> Mrkdwn:
    """`human-led, not collaborative: 3 of 9 attestations (limit 20%), in weeks 1 and 2`.

    Check-ins that were still to come when it was found are said to be.
    """
    numbers = drift_numbers(found)
    weeks = [str(week) for week in numbers.weeks]
    last = f"{', '.join(weeks[:-1])} and {weeks[-1]}" if len(weeks) > 1 else "".join(weeks)
    return say(
        "{used}, not {declared}: {drifted} of {attestations} ({share}limit {limit}{awaited}), in {weeks} {last}",
        used=mode_word(found.used or found.declared),
        declared=mode_word(found.declared),
        drifted=numbers.drifted,
        attestations=plural(
            numbers.attested + numbers.awaited, "check-in" if numbers.awaited else "attestation"
        ),
        awaited=f"; {numbers.awaited} of them still to come then" if numbers.awaited else "",
        share=f"{numbers.percent}, " if numbers.percent else "",
        limit=set_share(numbers.limit),
        weeks="weeks" if len(weeks) > 1 else "week",
        last=last,
    )


def drift_history(rows: Sequence[StepDrift], zone: ZoneInfo, *, owner: bool) -> tuple[Mrkdwn, ...]:
    """What was found of a step's drift and what became of it, newest first; `rows` come oldest first.

    What one person alone reported, and what became of it, is for the `owner` to read.
    """
    lines: list[Mrkdwn] = []
    hidden = False
    for row in rows:
        if row.event in (DriftEvent.FOUND, DriftEvent.REPORTED):
            hidden = is_alone(row) and not owner
        if not hidden:
            lines.append(_line(row, day(row.at.astimezone(zone))))
    return tuple(reversed(lines))


def _line(row: StepDrift, on: str) -> Mrkdwn:
    if row.event is DriftEvent.REPORTED:
        return say("{on}: reported by one person, {counts}.", on=on, counts=drift_counts(row))
    if row.event is DriftEvent.FOUND:
        return say("{on}: drift, run {counts}.", on=on, counts=drift_counts(row))
    if row.event is DriftEvent.RECOMMITTED:
        return say(
            "{on}: {who} recommits to {mode}: {reason}",
            on=on,
            who=mention(row.member or ""),
            mode=mode_word(row.declared),
            reason=row.reason,
        )
    if row.event is DriftEvent.DECLARED:
        return say("{on}: settled, the step became {mode}.", on=on, mode=mode_word(row.declared))
    return say("{on}: withdrawn, the answers were corrected.", on=on)
