"""Where a later team stands: its setup before the first cycle, its number beside the origin team's."""

from datetime import datetime

from sqlmodel import Session

from cadence.flows.kpis import latest_value
from cadence.flows.origins import origin_of, origin_value
from cadence.flows.runs import TeamRun, run_by_id
from cadence.flows.setups import checklist, minutes_of
from cadence.refusals import Refusal
from cadence.rules.kpi import Unit, format_amount
from storage import setups
from storage.tables import PlaybookState


def standing(session: Session, run: TeamRun, *, now: datetime) -> tuple[str, ...]:
    """How setup stands while there is no cycle, and how the origin team's number does: a sentence each."""
    found = (_setup(session, run, now=now) if run.cycle is None else None, _beside(session, run, now=now))
    return tuple(line for line in found if line)


def _setup(session: Session, run: TeamRun, *, now: datetime) -> str | None:
    if run.playbook.state is PlaybookState.RETIRED:
        return "The playbook is retired, so no cycle of it starts"
    row = setups.of_adoption(session, workspace_id=run.workspace.id, adoption_id=run.id)
    if row is None:
        return "No cycle yet, and setup hasn't started: its checklist is in the team's channel"
    if row.done_at is not None:
        return f"No cycle yet: set up in {minutes_of(row, now=now):,} min, ready for its first"
    ticked = len(setups.ticks(session, workspace_id=run.workspace.id, setup_id=row.id or 0))
    return f"No cycle yet: being set up, {ticked} of {len(checklist(session, row))} items done"


def _beside(session: Session, run: TeamRun, *, now: datetime) -> str | None:
    theirs = origin_value(session, run)
    origin = origin_of(session, run)
    if theirs is None or origin is None:
        return None
    unit = Unit(run.spec.kpi.unit)
    try:
        team = run_by_id(
            session, workspace_id=run.workspace.id, adoption_id=origin.id or 0, now=now
        ).team.title
    except Refusal:
        team = "the first team"
    here = latest_value(session, run)
    beside = "" if here is None else f"; here it is {_difference(here - theirs, unit)}"
    return f"Where it began, {team}, the last cycle closed at {format_amount(theirs, unit)}{beside}"


def _difference(by: float, unit: Unit) -> str:
    if not by:
        return "the same"
    size = f"{abs(by):g} points" if unit is Unit.PERCENT else format_amount(abs(by), unit)
    return f"{size} {'above' if by > 0 else 'below'}"
