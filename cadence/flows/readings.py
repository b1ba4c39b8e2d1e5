"""Keep a weekly number: the KPI's own, or a guardrail's. A correction is a new row."""

from datetime import datetime

from sqlmodel import Session

from cadence.flows.asked_numbers import rewrite_missing_number
from cadence.flows.callers import Caller
from cadence.flows.runs import TeamRun
from cadence.flows.weeks import ReportWeek
from storage import reports, trail


def keep_reading(
    session: Session,
    caller: Caller,
    run: TeamRun,
    week: ReportWeek,
    *,
    value: float,
    typed: str,
    note: str = "",
    guardrail: str = "",
    now: datetime,
) -> float | None:
    """Save a reading and return the value it corrects, if there was one; the same again changes nothing."""
    before = reports.replace_reading(
        session,
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        week_start=week.start,
        guardrail=guardrail,
        value=value,
        note=note,
        now=now,
    )
    reading_id = reports.add_reading(
        session,
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        cycle_id=week.cycle.id or 0,
        week=week.week,
        week_start=week.start,
        guardrail=guardrail,
        value=value,
        typed=typed[:200],
        note=note,
        member=caller.member,
        surface=caller.surface,
        now=now,
    )
    if reading_id is None:
        return None
    subject = f"adoption:{run.id}/week:{week.start}"
    trail.record(
        session,
        workspace_id=run.workspace.id,
        at=now,
        member=caller.member,
        action="reading" if before is None else "reading-corrected",
        subject=f"{subject}/{guardrail}" if guardrail else subject,
        surface=caller.surface,
        before=before,
        after=value,
        correlation_id=caller.request,
    )
    if not guardrail:
        rewrite_missing_number(session, caller, run, week_start=week.start, mark=f"{reading_id}", now=now)
    return before
