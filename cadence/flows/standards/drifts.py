"""Whether a step's drift waits for its owner, and what settles it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from cadence.documents import Step
from cadence.flows.core import (
    AsOf,
    TeamRun,
    curators_read,
    current_modes,
    expected_members,
    mode_of,
    note,
    note_rule,
    once,
    require_owner_or_curator,
    run_by_id,
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
from storage.outbox import ledger
from storage.queries import decisions, drifts, playbooks, reports
from storage.tables import Cycle, ModeChange, StepDrift
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.standards import RecommitForm


def drift_open(uow: UnitOfWork, run: TeamRun, step: Step) -> bool:
    """Whether a drift that isn't one person's alone waits for the owner.

    One person's keeps no step from a promotion: the closing post would have to say so.
    """
    found = found_drift(uow, run, step)
    return found is not None and not is_alone(found)


def found_drift(uow: UnitOfWork, run: TeamRun, step: Step) -> StepDrift | None:
    """The drift that waits for the owner, None when none does."""
    rows = drifts.events(uow, adoption_id=run.id, step=step.key)
    return rows[-1] if open_drift([row.event for row in rows]) else None


def is_alone(row: StepDrift) -> bool:
    """Whether one person alone reported it: only the owner reads of it, never a channel."""
    return row.event is DriftEvent.REPORTED or row.evidence.get("people") == 1


def settle_drift(
    uow: UnitOfWork,
    run: TeamRun,
    step: Step,
    *,
    event: DriftEvent,
    declared: Mode,
    member: str | None,
    reason: str,
    cause: str,
) -> bool:
    """End the step's open drift, if there is one, and owe its alerts a rewrite; False when there is none.

    The caller records what happened in the trail.
    """
    found = found_drift(uow, run, step)
    if found is None:
        rewrite_reported(uow, run, step, mark=cause)
        return False
    uow.session.add(
        StepDrift(
            workspace_id=run.workspace.id,
            adoption_id=run.id,
            cycle_id=found.cycle_id,
            step=step.key,
            event=event,
            declared=declared,
            used=found.used,
            member=member,
            reason=reason,
            cause=cause,
            after_check_in=reports.last_check_in_id(uow, adoption_id=run.id),
            at=uow.now,
        )
    )
    uow.session.flush()
    rewrite_reported(uow, run, step, mark=f"{cause}:{uow.now.timestamp()}")
    alerts = drifts.alerts_until(uow, found=found)
    _owe_rewrites(uow, alerts)
    return True


def rewrite_reported(
    uow: UnitOfWork, run: TeamRun, step: Step, *, mark: str, cycle_id: int | None = None
) -> None:
    """Owe the owner's DM on what one person reported last (in a cycle, or at all) a rewrite to how that stands."""
    rows = drifts.events(uow, adoption_id=run.id, step=step.key)
    last = next((row for row in reversed(rows) if row.event is DriftEvent.REPORTED), None)
    if last is not None and cycle_id in (None, last.cycle_id):
        key = f"drift-reported:{last.workspace_id}:{last.id}"
        sent = ledger.by_prefix(uow, prefix=key)
        ledger.owe_rewrites(uow, messages=sent, mark=mark)


def alert_key(found: StepDrift) -> str:
    """The start of the ledger keys of a drift's alerts; `:recipient` follows."""
    return f"drift:{found.workspace_id}:{found.id}"


def _owe_rewrites(uow: UnitOfWork, alerts: Sequence[StepDrift]) -> None:
    for found in alerts:
        copies = ledger.by_prefix(uow, prefix=alert_key(found))
        ledger.owe_rewrites(uow, messages=copies, mark="settled")


def judge_drifts(uow: UnitOfWork, run: TeamRun, cycle: Cycle, *, cause: str) -> None:
    """Look at every step of a cycle for drift; an alert goes out when a step begins to drift.

    What one person alone reports goes to the owner in a DM, once a cycle; a second person makes it public.

    `cause` is what made us look: `check-in:ID` or `close:CYCLE`. A drift that is waiting for its owner isn't
    told again; it is withdrawn when the answers it was found in were corrected, or only one person's are left.
    """
    for step in run.spec.steps:
        found = found_drift(uow, run, step)
        seen = see_drift(uow, run, cycle, step)
        if found is not None and found.cycle_id == cycle.id and _is_corrected(found, seen.verdict):
            _withdraw(uow, run, step, found, cause=cause)
            found = None
        if seen.verdict.found and (found is None or (is_alone(found) and not seen.verdict.alone)):
            row = _keep(uow, run, cycle, step, seen, DriftEvent.FOUND, cause=cause)
            _tell_found(uow, run, row)
        elif found is None and seen.verdict.alone and not _reported(uow, run, cycle, step):
            row = _keep(uow, run, cycle, step, seen, DriftEvent.REPORTED, cause=cause)
            if seen.verdict.by != (run.playbook.owner,):
                _tell_owner(uow, run, row)
        rewrite_reported(uow, run, step, mark=cause, cycle_id=cycle.id)


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
    uow: UnitOfWork,
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
        declared = mode_of(current_modes(uow, run), step)
        window = _counts_since(uow, run, step)
    assert declared is not None  # noqa: S101 - it comes with a past moment
    through = as_of.through if as_of else reports.last_check_in_id(uow, adoption_id=run.id)
    first_week = monday_of(local_day(window.since, run.zone)) if window.since else cycle.starts_on
    answers = drifts.attested(uow, cycle_id=cycle.id or 0, through=through)
    verdict = judge_drift(
        [
            StepAttestation(
                one.check_in.week, one.modes.get(step.key, declared), declared, one.check_in.member
            )
            for one in answers
            if one.check_in.week_start >= first_week and (one.check_in.id or 0) > window.after
        ],
        awaited=_awaited(uow, run, cycle, through=through, as_of=as_of),
        policy=policy,
    )
    return DriftSeen(verdict, declared, window.since, window.after, through)


