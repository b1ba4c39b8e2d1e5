"""Bringing an open check-in back later: which times can be kept, and what is snoozed."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cadence.flows.checkins.choosing import open_runs
from cadence.flows.checkins.copies import rewrite_live, sent_copies
from cadence.flows.checkins.rows import EARLY_IN_THE_WEEK
from cadence.flows.core import (
    CHECKIN_KINDS,
    key,
    once,
    person_of,
    record,
    require_workspace,
    visible_runs,
    working_days,
)
from cadence.flows.schedule import rollout_of
from cadence.nudges import CHECKIN, Person, Unless, is_working, member_instants, next_open
from cadence.refusals import Refusal
from cadence.rules.calendar import instant, local_day, monday_of
from storage.outbox import attempts, ledger
from storage.outbox.ledger import Owed
from storage.queries import people
from storage.tables import MessageState, Workspace
from storage.work import UnitOfWork
from templates.contexts.answers import SnoozeAsked, SnoozeChoice, Snoozed
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
    """The choices that can be kept, with when each of them is: later than now, in this week, on a working day.

    Last week's check-in is asked for early in the week only, so it can't be kept for later.

    Args:
        of: the Monday of the check-in's week, else it is this week's.
        due: when the check-in comes if it hasn't come yet: a snooze is later than that.
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
    """The choices to list: of several that come to the same moment the first."""
    moments = list(found.values())
    return tuple(until for place, (until, at) in enumerate(found.items()) if at not in moments[:place])


def due_at(uow: UnitOfWork, workspace: Workspace, member: str, *, week: date) -> datetime | None:
    """When a week's check-in comes by itself; None once it came, or when none does."""
    rows = [
        row
        for kind in CHECKIN_KINDS
        for row in ledger.by_prefix(uow, prefix=key(kind, workspace.id, member, week))
    ]
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
    """When a week's check-in comes, by itself or after a snooze; None once it is there to be answered."""
    if sent_copies(uow, member=member, week=week.isoformat()):
        return None
    snoozed = pending(uow, member=member).get(week.isoformat())
    return snoozed or due_at(uow, workspace, member, week=week)


def snooze_menu(uow: UnitOfWork, workspace: Workspace, member: str, *, week: date | None) -> tuple[str, ...]:
    """What the menu beside the open check-in of a week offers one person now."""
    row = people.member(uow, member_id=member)
    muted = row is not None and row.muted
    choices = offered(kept(uow, workspace, member, of=week))
    return (*choices, "away", "unmute" if muted else "mute")


def pending(uow: UnitOfWork, *, member: str) -> dict[str, datetime]:
    """When each snoozed check-in of a person comes back, by the Monday of its week."""
    rows = ledger.by_prefix(uow, prefix=f"{KIND}:{uow.workspace_id}:{member}")
    return {str(row.subject["week"]): row.due_at for row in rows if row.state is MessageState.DUE}


def ask_until(uow: UnitOfWork) -> SnoozeAsked:
    """Until when this week's check-in shall wait.

    Raises:
        Refusal: no time is left that could be kept.
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
    """Owe the live check-in a rewrite after its menu was used: the menu shows no choice then."""
    with uow.write():
        rewrite_live(uow, week=week_start.isoformat())


@once
def snooze(uow: UnitOfWork, *, until: str, week_start: date | None = None) -> Snoozed:
    """Bring an open check-in back in an hour, tomorrow or on Friday: that of a week, else of this one.

    Raises:
        Refusal: nothing is open, or the time asked for isn't in this week's working days any more.
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
        if _owe(uow, week=week, at=at):
            after = {"until": at.isoformat(), "week": week.isoformat()}
            record(uow, "snoozed", uow.actor.member, after)
            rewrite_live(uow, week=week.isoformat())
        return Snoozed(until=at.astimezone(zone), last_week=week < this_week, came=due is None)


def _require_open(uow: UnitOfWork, week: date, *, this_week: date) -> None:
    if not open_runs(uow, week_start=week):
        which = "this" if week == this_week else "that"
        if not visible_runs(uow):
            raise Refusal("No team of yours runs a playbook yet, so there is no check-in to put off.")
        raise Refusal(f"No check-in of yours is open {which} week.")


def _instead(choices: Mapping[str, datetime], zone: ZoneInfo, due: datetime | None) -> str:
    """What can be done when a choice can't be kept."""
    can = " or ".join(_LABELS[one] for one in offered(choices))
    if due is not None:
        comes = f"Your check-in isn't due until {_when(due.astimezone(zone))}"
        return (
            f"{comes}. Snooze it {can}."
            if can
            else f"{comes}, and this week has no working hours after that."
        )
    if not choices:
        return "No working hours are left this week to bring it back in. Please answer it now."
    return f"It couldn't come back then: this week has no working hours of yours left at that time. Snooze it {can}."


def _when(at: datetime) -> str:
    return f"{day_of(at.date())} at {clock(at)}"


def _owe(uow: UnitOfWork, *, week: date, at: datetime) -> bool:
    """The check-in comes back once: the last snooze holds. False when that very snooze is there already."""
    prefix = key(KIND, uow.actor.workspace_id, uow.actor.member, week)
    owed = Owed(
        key=f"{prefix}:{at.timestamp():.0f}:{uow.actor.request}"[:255],
        kind=KIND,
        recipient=uow.actor.member,
        subject={"member": uow.actor.member, "week": week.isoformat()},
        due_at=at,
        useful_until=at + timedelta(hours=20),
    )
    for row in ledger.by_prefix(uow, prefix=prefix):
        if row.state is MessageState.DUE and row.key != owed.key:
            attempts.finish(
                uow.session,
                message_id=row.id or 0,
                state=MessageState.SKIPPED,
                now=uow.now,
                reason=Unless.SNOOZED.value,
            )
    new = ledger.owe(uow, owed=[owed], correlation_id=uow.actor.request)
    return bool(new)


def _instant(until: str, person: Person, days: frozenset[int], *, now: datetime, after: datetime) -> datetime:
    today = local_day(now, person.zone)
    if until == "hour":
        return next_open(after + timedelta(hours=1), person, days)
    if until == "tomorrow":
        return instant(today + timedelta(days=1), time(10), person.zone)
    return instant(monday_of(today) + timedelta(days=4), time(10), person.zone)
