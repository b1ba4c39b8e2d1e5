"""People as the flows see them: their zone, their hours, their name."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from cadence.flows.core.calendar import public_holidays
from cadence.flows.core.trail import note
from cadence.nudges import Person
from cadence.rules.calendar import local_day
from storage.queries import people
from storage.tables import Workspace
from storage.work import UnitOfWork

MENTIONED = re.compile(r"<@([UW][A-Z0-9]+)>")


def zone_of(uow: UnitOfWork, workspace: Workspace, member: str) -> ZoneInfo:
    """A person's zone: Slack's, else their team's, else the workspace's."""
    row = people.member(uow, member_id=member)
    if row is not None and row.timezone:
        return ZoneInfo(row.timezone)
    teams = people.teams_of(uow, member_id=member)
    return ZoneInfo(teams[0].timezone if teams else workspace.timezone)


def person_of(uow: UnitOfWork, workspace: Workspace, member: str) -> Person:
    """Somebody as they can be nudged in the days to come: their zone, public holidays and days away."""
    zone = zone_of(uow, workspace, member)
    today = local_day(uow.now, zone)
    away = people.away_between(uow, first=today, last=today + timedelta(days=7), member_ids=[member])
    teams = people.teams_of(uow, member_id=member)
    country = teams[0].country if teams and teams[0].country else workspace.country
    return Person(
        member=member,
        zone=zone,
        days_off=public_holidays(country, today.year, today.year + 1),
        away=tuple((row.first_day, row.last_day) for row in away),
    )


def reader_of(uow: UnitOfWork, workspace: Workspace, recipient: str) -> Person:
    """Who reads a message: a person, or a channel with its team's hours (the workspace's if it has no team)."""
    if recipient.startswith(("U", "W")):
        return person_of(uow, workspace, recipient)
    team = people.team_by_channel(uow, channel=recipient)
    zone = ZoneInfo(team.timezone if team else workspace.timezone)
    country = (team.country if team else None) or workspace.country
    year = local_day(uow.now, zone).year
    return Person(recipient, zone, public_holidays(country, year - 1, year + 1))


def today_of(uow: UnitOfWork) -> date:
    """The caller's local date."""
    with uow.read():
        workspace = people.workspace(uow)
        if workspace is None:
            return uow.now.date()
        return local_day(uow.now, zone_of(uow, workspace, uow.actor.member))


def named(uow: UnitOfWork, text: str) -> str:
    """A sentence for where Slack shows no mentions, such as a form's error: names in place of `<@U…>`."""
    ids = set(MENTIONED.findall(text))
    if not ids:
        return text
    with uow.read():
        known = people.members(uow, member_ids=ids)
    return MENTIONED.sub(lambda found: (known[found[1]].name if found[1] in known else "") or found[1], text)


def record(uow: UnitOfWork, action: str, who: str, after: Mapping[str, object] | None) -> None:
    """What somebody set for themselves, or for another, in the trail."""
    note(uow, action=action, subject=f"member:{who}", after=after)
