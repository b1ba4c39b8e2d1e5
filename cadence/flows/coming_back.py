"""Who is back early, joins a team or goes on after a pause still gets the check-in they missed, on a working day."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlmodel import Session

from cadence.flows.checkin_rows import key, member_runs
from cadence.flows.rollouts import rollout_of
from cadence.flows.runs import TeamRun
from cadence.nudges import CHECKIN, Hour, Rollout, is_working, member_hours
from cadence.rules.calendar import instant, local_day, monday_of, working_day_from
from storage import ledger, reports
from storage.ledger import Owed
from storage.tables import MessageState, Workspace


def owe_missed_checkin(
    session: Session, workspace: Workspace, *who: str, now: datetime, correlation_id: str = ""
) -> bool:
    """Owe people this week's check-in, when its hour has passed and it never came: they are back, or newly asked.

    It comes today at the check-in's hour, at once when that is over, else on their next working day of the week: just
    as if that had been known before. Returns whether anything was owed.
    """
    session.flush()
    state = rollout_of(session, workspace, who, now=now, until=now)
    weeks = {monday_of(local_day(now, person.zone)) for person in state.people.values()}
    hours = {week: member_hours(CHECKIN, week, state) for week in weeks}
    owed = [one for member in who for one in _missed(session, state, member, hours, now=now)]
    return bool(
        ledger.owe(session, workspace_id=workspace.id, owed=owed, now=now, correlation_id=correlation_id)
    )


def _missed(
    session: Session, state: Rollout, who: str, hours: Mapping[date, Mapping[str, Hour]], *, now: datetime
) -> Iterator[Owed]:
    """The check-in that somebody missed, if they did."""
    person = state.people.get(who)
    if person is None:
        return
    today = local_day(now, person.zone)
    week = monday_of(today)
    hour = hours[week].get(who)
    if hour is None or instant(week + timedelta(days=hour.weekday), hour.at, person.zone) > now:
        return
    prefix = key(CHECKIN.kind, state.workspace_id, who, week)
    there = ledger.by_prefix(session, workspace_id=state.workspace_id, prefix=prefix)
    if any(row.state in {MessageState.DUE, MessageState.SENT} for row in there):
        return
    day = working_day_from(today, is_working=lambda one: is_working(person, one, state.working_days))
    if day is None or not open_runs(
        session, workspace_id=state.workspace_id, member=who, week_start=week, now=now
    ):
        return
    at = max(now, instant(day, hour.at, person.zone))
    yield Owed(
        key=f"{prefix}:back:{at:%Y%m%dT%H%M%S}",
        kind=CHECKIN.kind,
        recipient=who,
        subject={"member": who, "week": week.isoformat()},
        due_at=at,
        useful_until=at + CHECKIN.useful,
    )


def next_checkin(session: Session, workspace: Workspace, who: Sequence[str], *, now: datetime) -> date | None:
    """The day on which the first of these people is asked next; None when no cycle they run asks any of them."""
    state = rollout_of(session, workspace, who, now=now, until=now + timedelta(weeks=1))
    days = []
    for person in state.people.values():
        week = monday_of(local_day(now, person.zone))
        prefix = key(CHECKIN.kind, workspace.id, person.member, week)
        days += [
            local_day(row.due_at, person.zone)
            for row in ledger.by_prefix(session, workspace_id=workspace.id, prefix=prefix)
            if row.state is MessageState.DUE
        ]
        for monday in (week, week + timedelta(weeks=1)):
            hour = member_hours(CHECKIN, monday, state).get(person.member)
            day = monday + timedelta(days=hour.weekday) if hour else None
            if hour and day and instant(day, hour.at, person.zone) > now:
                days.append(day)
    return min(days, default=None)


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
