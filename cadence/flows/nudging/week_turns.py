"""When a week turns, its estimated runs begin to count (SPEC §5): steps that are watched are judged again."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.actor import Actor
from cadence.flows.core import run_by_id
from cadence.flows.standards import judge
from cadence.rules.calendar import instant, local_day, monday_of
from storage.engine import Database
from storage.queries import cycles, decisions, playbooks
from storage.tables import CycleState
from storage.work import UnitOfWork

WEEK = "week:"
"""What the cause of a verdict begins with when a week's turn made us look."""


def judge_turned_weeks(db: Database, *, now: datetime) -> int:
    """Judge each watched step whose week is over by its team's clock; returns how many."""
    with db.read() as session:
        due = [
            row
            for row, turns_at in week_turns(session)
            if turns_at <= now
            and _is_there(UnitOfWork.around(session, Actor.system(row.workspace_id), now), row)
        ]
    return sum(_judge(UnitOfWork(db, Actor.system(row.workspace_id), now), row) for row in due)


def week_turns(session: Session) -> list[tuple[cycles.WatchedRow, datetime]]:
    """The watched steps of running cycles, each with the Monday midnight after it was last judged."""
    found = []
    for row in cycles.watched(session):
        zone = ZoneInfo(row.timezone)
        monday = monday_of(local_day(row.judged_at, zone)) + timedelta(weeks=1)
        if monday < row.closes_on:
            found.append((row, instant(monday, time.min, zone)))
    return found


def _is_there(uow: UnitOfWork, row: cycles.WatchedRow) -> bool:
    """Whether the team's version still has the step."""
    run = run_by_id(uow, adoption_id=row.adoption_id)
    return run.spec.step(row.step) is not None


def _judge(uow: UnitOfWork, row: cycles.WatchedRow) -> bool:
    """False when something was judged, or the cycle closed, meanwhile."""
    with uow.write():
        playbooks.lock_adoption(uow, adoption_id=row.adoption_id)
        cycle = playbooks.cycle(uow, cycle_id=row.cycle_id)
        uow.session.refresh(cycle)
        run = run_by_id(uow, adoption_id=row.adoption_id)
        step = run.spec.step(row.step)
        [last] = decisions.last_verdicts(uow, adoption_id=run.id, step=row.step, limit=1)
        if step is None or last.id != row.verdict_id or cycle.state is CycleState.CLOSED:
            return False
        judge(uow, run, cycle, step, cause=f"{WEEK}{run.week_start}")
        return True
