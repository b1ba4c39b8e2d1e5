"""Drift: detecting it, and settling it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple

from cadence.documents import Step
from cadence.flows.core import (
    AdoptionView,
    AsOf,
    adoption_by_id,
    curators_read,
    current_modes,
    expected_members,
    mode_of,
    once,
    require_owner_or_curator,
    rewrite_digest,
    tell,
)
from cadence.mrkdwn import say
from cadence.refusals import Refusal
from cadence.rules.calendar import local_day, monday_of, week_number
from cadence.rules.drift import (
    DriftEvent,
    DriftPolicy,
    DriftVerdict,
    StepAttestation,
    judge_drift,
    open_drift,
)
from cadence.rules.modes import Mode
from storage.queries import adoptions, checkins, standards
from storage.queries.checkins import Answer
from storage.queries.standards import StepChange
from storage.tables import Cycle, StepDrift
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.standards import BackToPlanForm


def drift_open(uow: UnitOfWork, view: AdoptionView, step: Step) -> bool:
    """Whether a drift reported by several people needs the owner.

    A drift that one person reported doesn't block a promotion: the closing post would have to mention it.
    """
    found = found_drift(uow, view, step)
    return found is not None and not is_alone(found)


def found_drift(uow: UnitOfWork, view: AdoptionView, step: Step) -> StepDrift | None:
    """The unsettled drift, or None."""
    rows = standards.events(uow, adoption_id=view.id, step=step.key)
    return rows[-1] if open_drift([row.event for row in rows]) else None


def is_alone(row: StepDrift) -> bool:
    """Whether only one person reported it: then only the owner can read it, never a channel."""
    return row.event is DriftEvent.REPORTED or row.evidence.get("people") == 1


def settle_drift(
    uow: UnitOfWork,
    view: AdoptionView,
    step: Step,
    *,
    event: DriftEvent,
    declared: Mode,
    member: str | None,
    reason: str,
    cause: str,
) -> bool:
    """End the step's open drift, if there is one, and rewrite its alerts; False if none is open.

    The caller records the cause in the trail.
    """
    found = found_drift(uow, view, step)
    if found is None:
        rewrite_reported(uow, view, step, mark=cause)
        return False
    ended = StepDrift(
        workspace_id=view.workspace.id,
        adoption_id=view.id,
        cycle_id=found.cycle_id,
        step=step.key,
        event=event,
        declared=declared,
        used=found.used,
        member=member,
        reason=reason,
        cause=cause,
        after_check_in=checkins.last_check_in_id(uow, adoption_id=view.id),
        at=uow.now,
    )
    standards.keep_drift(uow, row=ended)
    rewrite_reported(uow, view, step, mark=f"{cause}:{uow.now.timestamp()}")
    _rewrite_alerts(uow, found, mark=f"drift:{ended.id}")
    return True


def rewrite_reported(
    uow: UnitOfWork, view: AdoptionView, step: Step, *, mark: str, cycle_id: int | None = None
) -> None:
    """Rewrite the owner's DM on what one person reported last, in a cycle or at all, with its current
    state."""
    rows = standards.events(uow, adoption_id=view.id, step=step.key)
    last = next((row for row in reversed(rows) if row.event is DriftEvent.REPORTED), None)
    if last is not None and cycle_id in (None, last.cycle_id):
        uow.rewrite("drift-reported", last.id, mark=mark)


def judge_drifts(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, *, cause: str) -> None:
    """Judge every step of a cycle for drift; an alert goes out when a step begins to drift.

    A drift that one person reports goes to the owner in a DM, once per cycle; a second person makes it
    public.

    `cause` is the trigger: `check-in:ID` or `close:CYCLE`. An unsettled drift isn't announced again; it is
    withdrawn if the rule doesn't find it in the answers as corrected, or only one person's are left. Newer
    answers alone don't withdraw it. Its alerts are rewritten after other corrections, and when the answers
    name other modes.
    """
    drifted = {step for one in standards.attested(uow, cycle=cycle) for step in one.modes}
    if not view.has_drifted:
        if not drifted:
            return
        standards.know_undrifted(uow, adoption_id=view.id)
    for step in view.spec.steps:
        found = found_drift(uow, view, step)
        if found is None and step.key not in drifted:
            rewrite_reported(uow, view, step, mark=cause, cycle_id=cycle.id)
            continue
        seen = see_drift(uow, view, cycle, step)
        change = _change(uow, view, cycle, step, found=found, seen=seen)
        if found is not None and change is _Change.WITHDRAWN:
            _withdraw(uow, view, step, found, cause=cause)
            found = None
        if seen.verdict.found and (found is None or (is_alone(found) and not seen.verdict.alone)):
            row = _keep(uow, view, cycle, step, seen, DriftEvent.FOUND, cause=cause)
            _tell_found(uow, view, row)
        elif found is not None and change is _Change.REWRITTEN:
            row = _keep(uow, view, cycle, step, seen, DriftEvent.FOUND, cause=cause)
            _record_found(uow, view, row)
            _rewrite_alerts(uow, found, mark=f"drift:{row.id}")
        elif found is None and seen.verdict.alone and not _reported(uow, view, cycle, step):
            row = _keep(uow, view, cycle, step, seen, DriftEvent.REPORTED, cause=cause)
            if seen.verdict.by != (view.playbook.owner,):
                _tell_owner(uow, view, row)
            continue
        rewrite_reported(uow, view, step, mark=cause, cycle_id=cycle.id)


def _rewrite_alerts(uow: UnitOfWork, found: StepDrift, *, mark: str) -> None:
    """Rewrite the alerts of a drift, and the digest that lists it, with its current state."""
    for alert in standards.alerts_until(uow, found=found):
        uow.rewrite("drift", alert.id, mark=mark)
    rewrite_digest(uow, mark=mark)


class DriftWindow(NamedTuple):
    """Where attestations of a step begin to count: after a check-in, at an instant (None from the cycle's
    start on)."""

    after: int = 0
    since: datetime | None = None

    def counts(self, answer: Answer, view: AdoptionView, cycle: Cycle) -> bool:
        """Whether an answer counts: it came later, and its week wasn't over by then."""
        first_week = monday_of(local_day(self.since, view.zone)) if self.since else cycle.starts_on
        return answer.week_start >= first_week and answer.id > self.after


