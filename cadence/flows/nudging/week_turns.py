"""When a week begins, its estimated runs count (SPEC §5): steps with exceptions are judged again."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.actor import Actor
from cadence.flows.core import adoption_by_id
from cadence.flows.standards import judge
from cadence.rules.calendar import instant, local_day, monday_of
from storage.engine import Database
from storage.queries import adoptions, cycles, standards
from storage.tables import CycleState
from storage.work import UnitOfWork

WEEK = "week:"
"""Prefix of the cause of a verdict that was triggered by the beginning of a week."""


def turned_weeks(session: Session, *, now: datetime) -> list[standards.JudgedRow]:
    """The steps with exceptions whose week is over in their team's zone."""
    return [
        row
        for row, turns_at in week_turns(session)
        if turns_at <= now and _is_there(UnitOfWork.around(session, Actor.system(row.workspace_id), now), row)
    ]


def judge_turned_weeks(db: Database, due: Iterable[standards.JudgedRow], *, now: datetime) -> int:
    """Judge the steps of `turned_weeks`, each in its own transaction; returns how many."""
    return sum(_judge(UnitOfWork(db, Actor.system(row.workspace_id), now), row) for row in due)


def week_turns(session: Session) -> list[tuple[standards.JudgedRow, datetime]]:
    """The steps with exceptions in running cycles, each with the Monday midnight after it was last judged."""
    found = []
    for row in standards.with_exceptions(session):
        zone = ZoneInfo(row.timezone)
        monday = monday_of(local_day(row.judged_at, zone)) + timedelta(weeks=1)
        if monday < row.closes_on:
            found.append((row, instant(monday, time.min, zone)))
    return found


def _is_there(uow: UnitOfWork, row: standards.JudgedRow) -> bool:
    """Whether the team's version still has the step."""
    view = adoption_by_id(uow, adoption_id=row.adoption_id)
    return view.spec.step(row.step) is not None


def _judge(uow: UnitOfWork, row: standards.JudgedRow) -> bool:
    """Returns False if something was judged, or the cycle closed, meanwhile."""
    with uow.write():
        adoptions.lock_adoption(uow, adoption_id=row.adoption_id)
        cycle = cycles.cycle(uow, cycle_id=row.cycle_id)
        uow.session.refresh(cycle)
        view = adoption_by_id(uow, adoption_id=row.adoption_id)
        step = view.spec.step(row.step)
        [last] = standards.last_verdicts(uow, adoption_id=view.id, step=row.step, limit=1)
        if step is None or last.id != row.verdict_id or cycle.state is CycleState.CLOSED:
            return False
        judge(uow, view, cycle, step, cause=f"{WEEK}{view.week_start}")
        return True
