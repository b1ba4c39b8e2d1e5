"""Drift: find a step that is run in another mode than declared, and let its owner recommit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from cadence.documents import Step
from cadence.flows.announcing import curators_read, tell
from cadence.flows.asked_members import AsOf, expected_members
from cadence.flows.callers import Caller, require_owner_or_curator
from cadence.flows.drift_state import found_drift, is_alone, rewrite_reported, settle_drift
from cadence.flows.noting import note, note_rule
from cadence.flows.repeats import once
from cadence.flows.runs import TeamRun, current_modes, mode_of, run_by_id
from cadence.mrkdwn import say
from cadence.refusals import Refusal
from cadence.rules.calendar import local_day, monday_of, week_number
from cadence.rules.drift import DriftEvent, DriftPolicy, DriftVerdict, StepAttestation, judge_drift
from cadence.rules.modes import Mode
from storage import decisions, drifts, playbooks, reports
from storage.engine import Database
from storage.tables import Cycle, ModeChange, StepDrift
from templates.contexts.answers import Done
from templates.contexts.standards import RecommitForm


def judge_drifts(
    session: Session, run: TeamRun, cycle: Cycle, *, cause: str, now: datetime, correlation_id: str = ""
) -> None:
    """Look at every step of a cycle for drift; an alert goes out when a step begins to drift.

    What one person alone reports goes to the owner in a DM, once a cycle; a second person makes it public.

    `cause` is what made us look: `check-in:ID` or `close:CYCLE`. A drift that is waiting for its owner isn't
    told again; it is withdrawn when the answers it was found in were corrected, or only one person's are left.
    """
    for step in run.spec.steps:
        found = found_drift(session, run, step)
        seen = see_drift(session, run, cycle, step)
        if found is not None and found.cycle_id == cycle.id and _is_corrected(found, seen.verdict):
            _withdraw(session, run, step, found, cause=cause, now=now, correlation_id=correlation_id)
            found = None
        if seen.verdict.found and (found is None or (is_alone(found) and not seen.verdict.alone)):
            row = _keep(session, run, cycle, step, seen, DriftEvent.FOUND, cause=cause, now=now)
            _tell_found(session, run, row, now=now, correlation_id=correlation_id)
        elif found is None and seen.verdict.alone and not _reported(session, run, cycle, step):
            row = _keep(session, run, cycle, step, seen, DriftEvent.REPORTED, cause=cause, now=now)
            if seen.verdict.by != (run.playbook.owner,):
                _tell_owner(session, run, row, now=now, correlation_id=correlation_id)
        rewrite_reported(session, run, step, mark=cause, now=now, cycle_id=cycle.id)


def _is_corrected(found: StepDrift, now: DriftVerdict) -> bool:
    """Whether answers behind a drift were corrected so that it is none any more, or one person's alone."""
    if now.alone and not is_alone(found):
        return True
    return not now.found and now.drifted < int(found.evidence["drifted"])


@dataclass(frozen=True, slots=True)
class DriftSeen:
    """A step judged for drift: after which check-in attestations count (since when), and up to which."""

    verdict: DriftVerdict
    declared: Mode
    since: datetime | None
    after: int
    through: int


class DriftWindow(NamedTuple):
    """From where attestations of a step count: after a check-in, at an instant (None from the cycle's start on)."""

    after: int = 0
    since: datetime | None = None


FROM_THE_START = DriftWindow()


def latest_window(changes: Sequence[ModeChange], events: Iterable[StepDrift]) -> DriftWindow:
    """Where attestations count from: the last change of a step's mode, or the last time its drift was settled.

    A change that was taken back, and the drift it settled, are as if they hadn't been.
    """
    undone = {f"mode-change:{row.takes_back}" for row in changes if row.takes_back is not None}
    marks = [
        DriftWindow(row.after_check_in, row.changed_at)
        for row in decisions.standing(changes)
        if row.before is not None
    ] + [
        DriftWindow(row.after_check_in, row.at)
        for row in events
        if row.event in (DriftEvent.DECLARED, DriftEvent.RECOMMITTED) and row.cause not in undone
    ]
    return max(marks, default=FROM_THE_START)


