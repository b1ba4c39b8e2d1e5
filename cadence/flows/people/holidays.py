"""A team's public holidays: the next ones that suspend its nudges, and their country."""

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from cadence.documents.places import country_hint, country_kind, is_country
from cadence.flows.core import ended, once, require_workspace, working_days
from cadence.flows.people.teams import record_team, require_may_change, team_meant
from cadence.mrkdwn import code, coded, say
from cadence.refusals import Refusal
from cadence.rules.calendar import local_day
from storage.queries import people
from storage.tables import Team
from storage.work import UnitOfWork
from templates.contexts.base import Choice
from templates.contexts.people import Holiday, HolidaysForm, TeamHolidays

_AHEAD = timedelta(days=366)
_SHOWN = 12


def team_holidays(uow: UnitOfWork, slug: str | None, *, country: str | None) -> TeamHolidays:
    """The days that suspend a team's nudges; with `country`, set the country or region first.

    Raises:
        Refusal: no such team, or an unknown country. WhichTeam: it isn't clear which team. NotAllowed: the
        caller can't change the team.
    """
    if country is not None:
        return _change_country(uow, slug, country=country)
    with uow.read():
        return _shown(uow, team_meant(uow, slug))


@once
def _change_country(uow: UnitOfWork, slug: str | None, *, country: str) -> TeamHolidays:
    with uow.write():
        team = team_meant(uow, slug)
        require_may_change(uow, team)
        if not is_country(country):
            raise Refusal(
                say(
                    "{code} isn't {kind}: {hint}",
                    code=code(country[:20]),
                    kind=country_kind(country),
                    hint=coded(ended(country_hint(country))),
                ),
                field="country",
            )
        before, team.country = team.country, country
        uow.session.add(team)
        uow.session.flush()
        if before != country:
            record_team(uow, team.slug, before={"country": before}, after={"country": country})
        return replace(_shown(uow, team), changed=before != country)


def holidays_form(uow: UnitOfWork, *, slug: str | None = None, country: str = "") -> HolidaysForm:
    """The form that asks for the country: of a team if known, else of one to choose, the caller's first."""
    with uow.read():
        require_workspace(uow)
        teams = people.teams(uow)
        if not teams:
            raise Refusal("There are no teams yet. Create the first one with `/cadence team create`.")
        own = people.team_ids(uow, member_id=uow.actor.member)
        known = next((team for team in teams if team.slug == slug), None)
        return HolidaysForm(
            teams=tuple(
                Choice(label=team.title, value=team.slug)
                for team in sorted(
                    teams, key=lambda team: (team is not known, team.id not in own, team.title)
                )
            ),
            team=known.slug if known else None,
            country=country or (known.country or "" if known else ""),
        )


def _shown(uow: UnitOfWork, team: Team) -> TeamHolidays:
    workspace = require_workspace(uow)
    country = team.country or workspace.country
    today = local_day(uow.now, ZoneInfo(team.timezone))
    days = [
        Holiday(on=day, name=name)
        for day, name in named_holidays(country, today.year, today.year + 1)
        if today <= day <= today + _AHEAD and day.weekday() in working_days(workspace)
    ]
    return TeamHolidays(
        slug=team.slug,
        team=team.title,
        country=country or "",
        own=team.country is not None,
        days=tuple(days[:_SHOWN]),
    )


def named_holidays(country: str | None, first_year: int, last_year: int) -> list[tuple[date, str]]:
    """The public holidays of a country (`DE`) or a region of it (`DE-BY`), by day; none if it isn't known."""
    if not country:
        return []
    import holidays  # noqa: PLC0415 - it takes a while to load, and few commands need it

    code_, _, region = country.partition("-")
    try:
        found = holidays.country_holidays(
            code_, subdiv=region or None, years=range(first_year, last_year + 1), language="en_US"
        )
    except NotImplementedError:
        return []
    return sorted(found.items())
