"""Somebody is back before the days they said are over: the check-in they missed still comes, on a working day."""

from datetime import date, datetime, timedelta

from sqlmodel import Session

from cadence.flows.checkin_rows import key, member_runs
from cadence.flows.rollouts import rollout_of
from cadence.flows.runs import TeamRun
from cadence.nudges import CHECKIN, is_working
from cadence.rules.calendar import instant, local_day, monday_of, working_day_from
from storage import ledger, reports
from storage.ledger import Owed
from storage.tables import MessageState, Workspace


def owe_missed_checkin(
    session: Session, workspace: Workspace, who: str, *, now: datetime, correlation_id: str = ""
) -> bool:
    """Owe somebody who is back this week's check-in, when its hour has passed and it never came.

    It comes today at the check-in's hour, at once when that is over, else on their next working day of the week: just
    as if they had said before that they would be back. Returns whether anything was owed.
    """
    session.flush()
    state = rollout_of(session, workspace, who, now=now, until=now)
    person = state.people.get(who)
    if person is None:
        return False
    today = local_day(now, person.zone)
    week = monday_of(today)
    hours = [state.hour(CHECKIN, run) for run in state.runs if run.begun(week)]
    hour = min(hours, key=lambda one: one[:2], default=None)
    if hour is None or instant(week + timedelta(days=hour.weekday), hour.at, person.zone) > now:
        return False
    prefix = key(CHECKIN.kind, workspace.id, who, week)
    there = ledger.by_prefix(session, workspace_id=workspace.id, prefix=prefix)
    if any(row.state in {MessageState.DUE, MessageState.SENT} for row in there):
        return False
    day = working_day_from(today, is_working=lambda one: is_working(person, one, state.working_days))
    if day is None or not open_runs(session, workspace_id=workspace.id, member=who, week_start=week, now=now):
        return False
    at = max(now, instant(day, hour.at, person.zone))
    owed = Owed(
        key=f"{prefix}:back:{at:%Y%m%dT%H%M%S}",
        kind=CHECKIN.kind,
        recipient=who,
        subject={"member": who, "week": week.isoformat()},
        due_at=at,
        useful_until=at + CHECKIN.useful,
    )
    new = ledger.owe(session, workspace_id=workspace.id, owed=[owed], now=now, correlation_id=correlation_id)
    return bool(new)


def open_runs(
    session: Session, *, workspace_id: str, member: str, week_start: date, now: datetime
) -> list[TeamRun]:
    """The runs whose check-in somebody still owes for a week."""
    runs = member_runs(session, workspace_id=workspace_id, member=member, week_start=week_start, now=now)
    return [
        run
        for run in runs
        if reports.check_in(
            session,
            workspace_id=workspace_id,
            adoption_id=run.id,
            week_start=week_start,
            member=member,
        )
        is None
    ]