@dataclass(frozen=True, slots=True)
class DriftSeen:
    """A step judged for drift: where attestations begin to count, and up to which check-in."""

    verdict: DriftVerdict
    declared: Mode
    window: DriftWindow
    through: int


FROM_THE_START = DriftWindow()


class _Change(Enum):
    """What answers since then make of an unsettled drift."""

    NONE = auto()
    REWRITTEN = auto()
    WITHDRAWN = auto()


def _change(
    uow: UnitOfWork, view: AdoptionView, cycle: Cycle, step: Step, *, found: StepDrift | None, seen: DriftSeen
) -> _Change:
    """What the answers now make of a drift that was found in this cycle.

    An answer that counted and was corrected to the plan, or to “Didn't run it”, withdraws the drift if the
    rule doesn't find it any more.
    """
    if found is None or found.cycle_id != cycle.id:
        return _Change.NONE
    verdict = seen.verdict
    if verdict.alone and not is_alone(found):
        return _Change.WITHDRAWN
    changes: list[Mode | None] = []
    for before, now in standards.corrected(uow, cycle=cycle, through=found.after_check_in):
        mode = now.modes.get(step.key, seen.declared) if now else None
        if seen.window.counts(before.answer, view, cycle) and mode != before.modes.get(
            step.key, seen.declared
        ):
            changes.append(mode)
    if not verdict.found and any(mode in (None, seen.declared) for mode in changes):
        return _Change.WITHDRAWN
    known = (found.used, found.evidence.get("also"))
    names_others = verdict.used is not None and (verdict.used, verdict.also) != known
    return _Change.REWRITTEN if changes or names_others else _Change.NONE


