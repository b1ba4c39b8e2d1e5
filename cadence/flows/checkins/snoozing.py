"""Snooze an open check-in: which times are possible, and what is snoozed."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cadence.flows.checkins.copies import rewrite_live, sent_copies
from cadence.flows.checkins.rows import EARLY_IN_THE_WEEK, open_adoptions, require_resumed
from cadence.flows.core import (
    CHECKIN_KINDS,
    how_to_begin,
    once,
    person_of,
    record,
    require_workspace,
    visible_adoptions,
    working_days,
)
from cadence.flows.schedule import rollout_of
from cadence.mrkdwn import say
from cadence.nudges import CHECKIN, Person, Unless, is_working, member_instants, next_open
from cadence.refusals import Refusal
from cadence.rules.calendar import instant, local_day, monday_of
from storage.outbox import attempts
from storage.outbox.queueing import NewMessage
from storage.queries import people
from storage.tables import MessageState, OutboxMessage, Workspace
from storage.work import UnitOfWork
from templates.contexts.checkins import SnoozeAsked, SnoozeChoice, Snoozed
from templates.filters import clock
from templates.filters import day as day_of

KIND: Final = "checkin-snoozed"
SUNDAY: Final = 6
_LABELS: Final[Mapping[str, str]] = {
    "hour": "for an hour",
    "tomorrow": "until tomorrow",
    "friday": "until Friday",
}


def kept(
    uow: UnitOfWork, workspace: Workspace, member: str, *, due: datetime | None = None, of: date | None = None
) -> dict[str, datetime]:
    """The possible choices with their times: later than now, in this week, on a working day.

    Last week's check-in is asked for only early in the week, so it can't be snoozed.

    Args:
        of: the Monday of the check-in's week, by default this week's.
        due: when the check-in is due if it wasn't sent yet: a snooze must be later.
    """
    person, days = person_of(uow, workspace, member), working_days(workspace)
    week = monday_of(local_day(uow.now, person.zone))
    last = EARLY_IN_THE_WEEK - 1 if of is not None and of < week else SUNDAY
    after = max(uow.now, due or uow.now)
    found = {}
    for until in _LABELS:
        at = _instant(until, person, days, now=uow.now, after=after)
        day = local_day(at, person.zone)
        if at > after and monday_of(day) == week and day.weekday() <= last and is_working(person, day, days):
            found[until] = at
    return found


def offered(found: Mapping[str, datetime]) -> tuple[str, ...]:
    """The choices to list: of several with the same time, the first."""
    moments = list(found.values())
    return tuple(until for place, (until, at) in enumerate(found.items()) if at not in moments[:place])


def due_at(uow: UnitOfWork, workspace: Workspace, member: str, *, week: date) -> datetime | None:
    """When a week's check-in is due on schedule; None if it was sent, or if none is planned."""
    rows = uow.messages(CHECKIN_KINDS, member, week)
    if any(row.state is MessageState.SENT for row in rows):
        return None
    state = rollout_of(uow, workspace, [member], until=uow.now)
    moments = [member_instants(CHECKIN, week, state).get(member, uow.now)]
    moments += [
        max(row.due_at, row.not_before)
        for row in rows
        if row.kind == CHECKIN.kind and row.state is MessageState.DUE
    ]
    latest = max(moments)
    return latest if latest > uow.now else None


def coming(uow: UnitOfWork, workspace: Workspace, member: str, *, week: date) -> datetime | None:
    """When a week's check-in comes, on schedule or after a snooze; None once it can be answered."""
    if sent_copies(uow, member=member, week=week.isoformat()):
        return None
    return pending(uow, member=member, week=week) or due_at(uow, workspace, member, week=week)


def snooze_menu(uow: UnitOfWork, workspace: Workspace, member: str, *, week: date | None) -> tuple[str, ...]:
    """The menu of a person's open check-in of a week, as of now."""
    muted = _is_muted(uow, member)
    found = kept(uow, workspace, member, of=week)
    zone = person_of(uow, workspace, member).zone
    if "hour" in found and local_day(found["hour"], zone) != local_day(uow.now, zone):
        del found["hour"]  # "Later today" has to be today
    choices = offered(found)
    return (*choices, "away", "unmute" if muted else "mute")


def _is_muted(uow: UnitOfWork, member: str) -> bool:
    if member == uow.actor.member:
        caller = people.caller(uow)
        return caller is not None and caller.muted
    return people.reader(uow, member_id=member).muted


def pending(uow: UnitOfWork, *, member: str, week: date) -> datetime | None:
    """When a person's snoozed check-in of a week returns; None if it isn't snoozed."""
    return pending_of(uow.messages(CHECKIN_KINDS, member, week))