def see_drift(
    session: Session,
    run: TeamRun,
    cycle: Cycle,
    step: Step,
    *,
    declared: Mode | None = None,
    window: DriftWindow = FROM_THE_START,
    as_of: AsOf | None = None,
    policy: DriftPolicy | None = None,
) -> DriftSeen:
    """Judge a step's attestations since its mode last changed or its owner recommitted.

    An answer counts from then on, when its week wasn't over by then. Members of this week's open check-in
    count as declared until they answer. To judge a past moment again, give it with what was stored.
    """
    if as_of is None:
        declared = mode_of(current_modes(session, run), step)
        window = _counts_since(session, run, step)
    assert declared is not None  # noqa: S101 - it comes with a past moment
    through = (
        as_of.through
        if as_of
        else reports.last_check_in_id(session, workspace_id=run.workspace.id, adoption_id=run.id)
    )
    first_week = monday_of(local_day(window.since, run.zone)) if window.since else cycle.starts_on
    answers = drifts.attested(session, workspace_id=run.workspace.id, cycle_id=cycle.id or 0, through=through)
    verdict = judge_drift(
        [
            StepAttestation(
                one.check_in.week, one.modes.get(step.key, declared), declared, one.check_in.member
            )
            for one in answers
            if one.check_in.week_start >= first_week and (one.check_in.id or 0) > window.after
        ],
        awaited=_awaited(session, run, cycle, through=through, as_of=as_of),
        policy=policy,
    )
    return DriftSeen(verdict, declared, window.since, window.after, through)


def _counts_since(session: Session, run: TeamRun, step: Step) -> DriftWindow:
    changes = decisions.mode_history(
        session, workspace_id=run.workspace.id, adoption_id=run.id, step=step.key
    )
    events = drifts.events(session, workspace_id=run.workspace.id, adoption_id=run.id, step=step.key)
    return latest_window(changes, events)


def _awaited(session: Session, run: TeamRun, cycle: Cycle, *, through: int, as_of: AsOf | None) -> int:
    """Check-ins of this week that may still come, when the week belongs to the cycle."""
    if week_number(cycle.starts_on, run.today) is None:
        return 0
    asked = set(expected_members(session, run, week_start=run.week_start, as_of=as_of))
    answered = reports.answered_members(
        session,
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        week_start=run.week_start,
        through=through,
    )
    return len(asked - answered)


def _reported(session: Session, run: TeamRun, cycle: Cycle, step: Step) -> bool:
    """Whether the owner heard of one person's report on the step in this cycle."""
    rows = drifts.events(session, workspace_id=run.workspace.id, adoption_id=run.id, step=step.key)
    return any(row.event is DriftEvent.REPORTED and row.cycle_id == cycle.id for row in rows)


def _keep(
    session: Session,
    run: TeamRun,
    cycle: Cycle,
    step: Step,
    seen: DriftSeen,
    event: DriftEvent,
    *,
    cause: str,
    now: datetime,
) -> StepDrift:
    row = StepDrift(
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        cycle_id=cycle.id or 0,
        step=step.key,
        event=event,
        declared=seen.declared,
        used=seen.verdict.used,
        evidence={**drift_evidence(seen), "version": run.version.id},
        cause=cause,
        after_check_in=seen.through,
        at=now,
    )
    session.add(row)
    session.flush()
    return row


def _tell_found(
    session: Session, run: TeamRun, row: StepDrift, *, now: datetime, correlation_id: str
) -> None:
    note_rule(
        session,
        run,
        action="drift-reported" if is_alone(row) else "drift",
        subject=f"adoption:{run.id}/{row.step}",
        now=now,
        after={"declared": row.declared, "used": row.used, **row.evidence},
        correlation_id=correlation_id,
    )
    recipients = (
        [run.playbook.owner] if is_alone(row) else [run.team.channel, *curators_read(session, run.workspace)]
    )
    tell(
        session,
        run.workspace,
        recipients,
        kind="drift",
        slot=row.id,
        subject={"drift": row.id},
        now=now,
        correlation_id=correlation_id,
    )


