"""Bringing an open check-in back later: which times can be kept, and what is snoozed."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.checkin_rows import key
from cadence.flows.people import open_runs, person_of, record
from cadence.flows.repeats import once
from cadence.flows.runs import require_workspace
from cadence.flows.working_week import working_days
from cadence.nudges import Person, Unless, is_working, next_open
from cadence.refusals import Refusal
from cadence.rules.calendar import instant, local_day, monday_of
from storage import attempts, ledger, people
from storage.engine import Database
from storage.ledger import Owed
from storage.tables import MessageState, Workspace
from templates.contexts.answers import SnoozeAsked, Snoozed

KIND: Final = "checkin-snoozed"
_LABELS: Final[Mapping[str, str]] = {
    "hour": "for an hour",
    "tomorrow": "until tomorrow",
    "friday": "until Friday",
}


def kept(session: Session, workspace: Workspace, member: str, *, now: datetime) -> dict[str, datetime]:
    """The choices that can be kept, with when each of them is: later in this week, on a working day of theirs."""
    person, days = person_of(session, workspace, member, now=now), working_days(workspace)
    week = monday_of(local_day(now, person.zone))
    found = {}
    for until in _LABELS:
        at = _instant(until, person, days, now=now)
        day = local_day(at, person.zone)
        if at > now and monday_of(day) == week and is_working(person, day, days):
            found[until] = at
    return found


def snooze_menu(session: Session, workspace: Workspace, member: str, *, now: datetime) -> tuple[str, ...]:
    """What the menu beside an open check-in offers one person now."""
    row = people.member(session, workspace_id=workspace.id, member_id=member)
    muted = row is not None and row.muted
    return (*kept(session, workspace, member, now=now), "away", "unmute" if muted else "mute")


def pending(session: Session, *, workspace_id: str, member: str) -> dict[str, datetime]:
    """When each snoozed check-in of a person comes back, by the Monday of its week."""
    rows = ledger.by_prefix(session, workspace_id=workspace_id, prefix=f"{KIND}:{workspace_id}:{member}")
    return {str(row.subject["week"]): row.due_at for row in rows if row.state is MessageState.DUE}


def ask_until(db: Database, caller: Caller, *, now: datetime) -> SnoozeAsked:
    """Until when this week's check-in shall wait.

    Raises:
        Refusal: no time is left that could be kept.
    """
    with db.read() as session:
        workspace = require_workspace(session, caller.workspace_id)
        zone = person_of(session, workspace, caller.member, now=now).zone
        choices = tuple(kept(session, workspace, caller.member, now=now))
        if not choices:
            raise Refusal(_instead(choices))
        return SnoozeAsked(week_start=monday_of(local_day(now, zone)).isoformat(), choices=choices)


@once
def snooze(
    db: Database, caller: Caller, *, until: str, now: datetime, week_start: date | None = None
) -> Snoozed:
    """Bring an open check-in back in an hour, tomorrow or on Friday: that of a week, else of this one.

    Raises:
        Refusal: nothing is open, or the time asked for isn't in this week's working days any more.
    """
    with db.write() as session:
        workspace = require_workspace(session, caller.workspace_id)
        zone = person_of(session, workspace, caller.member, now=now).zone
        this_week = monday_of(local_day(now, zone))
        week = min(monday_of(week_start), this_week) if week_start else this_week
        if not open_runs(session, caller, week_start=week, now=now):
            which = "this" if week == this_week else "that"
            raise Refusal(f"Nothing waits for you {which} week: every check-in of yours is answered.")
        choices = kept(session, workspace, caller.member, now=now)
        at = choices.get(until)
        if at is None:
            raise Refusal(_instead(tuple(choices)))
        if _owe(session, caller, week=week, at=at, now=now):
            after = {"until": at.isoformat(), "week": week.isoformat()}
            record(session, caller, "snoozed", caller.member, after, now=now)
        return Snoozed(until=at.astimezone(zone), last_week=week < this_week)


def _instead(choices: tuple[str, ...]) -> str:
    if not choices:
        return "No working hours are left this week to bring it back in. Please answer it now."
    can = " or ".join(_LABELS[one] for one in choices)
    return f"It couldn't come back then: this week has no working hours of yours left at that time. Snooze it {can}."


def _owe(session: Session, caller: Caller, *, week: date, at: datetime, now: datetime) -> bool:
    """The check-in comes back once: the last snooze holds. False when that very snooze is there already."""
    prefix = key(KIND, caller.workspace_id, caller.member, week)
    owed = Owed(
        key=f"{prefix}:{at.timestamp():.0f}:{caller.request}"[:255],
        kind=KIND,
        recipient=caller.member,
        subject={"member": caller.member, "week": week.isoformat()},
        due_at=at,
        useful_until=at + timedelta(hours=20),
    )
    for row in ledger.by_prefix(session, workspace_id=caller.workspace_id, prefix=prefix):
        if row.state is MessageState.DUE and row.key != owed.key:
            attempts.finish(
                session,
                message_id=row.id or 0,
                state=MessageState.SKIPPED,
                now=now,
                reason=Unless.SNOOZED.value,
            )
    new = ledger.owe(
        session, workspace_id=caller.workspace_id, owed=[owed], now=now, correlation_id=caller.request
    )
    return bool(new)


def _instant(until: str, person: Person, days: frozenset[int], *, now: datetime) -> datetime:
    today = local_day(now, person.zone)
    if until == "hour":
        return next_open(now + timedelta(hours=1), person, days)
    if until == "tomorrow":
        return instant(today + timedelta(days=1), time(10), person.zone)
    return instant(monday_of(today) + timedelta(days=4), time(10), person.zone)
