"""Who is back early, joins a team or goes on after a pause still gets the check-in they missed, on a working day."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from cadence.flows.checkins.rows import member_runs
from cadence.flows.core import TeamRun, key
from cadence.flows.schedule import rollout_of
from cadence.nudges import CHECKIN, Hour, Rollout, is_working, member_hours
from cadence.rules.calendar import instant, local_day, monday_of, working_day_from
from storage import trail
from storage.outbox import ledger
from storage.outbox.ledger import Owed
from storage.queries import reports
from storage.tables import MessageState, TrailEntry, Workspace
from storage.work import UnitOfWork


def owe_missed_checkin(
    uow: UnitOfWork,
    workspace: Workspace,
    *who: str,
) -> bool:
    """Owe people this week's check-in, when its hour has passed and it never came: they are back, or newly asked.

    It comes today at the check-in's hour, at once when that is over, else on their next working day of the week: just
    as if that had been known before. Returns whether anything was owed.
    """
    uow.session.flush()
    state = rollout_of(uow, workspace, who, until=uow.now)
    weeks = {monday_of(local_day(uow.now, person.zone)) for person in state.people.values()}
    hours = {week: member_hours(CHECKIN, week, state) for week in weeks}
    owed = [one for member in who for one in _missed(uow, state, member, hours)]
    return bool(ledger.owe(uow, owed=owed, correlation_id=uow.correlation_id))


def _missed(
    uow: UnitOfWork, state: Rollout, who: str, hours: Mapping[date, Mapping[str, Hour]]
) -> Iterator[Owed]:
    """The check-in that somebody missed, if they did."""
    person = state.people.get(who)
    if person is None:
        return
    today = local_day(uow.now, person.zone)
    week = monday_of(today)
    hour = hours[week].get(who)
    if hour is None or instant(week + timedelta(days=hour.weekday), hour.at, person.zone) > uow.now:
        return
    prefix = key(CHECKIN.kind, state.workspace_id, who, week)
    there = ledger.by_prefix(uow, prefix=prefix)
    if any(row.state in {MessageState.DUE, MessageState.SENT} for row in there):
        return
    day = working_day_from(today, is_working=lambda one: is_working(person, one, state.working_days))
    if day is None or not open_runs(uow, member=who, week_start=week):
        return
    at = max(uow.now, instant(day, hour.at, person.zone))
    yield Owed(
        key=f"{prefix}:back:{at:%Y%m%dT%H%M%S}",
        kind=CHECKIN.kind,
        recipient=who,
        subject={"member": who, "week": week.isoformat()},
        due_at=at,
        useful_until=at + CHECKIN.useful,
    )


def next_checkin(uow: UnitOfWork, workspace: Workspace, who: Sequence[str]) -> date | None:
    """The day on which the first of these people is asked next; None when no cycle they run asks any of them."""
    state = rollout_of(uow, workspace, who, until=uow.now + timedelta(weeks=1))
    days = []
    for person in state.people.values():
        week = monday_of(local_day(uow.now, person.zone))
        prefix = key(CHECKIN.kind, workspace.id, person.member, week)
        days += [
            local_day(row.due_at, person.zone)
            for row in ledger.by_prefix(uow, prefix=prefix)
            if row.state is MessageState.DUE
        ]
        for monday in (week, week + timedelta(weeks=1)):
            hour = member_hours(CHECKIN, monday, state).get(person.member)
            day = monday + timedelta(days=hour.weekday) if hour else None
            if hour and day and instant(day, hour.at, person.zone) > uow.now:
                days.append(day)
    return min(days, default=None)


def open_runs(uow: UnitOfWork, *, member: str, week_start: date) -> list[TeamRun]:
    """The runs whose check-in somebody still owes for a week."""
    runs = member_runs(uow, member=member, week_start=week_start)
    return [
        run
        for run in runs
        if reports.check_in(uow, adoption_id=run.id, week_start=week_start, member=member) is None
    ]


def nudged_again(uow: UnitOfWork, run: TeamRun, *, week_start: date) -> list[TrailEntry]:
    """Whether, and when, the missing of a week were nudged once more."""
    return trail.entries(uow, action="nudged-again", subject=f"adoption:{run.id}/week:{week_start}")