def latest_window(changes: Sequence[StepChange], events: Iterable[StepDrift]) -> DriftWindow:
    """Where attestations begin to count: at the last change of a step's mode, or when its drift was last
    settled.

    A change that was reversed, and the drift it settled, don't count.
    """
    undone = {f"mode-change:{row.takes_back}" for row in changes if row.takes_back is not None}
    marks = [
        DriftWindow(row.after_check_in, row.changed_at)
        for row in standards.standing(changes)
        if row.before is not None
    ] + [
        DriftWindow(row.after_check_in, row.at)
        for row in events
        if row.event in (DriftEvent.DECLARED, DriftEvent.BACK_TO_PLAN) and row.cause not in undone
    ]
    return max(marks, default=FROM_THE_START)


def see_drift(
    uow: UnitOfWork,
    view: AdoptionView,
    cycle: Cycle,
    step: Step,
    *,
    declared: Mode | None = None,
    window: DriftWindow = FROM_THE_START,
    as_of: AsOf | None = None,
    policy: DriftPolicy | None = None,
) -> DriftSeen:
    """Judge a step's attestations since its mode last changed or its owner went back to the plan.

    An answer counts from then on if its week wasn't over by then. Members with an open check-in of this week
    count as planned until they answer. To judge an earlier moment again, pass the stored one.
    """
    if as_of is None:
        declared = mode_of(current_modes(uow, view), step)
        window = _counts_since(uow, view, step)
    assert declared is not None  # noqa: S101 - it comes with a past moment
    through = as_of.through if as_of else checkins.last_check_in_id(uow, adoption_id=view.id)
    answers = standards.attested(uow, cycle=cycle, through=through)
    verdict = judge_drift(
        [
            StepAttestation(one.answer.week, one.modes.get(step.key, declared), declared, one.answer.member)
            for one in answers
            if window.counts(one.answer, view, cycle)
        ],
        awaited=_awaited(uow, view, cycle, through=through, as_of=as_of),
        policy=policy,
    )
    return DriftSeen(verdict, declared, window, through)


def _counts_since(uow: UnitOfWork, view: AdoptionView, step: Step) -> DriftWindow:
    changes = standards.mode_history(uow, adoption_id=view.id, step=step.key)
    events = standards.events(uow, adoption_id=view.id, step=step.key)
    return latest_window(changes, events)


def _awaited(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, *, through: int, as_of: AsOf | None) -> int:
    """Missing check-ins of this week, if the week belongs to the cycle."""
    if week_number(cycle.starts_on, view.today) is None:
        return 0
    asked = set(expected_members(uow, view, week_start=view.week_start, as_of=as_of))
    answered = checkins.answered_members(
        uow, adoption_id=view.id, week_start=view.week_start, through=through
    )
    return len(asked - answered)


def _reported(uow: UnitOfWork, view: AdoptionView, cycle: Cycle, step: Step) -> bool:
    """Whether the owner was told about one person's report on the step in this cycle."""
    rows = standards.events(uow, adoption_id=view.id, step=step.key)
    return any(row.event is DriftEvent.REPORTED and row.cycle_id == cycle.id for row in rows)


def _keep(
    uow: UnitOfWork,
    view: AdoptionView,
    cycle: Cycle,
    step: Step,
    seen: DriftSeen,
    event: DriftEvent,
    *,
    cause: str,
) -> StepDrift:
    row = StepDrift(
        workspace_id=view.workspace.id,
        adoption_id=view.id,
        cycle_id=cycle.id or 0,
        step=step.key,
        event=event,
        declared=seen.declared,
        used=seen.verdict.used,
        evidence={**drift_evidence(seen), "version": view.version.id},
        cause=cause,
        after_check_in=seen.through,
        at=uow.now,
    )
    standards.keep_drift(uow, row=row)
    return row


def _record_found(uow: UnitOfWork, view: AdoptionView, row: StepDrift) -> None:
    uow.record(
        surface="rule",
        action="drift-reported" if is_alone(row) else "drift",
        subject=f"adoption:{view.id}/{row.step}",
        after={"declared": row.declared, "used": row.used, **row.evidence},
    )