def _counts_since(uow: UnitOfWork, run: TeamRun, step: Step) -> DriftWindow:
    changes = decisions.mode_history(uow, adoption_id=run.id, step=step.key)
    events = drifts.events(uow, adoption_id=run.id, step=step.key)
    return latest_window(changes, events)


def _awaited(uow: UnitOfWork, run: TeamRun, cycle: Cycle, *, through: int, as_of: AsOf | None) -> int:
    """Check-ins of this week that may still come, when the week belongs to the cycle."""
    if week_number(cycle.starts_on, run.today) is None:
        return 0
    asked = set(expected_members(uow, run, week_start=run.week_start, as_of=as_of))
    answered = reports.answered_members(uow, adoption_id=run.id, week_start=run.week_start, through=through)
    return len(asked - answered)


def _reported(uow: UnitOfWork, run: TeamRun, cycle: Cycle, step: Step) -> bool:
    """Whether the owner heard of one person's report on the step in this cycle."""
    rows = drifts.events(uow, adoption_id=run.id, step=step.key)
    return any(row.event is DriftEvent.REPORTED and row.cycle_id == cycle.id for row in rows)


def _keep(
    uow: UnitOfWork, run: TeamRun, cycle: Cycle, step: Step, seen: DriftSeen, event: DriftEvent, *, cause: str
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
        at=uow.now,
    )
    uow.session.add(row)
    uow.session.flush()
    return row


def _tell_found(uow: UnitOfWork, run: TeamRun, row: StepDrift) -> None:
    note_rule(
        uow,
        action="drift-reported" if is_alone(row) else "drift",
        subject=f"adoption:{run.id}/{row.step}",
        after={"declared": row.declared, "used": row.used, **row.evidence},
    )
    recipients = (
        [run.playbook.owner] if is_alone(row) else [run.team.channel, *curators_read(uow, run.workspace)]
    )
    tell(uow, run.workspace, recipients, kind="drift", slot=row.id, subject={"drift": row.id})


def _tell_owner(uow: UnitOfWork, run: TeamRun, row: StepDrift) -> None:
    tell(
        uow,
        run.workspace,
        [run.playbook.owner],
        kind="drift-reported",
        slot=row.id,
        subject={"drift": row.id},
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


def _withdraw(uow: UnitOfWork, run: TeamRun, step: Step, found: StepDrift, *, cause: str) -> None:
    settle_drift(
        uow,
        run,
        step,
        event=DriftEvent.WITHDRAWN,
        declared=found.declared,
        member=None,
        reason="the answers were corrected",
        cause=cause,
    )
    note_rule(uow, action="drift-withdrawn", subject=f"adoption:{run.id}/{step.key}")


def recommit_form(uow: UnitOfWork, *, adoption_id: int, step: str) -> RecommitForm:
    """The form in which the owner says what changes, so that the step is run as declared again.

    Raises:
        Refusal: no drift waits.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    with uow.read():
        run, declared, found = _drifting(uow, adoption_id=adoption_id, step=step)
        return RecommitForm(
            playbook=run.playbook.title,
            team=run.team.title,
            step=declared.title,
            declared=found.declared,
            used=found.used or found.declared,
        )


def _drifting(uow: UnitOfWork, *, adoption_id: int, step: str) -> tuple[TeamRun, Step, StepDrift]:
    run = run_by_id(uow, adoption_id=adoption_id)
    require_owner_or_curator(uow, owner=run.playbook.owner, to="recommit to a step's mode")
    declared = run.step(step)
    found = found_drift(uow, run, declared)
    if found is None:
        raise Refusal(say("No drift of {step} waits any more; it has been settled.", step=declared.title))
    return run, declared, found


@once
def recommit(uow: UnitOfWork, *, adoption_id: int, step: str, text: str) -> Done:
    """The owner recommits to the mode declared: what changes is kept, and drift counts from now on.

    Raises:
        Refusal: nothing was said, or no drift waits.
        NotAllowed: the caller is neither the owner nor a curator.
    """
    if not text.strip():
        raise Refusal("Say in a sentence what will change.", field="note")
    with uow.write():
        playbooks.lock_adoption(uow, adoption_id=adoption_id)
        run = run_by_id(uow, adoption_id=adoption_id)
        noted = say(
            "Noted: {step} of {title} goes on as declared. The alert now says so, "
            "and drift counts from now on.",
            step=run.step(step).title,
            title=run.playbook.title,
        )
        _, declared, found = _drifting(uow, adoption_id=adoption_id, step=step)
        settle_drift(
            uow,
            run,
            declared,
            event=DriftEvent.RECOMMITTED,
            declared=found.declared,
            member=uow.actor.member,
            reason=text.strip(),
            cause=f"member:{uow.actor.member}",
        )
        note(uow, action="recommitted", subject=f"adoption:{run.id}/{step}", after=text.strip())
        return Done(text=noted)
