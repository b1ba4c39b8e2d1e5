"""Keep a weekly number: the KPI's own, or a guardrail's. A correction is a new row."""

from datetime import datetime

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.runs import TeamRun
from cadence.flows.weeks import ReportWeek
from storage import numbers
from storage.numbers import Number


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
    kept = numbers.keep(
        session,
        workspace_id=run.workspace.id,
        number=Number(
            adoption_id=run.id,
            cycle_id=week.cycle.id or 0,
            cycle_state=week.cycle.state,
            week=week.week,
            week_start=week.start,
            guardrail=guardrail,
            value=value,
            typed=typed,
            note=note,
            member=caller.member,
            surface=caller.surface,
            request=caller.request,
            at=now,
        ),
    )
    return kept.before