def _tell_owner(
    session: Session, run: TeamRun, row: StepDrift, *, now: datetime, correlation_id: str
) -> None:
    tell(
        session,
        run.workspace,
        [run.playbook.owner],
        kind="drift-reported",
        slot=row.id,
        subject={"drift": row.id},
        now=now,
        correlation_id=correlation_id,
    )


def drift_evidence(seen: DriftSeen) -> dict[str, object]:
    """The numbers of a drift as its row keeps them, enough to judge it again."""
    verdict = seen.verdict
    return {
        "lines": list(verdict.lines),
        "attested": verdict.attested,
        "awaited": verdict.awaited,
        "drifted": verdict.drifted,
        "people": len(verdict.by),
        "weeks": list(verdict.weeks),
        "share": verdict.share,
        "limit_weeks": verdict.policy.weeks,
        "limit_people": verdict.policy.people,
        "limit_share": verdict.policy.share,
        "limit_attestations": verdict.policy.attestations,
        "since": seen.since.isoformat() if seen.since else None,
        "through_check_in": seen.through,
    }


def _withdraw(
    session: Session,
    run: TeamRun,
    step: Step,
    found: StepDrift,
    *,
    cause: str,
    now: datetime,
    correlation_id: str,
) -> None:
    settle_drift(
        session,
        run,
        step,
        event=DriftEvent.WITHDRAWN,
        declared=found.declared,
        member=None,
        reason="the answers were corrected",
        cause=cause,
        now=now,
        correlation_id=correlation_id,
    )
    note_rule(
        session,
        run,
        action="drift-withdrawn",
        subject=f"adoption:{run.id}/{step.key}",
        now=now,
        correlation_id=correlation_id,
    )


def recommit_form(
    db: Database, caller: Caller, *, adoption_id: int, step: str, now: datetime
) -> RecommitForm:
    """The form in which the owner says what changes, so that the step is run as declared again.

    Raises:
        Refusal: no drift waits.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with db.read() as session:
        run, declared, found = _drifting(session, caller, adoption_id=adoption_id, step=step, now=now)
        return RecommitForm(
            playbook=run.playbook.title,
            team=run.team.title,
            step=declared.title,
            declared=found.declared,
            used=found.used or found.declared,
        )


def _drifting(
    session: Session, caller: Caller, *, adoption_id: int, step: str, now: datetime
) -> tuple[TeamRun, Step, StepDrift]:
    run = run_by_id(session, workspace_id=caller.workspace_id, adoption_id=adoption_id, now=now)
    require_owner_or_curator(session, caller, owner=run.playbook.owner, to="recommit to a step's mode")
    declared = run.step(step)
    found = found_drift(session, run, declared)
    if found is None:
        raise Refusal(say("No drift of {step} waits any more; it has been settled.", step=declared.title))
    return run, declared, found


@once
def recommit(db: Database, caller: Caller, *, adoption_id: int, step: str, text: str, now: datetime) -> Done:
    """The owner recommits to the mode declared: what changes is kept, and drift counts from now on.

    Raises:
        Refusal: nothing was said, or no drift waits.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    if not text.strip():
        raise Refusal("Say in a sentence what will change.", field="note")
    with db.write() as session:
        playbooks.lock_adoption(session, workspace_id=caller.workspace_id, adoption_id=adoption_id)
        run = run_by_id(session, workspace_id=caller.workspace_id, adoption_id=adoption_id, now=now)
        noted = say(
            "Noted: {step} of {title} goes on as declared. The alert now says so, "
            "and drift counts from now on.",
            step=run.step(step).title,
            title=run.playbook.title,
        )
        _, declared, found = _drifting(session, caller, adoption_id=adoption_id, step=step, now=now)
        settle_drift(
            session,
            run,
            declared,
            event=DriftEvent.RECOMMITTED,
            declared=found.declared,
            member=caller.member,
            reason=text.strip(),
            cause=f"member:{caller.member}",
            now=now,
            correlation_id=caller.request,
        )
        note(
            session,
            caller,
            action="recommitted",
            subject=f"adoption:{run.id}/{step}",
            after=text.strip(),
            now=now,
        )
        return Done(text=noted)