def _tell_found(uow: UnitOfWork, view: AdoptionView, row: StepDrift) -> None:
    _record_found(uow, view, row)
    recipients = (
        [view.playbook.owner] if is_alone(row) else [view.team.channel, *curators_read(uow, view.workspace)]
    )
    tell(uow, recipients, kind="drift", slot=row.id, subject={"drift": row.id})


def _tell_owner(uow: UnitOfWork, view: AdoptionView, row: StepDrift) -> None:
    tell(
        uow,
        [view.playbook.owner],
        kind="drift-reported",
        slot=row.id,
        subject={"drift": row.id},
    )


def drift_evidence(seen: DriftSeen) -> dict[str, object]:
    """The numbers of a drift for its row, enough to judge it again."""
    verdict = seen.verdict
    return {
        "lines": list(verdict.lines),
        "attested": verdict.attested,
        "awaited": verdict.awaited,
        "drifted": verdict.drifted,
        "also": verdict.also,
        "people": len(verdict.by),
        "weeks": list(verdict.weeks),
        "share": verdict.share,
        "limit_weeks": verdict.policy.weeks,
        "limit_people": verdict.policy.people,
        "limit_share": verdict.policy.share,
        "limit_attestations": verdict.policy.attestations,
        "since": seen.window.since.isoformat() if seen.window.since else None,
        "through_check_in": seen.through,
    }


def _withdraw(uow: UnitOfWork, view: AdoptionView, step: Step, found: StepDrift, *, cause: str) -> None:
    settle_drift(
        uow,
        view,
        step,
        event=DriftEvent.WITHDRAWN,
        declared=found.declared,
        member=None,
        reason="check-ins were corrected",
        cause=cause,
    )
    uow.record(surface="rule", action="drift-withdrawn", subject=f"adoption:{view.id}/{step.key}")


def back_to_plan_form(uow: UnitOfWork, *, adoption_id: int, step: str) -> BackToPlanForm:
    """The form in which the owner says what changes, so that the step is run as planned again.

    Raises:
        Refusal: there is no unsettled drift. NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.read():
        view, declared, found = _drifting(uow, adoption_id=adoption_id, step=step)
        return BackToPlanForm(
            playbook=view.playbook.title,
            team=view.team.title,
            step=declared.title,
            declared=found.declared,
            used=found.used or found.declared,
            also=found.evidence.get("also"),
        )


def _drifting(uow: UnitOfWork, *, adoption_id: int, step: str) -> tuple[AdoptionView, Step, StepDrift]:
    view = adoption_by_id(uow, adoption_id=adoption_id)
    require_owner_or_curator(uow, playbook=view.playbook, to="go back to the plan for a step")
    declared = view.step(step)
    found = found_drift(uow, view, declared)
    if found is None:
        raise Refusal(say("The drift of “{step}” is already settled.", step=declared.title))
    return view, declared, found


@once
def go_back_to_plan(uow: UnitOfWork, *, adoption_id: int, step: str, text: str) -> Done:
    """Go back to the planned mode: what changes is recorded, and drift counts from now on.

    Raises:
        Refusal: the text is empty, or there is no unsettled drift. NotAllowed: the caller is neither the
        owner nor a curator.
    """
    if not text.strip():
        raise Refusal("Add a sentence on what you'll change.", field="note")
    with uow.write():
        adoptions.lock_adoption(uow, adoption_id=adoption_by_id(uow, adoption_id=adoption_id).id)
        view = adoption_by_id(uow, adoption_id=adoption_id)
        noted = say(
            "Saved: “{step}” in {title} is back to the plan, and the alert shows it. "
            "Drift counters have been reset.",
            step=view.step(step).title,
            title=view.playbook.title,
        )
        _, declared, found = _drifting(uow, adoption_id=adoption_id, step=step)
        settle_drift(
            uow,
            view,
            declared,
            event=DriftEvent.BACK_TO_PLAN,
            declared=found.declared,
            member=uow.actor.member,
            reason=text.strip(),
            cause=f"member:{uow.actor.member}",
        )
        uow.record(
            action=DriftEvent.BACK_TO_PLAN.value, subject=f"adoption:{view.id}/{step}", after=text.strip()
        )
        return Done(text=noted)
