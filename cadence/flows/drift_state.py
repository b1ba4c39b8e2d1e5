"""Whether a step's drift waits for its owner, and what settles it."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from cadence.documents import Step
from cadence.flows.runs import TeamRun
from cadence.rules.drift import DriftEvent, open_drift
from cadence.rules.modes import Mode
from storage import drifts, ledger, reports
from storage.tables import StepDrift


def drift_open(session: Session, run: TeamRun, step: Step) -> bool:
    """Whether a drift that isn't one person's alone waits for the owner.

    One person's keeps no step from a promotion: the closing post would have to say so.
    """
    found = found_drift(session, run, step)
    return found is not None and not is_alone(found)


def found_drift(session: Session, run: TeamRun, step: Step) -> StepDrift | None:
    """The drift that waits for the owner, None when none does."""
    rows = drifts.events(session, workspace_id=run.workspace.id, adoption_id=run.id, step=step.key)
    return rows[-1] if open_drift([row.event for row in rows]) else None


def is_alone(row: StepDrift) -> bool:
    """Whether one person alone reported it: only the owner reads of it, never a channel."""
    return row.event is DriftEvent.REPORTED or row.evidence.get("people") == 1


def settle_drift(
    session: Session,
    run: TeamRun,
    step: Step,
    *,
    event: DriftEvent,
    declared: Mode,
    member: str | None,
    reason: str,
    cause: str,
    now: datetime,
    correlation_id: str = "",
) -> bool:
    """End the step's open drift, if there is one, and owe its alerts a rewrite; False when there is none.

    The caller records what happened in the trail.
    """
    found = found_drift(session, run, step)
    if found is None:
        rewrite_reported(session, run, step, mark=cause, now=now)
        return False
    session.add(
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
            after_check_in=reports.last_check_in_id(
                session, workspace_id=run.workspace.id, adoption_id=run.id
            ),
            at=now,
        )
    )
    session.flush()
    rewrite_reported(session, run, step, mark=f"{cause}:{now.timestamp()}", now=now)
    alerts = drifts.alerts_until(session, workspace_id=run.workspace.id, found=found)
    _owe_rewrites(session, alerts, now=now, correlation_id=correlation_id)
    return True


def rewrite_reported(
    session: Session, run: TeamRun, step: Step, *, mark: str, now: datetime, cycle_id: int | None = None
) -> None:
    """Owe the owner's DM on what one person reported last (in a cycle, or at all) a rewrite to how that stands."""
    rows = drifts.events(session, workspace_id=run.workspace.id, adoption_id=run.id, step=step.key)
    last = next((row for row in reversed(rows) if row.event is DriftEvent.REPORTED), None)
    if last is not None and cycle_id in (None, last.cycle_id):
        key = f"drift-reported:{last.workspace_id}:{last.id}"
        sent = ledger.by_prefix(session, workspace_id=last.workspace_id, prefix=key)
        ledger.owe_rewrites(session, workspace_id=last.workspace_id, messages=sent, mark=mark, now=now)


def alert_key(found: StepDrift) -> str:
    """The start of the ledger keys of a drift's alerts; `:recipient` follows."""
    return f"drift:{found.workspace_id}:{found.id}"


def _owe_rewrites(
    session: Session, alerts: Sequence[StepDrift], *, now: datetime, correlation_id: str
) -> None:
    for found in alerts:
        copies = ledger.by_prefix(session, workspace_id=found.workspace_id, prefix=alert_key(found))
        ledger.owe_rewrites(
            session,
            workspace_id=found.workspace_id,
            messages=copies,
            mark="settled",
            now=now,
            correlation_id=correlation_id,
        )
