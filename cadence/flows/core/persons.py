"""People as the flows see them: their zone, days off and name."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cadence.documents.words import Weekday
from cadence.nudges import WEEKDAYS, Person, next_open
from cadence.rules.calendar import local_day
from storage.queries import absences, people
from storage.tables import Workspace
from storage.work import UnitOfWork


@lru_cache(maxsize=512)
def public_holidays(country: str | None, first_year: int, last_year: int) -> frozenset[date]:
    """The public holidays of a country (`DE`) or a region of it (`DE-BY`); none if it isn't known."""
    if not country:
        return frozenset()
    code, _, region = country.partition("-")
    import holidays  # noqa: PLC0415 - it takes a while to load and a workspace without countries never needs it

    try:
        years = range(first_year, last_year + 1)
        return frozenset(holidays.country_holidays(code, subdiv=region or None, years=years))
    except NotImplementedError:
        return frozenset()


_KEY = "working_days"
_ORDER = list(Weekday)


def working_days(workspace: Workspace) -> frozenset[int]:
    """Weekdays as numbers; 0 is Monday."""
    stored = workspace.settings.get(_KEY)
    return frozenset(_ORDER.index(Weekday(day)) for day in stored) if stored else WEEKDAYS


def stored_days(workspace: Workspace) -> tuple[Weekday, ...] | None:
    """The working days from the workspace's file; None if it doesn't set them."""
    stored = workspace.settings.get(_KEY)
    return tuple(Weekday(day) for day in stored) if stored else None


def keep_days(workspace: Workspace, days: Sequence[Weekday] | None) -> None:
    """Save a file's working days; without any, nothing changes."""
    if days:
        workspace.settings = workspace.settings | {_KEY: [str(day) for day in days]}


MENTIONED = re.compile(r"<@([UW][A-Z0-9]+)>")


def recipient_names(uow: UnitOfWork, workspace: Workspace, recipients: Iterable[str]) -> dict[str, str]:
    """The names of recipients, by Slack ID, that the database knows: people, channels of teams and curators."""
    names = {key: one.name for key, one in people.members(uow, member_ids=recipients).items()}
    names |= {team.channel: f"the channel of {team.title}" for team in people.teams(uow)}
    if workspace.curator_channel:
        names[workspace.curator_channel] = "the curators' channel"
    return names


def is_person(recipient: str) -> bool:
    """Whether a Slack ID is a person's, not a channel's."""
    return recipient.startswith(("U", "W"))


def own_zone(uow: UnitOfWork, member: str) -> str | None:
    """A person's own time zone from Slack; None if unknown."""
    if member == uow.actor.member:
        caller = people.caller(uow)
        return caller.timezone if caller else None
    return people.reader(uow, member_id=member).timezone


def zone_of(uow: UnitOfWork, workspace: Workspace, member: str) -> ZoneInfo:
    """A person's zone: Slack's, else their team's, else the workspace's."""
    return zone_or(uow, member, workspace.timezone)


def zone_or(uow: UnitOfWork, member: str, default: str) -> ZoneInfo:
    """A person's zone: Slack's, else their team's, else the default."""
    own = own_zone(uow, member)
    if own:
        return ZoneInfo(own)
    return ZoneInfo(people.reader(uow, member_id=member).team_timezone or default)


def person_of(uow: UnitOfWork, workspace: Workspace, member: str) -> Person:
    """A person for planning: their zone, and public holidays and days away in the coming days."""
    zone = zone_of(uow, workspace, member)
    today = local_day(uow.now, zone)
    away = absences.away_between(uow, first=today, last=today + timedelta(days=7), member_ids=[member])
    country = people.reader(uow, member_id=member).country or workspace.country
    return Person(
        member=member,
        zone=zone,
        days_off=public_holidays(country, today.year, today.year + 1),
        away=tuple((row.first_day, row.last_day) for row in away),
    )


def first_day_at_work(uow: UnitOfWork, workspace: Workspace, member: str) -> date:
    """Today, or once its working hours are over, the next day with any; days away don't count."""
    person = replace(person_of(uow, workspace, member), away=())
    return local_day(next_open(uow.now, person, working_days(workspace)), person.zone)


def reader_of(uow: UnitOfWork, workspace: Workspace, recipient: str) -> Person:
    """The reader of a message: a person, or a channel with its team's hours (the workspace's without a
    team)."""
    if is_person(recipient):
        return person_of(uow, workspace, recipient)
    team = people.team_by_channel(uow, channel=recipient)
    zone = ZoneInfo(team.timezone if team else workspace.timezone)
    country = (team.country if team else None) or workspace.country
    year = local_day(uow.now, zone).year
    return Person(recipient, zone, public_holidays(country, year - 1, year + 1))


def named(uow: UnitOfWork, text: str) -> str:
    """Replace `<@U…>` by names, where Slack shows no mentions, such as in a form's error."""
    ids = set(MENTIONED.findall(text))
    if not ids:
        return text
    with uow.read():
        known = people.members(uow, member_ids=ids)
    return MENTIONED.sub(lambda found: (known[found[1]].name if found[1] in known else "") or found[1], text)


def record(uow: UnitOfWork, action: str, who: str, after: Mapping[str, object] | None) -> None:
    """Record in the trail what somebody set for themselves, or for another."""
    uow.record(action=action, subject=f"member:{who}", after=after)
