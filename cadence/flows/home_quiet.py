"""What is quiet for a person, and until when: days away, a snoozed check-in, reminders turned off."""

from collections.abc import Iterator
from datetime import date, datetime

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.people import open_runs, zone_of
from cadence.flows.snoozing import pending
from cadence.mrkdwn import say
from cadence.refusals import Offer
from cadence.rules.calendar import local_day, monday_of
from storage import people
from storage.tables import Workspace
from templates.contexts.home import HomeNeed
from templates.filters import clock, day
from templates.ids import Action


def quiet(session: Session, caller: Caller, workspace: Workspace, *, now: datetime) -> Iterator[HomeNeed]:
    """A line for each, with the button that ends it."""
    zone = zone_of(session, workspace, caller.member)
    today = local_day(now, zone)
    away = people.away_between(
        session, workspace_id=workspace.id, first=today, last=today, member_ids=[caller.member]
    )
    if away:
        last = max(row.last_day for row in away)
        yield HomeNeed(
            text=say("You are away until {day}: nothing is sent to you.", day=day(last)),
            offers=(Offer("I'm back", Action.SNOOZE, "back"),),
        )
    for week, at in sorted(pending(session, workspace_id=workspace.id, member=caller.member).items()):
        if not open_runs(session, caller, week_start=date.fromisoformat(week), now=now):
            continue
        comes = at.astimezone(zone)
        yield HomeNeed(
            text=say(
                "{which} week's check-in is snoozed until {day} at {clock}.",
                which="This" if week >= monday_of(today).isoformat() else "Last",
                day=day(comes.date()),
                clock=clock(comes),
            )
        )
    row = people.member(session, workspace_id=workspace.id, member_id=caller.member)
    if row is not None and row.muted:
        yield HomeNeed(
            text=say("Reminders are off; the weekly check-in still comes."),
            offers=(Offer("Turn reminders on", Action.SNOOZE, "unmute"),),
        )