def pending_of(messages: Iterable[OutboxMessage]) -> datetime | None:
    """When a snoozed check-in returns, by the messages about it; None if it isn't snoozed."""
    return next((row.due_at for row in messages if row.kind == KIND and row.state is MessageState.DUE), None)


def ask_until(uow: UnitOfWork) -> SnoozeAsked:
    """The form that asks how long to snooze this week's check-in.

    Raises:
        Refusal: no time is possible any more.
    """
    with uow.read():
        workspace = require_workspace(uow)
        zone = person_of(uow, workspace, uow.actor.member).zone
        week = monday_of(local_day(uow.now, zone))
        _require_open(uow, week, this_week=week)
        due = due_at(uow, workspace, uow.actor.member, week=week)
        found = kept(uow, workspace, uow.actor.member, due=due)
        if not found:
            raise Refusal(_instead(found, zone, due))
        return SnoozeAsked(
            week_start=week.isoformat(),
            choices=tuple(SnoozeChoice(until=one, at=found[one].astimezone(zone)) for one in offered(found)),
            due=due.astimezone(zone) if due else None,
        )


def menu_again(uow: UnitOfWork, *, week_start: date) -> None:
    """Rewrite the live check-in after its menu was used, so that the menu shows no selection."""
    with uow.write():
        rewrite_live(uow, week=week_start.isoformat())


@once
def snooze(uow: UnitOfWork, *, until: str, week_start: date | None = None) -> Snoozed:
    """Snooze an open check-in for an hour, until tomorrow or until Friday: that of a week, by default of this
    one.

    Raises:
        Refusal: nothing is open, or the time isn't in this week's working days any more.
    """
    with uow.write():
        workspace = require_workspace(uow)
        zone = person_of(uow, workspace, uow.actor.member).zone
        this_week = monday_of(local_day(uow.now, zone))
        week = min(monday_of(week_start), this_week) if week_start else this_week
        _require_open(uow, week, this_week=this_week)
        due = due_at(uow, workspace, uow.actor.member, week=week)
        choices = kept(uow, workspace, uow.actor.member, due=due, of=week)
        at = choices.get(until)
        if at is None:
            raise Refusal(_instead(choices, zone, due))
        if _queue(uow, week=week, at=at):
            after = {"until": at.isoformat(), "week": week.isoformat()}
            record(uow, "snoozed", uow.actor.member, after)
            rewrite_live(uow, week=week.isoformat())
        return Snoozed(until=at.astimezone(zone), last_week=week < this_week, came=due is None)


def _require_open(uow: UnitOfWork, week: date, *, this_week: date) -> None:
    if not open_adoptions(uow, week_start=week):
        which = "this" if week == this_week else "that"
        if not visible_adoptions(uow):
            raise Refusal(
                say(
                    "There's no check-in to snooze: your teams don't run a playbook yet. {next}",
                    next=how_to_begin(uow),
                )
            )
        require_resumed(uow, week_start=week)
        raise Refusal(f"You don't have an open check-in {which} week.")


def _instead(choices: Mapping[str, datetime], zone: ZoneInfo, due: datetime | None) -> str:
    """Alternatives if a choice isn't possible."""
    can = " or ".join(_LABELS[one] for one in offered(choices))
    if due is not None:
        comes = f"Your check-in isn't due until {_when(due.astimezone(zone))}"
        return (
            f"{comes}. You can snooze it {can}."
            if can
            else f"{comes}, and your working hours this week end before then."
        )
    if not choices:
        return "Your working hours this week are over. Please check in now."
    return f"That's outside your working hours. You can snooze it {can}."


def _when(at: datetime) -> str:
    return f"{day_of(at.date())}, {clock(at)}"


def _queue(uow: UnitOfWork, *, week: date, at: datetime) -> bool:
    """Queue the check-in to return once: the last snooze counts. False if that snooze is already queued."""
    member = uow.actor.member
    snoozed = NewMessage(
        KIND,
        member,
        {"member": member, "week": week.isoformat()},
        about=(member, week, f"{at.timestamp():.0f}", uow.correlation_id),
        due_at=at,
        useful=timedelta(hours=20),
    )
    for row in uow.messages(KIND, member, week):
        if row.state is MessageState.DUE and row.key != snoozed.key(uow.workspace_id):
            attempts.finish(
                uow, message_id=row.id or 0, state=MessageState.SKIPPED, reason=Unless.SNOOZED.value
            )
    return bool(uow.send_new(snoozed))


def _instant(until: str, person: Person, days: frozenset[int], *, now: datetime, after: datetime) -> datetime:
    today = local_day(now, person.zone)
    if until == "hour":
        return next_open(after + timedelta(hours=1), person, days)
    if until == "tomorrow":
        return instant(today + timedelta(days=1), time(10), person.zone)
    return instant(monday_of(today) + timedelta(days=4), time(10), person.zone)
