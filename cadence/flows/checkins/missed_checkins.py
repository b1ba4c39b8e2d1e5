"""Send missed check-ins to members who are back early, joined, or whose team resumed, on a working day."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from cadence.flows.checkins.rows import open_adoptions
from cadence.flows.core import AdoptionView
from cadence.flows.schedule import rollout_of
from cadence.nudges import CHECKIN, Hour, Rollout, is_working, member_hours, next_open
from cadence.rules.calendar import instant, local_day, monday_of, working_day_from
from storage.outbox.queueing import NewMessage
from storage.queries import trail
from storage.tables import MessageState, TrailEntry, Workspace
from storage.work import UnitOfWork


def send_missed_checkin(
    uow: UnitOfWork,
    workspace: Workspace,
    *who: str,
) -> bool:
    """Send people this week's check-in if its hour has passed and they never got it: they are back, or newly
    asked.

    It is sent today at the check-in's hour, immediately if that has passed, else on their next working day, in their
    working hours, as if it had been planned so. Returns whether anything was queued.
    """
    uow.session.flush()
    state = rollout_of(uow, workspace, who, until=uow.now)
    weeks = {monday_of(local_day(uow.now, person.zone)) for person in state.people.values()}
    hours = {week: member_hours(CHECKIN, week, state) for week in weeks}
    return bool(uow.send_new([one for member in who for one in _missed(uow, state, member, hours)]))


def _missed(
    uow: UnitOfWork, state: Rollout, who: str, hours: Mapping[date, Mapping[str, Hour]]
) -> Iterator[NewMessage]:
    """The check-in that a member missed, if any."""
    person = state.people.get(who)
    if person is None:
        return
    today = local_day(uow.now, person.zone)
    week = monday_of(today)
    hour = hours[week].get(who)
    if hour is None or instant(week + timedelta(days=hour.weekday), hour.at, person.zone) > uow.now:
        return
    there = uow.messages(CHECKIN.kind, who, week)
    if any(row.state in {MessageState.DUE, MessageState.SENT} for row in there):
        return
    day = working_day_from(today, is_working=lambda one: is_working(person, one, state.working_days))
    if day is None or not open_adoptions(uow, member=who, week_start=week):
        return
    at = next_open(max(uow.now, instant(day, hour.at, person.zone)), person, state.working_days)
    yield NewMessage(
        CHECKIN.kind,
        who,
        {"member": who, "week": week.isoformat()},
        about=(who, week, "back", f"{at:%Y%m%dT%H%M%S}"),
        due_at=at,
        useful=CHECKIN.useful,
    )


def next_checkin(uow: UnitOfWork, workspace: Workspace, who: Sequence[str]) -> date | None:
    """The day of the next check-in of any of these people; None if none is coming."""
    state = rollout_of(uow, workspace, who, until=uow.now + timedelta(weeks=1))
    days = []
    for person in state.people.values():
        week = monday_of(local_day(uow.now, person.zone))
        days += [
            local_day(row.due_at, person.zone)
            for row in uow.messages(CHECKIN.kind, person.member, week)
            if row.state is MessageState.DUE
        ]
        for monday in (week, week + timedelta(weeks=1)):
            hour = member_hours(CHECKIN, monday, state).get(person.member)
            day = monday + timedelta(days=hour.weekday) if hour else None
            if hour and day and instant(day, hour.at, person.zone) > uow.now:
                days.append(day)
    return min(days, default=None)


def nudged_again(uow: UnitOfWork, view: AdoptionView, *, week_start: date) -> list[TrailEntry]:
    """Whether, and when, the members missing in a week were nudged once more."""
    return trail.entries(uow, action="nudged-again", subject=f"adoption:{view.id}/week:{week_start}")
