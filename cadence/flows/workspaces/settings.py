"""The workspace's settings: curators, their channel, time zone, country, the rule, working days and hours."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from cadence.documents.places import country_hint, is_country, is_timezone, timezone_hint
from cadence.documents.words import Weekday
from cadence.flows.core import FIELD as HOURS_FIELD
from cadence.flows.core import (
    cannot_be,
    ended,
    hours_of,
    is_curator,
    keep_days,
    keep_workspace_hours,
    lines_of,
    note,
    once,
    own_hours,
    parse_hours,
    require_curator,
    require_days_left,
    working_days,
)
from cadence.refusals import FieldsRefused, Refusal
from cadence.rules.verdicts import Rule
from storage.queries import people
from storage.tables import Workspace
from storage.work import UnitOfWork
from templates.contexts.forms import SettingsForm
from templates.contexts.playbooks import SettingsSaved

FEWEST_RUNS, MOST_RUNS = 1, 10_000


@dataclass(frozen=True, slots=True)
class SettingsGiven:
    """Settings as someone filled them in. What is None wasn't asked and stays as it is.

    Args:
        country: an ISO code, "" for none.
        min_runs: the fewest runs for the cap line of a demotion.
        working_days: `mon`, `tue` …
        hours: of the nudges, a line each.
        guests: guests who are in a team take part.
    """

    curators: tuple[str, ...]
    curator_channel: str | None
    timezone: str
    rule: str
    country: str | None = None
    min_runs: str | None = None
    working_days: tuple[str, ...] | None = None
    hours: str | None = None
    guests: bool | None = None


def settings_form(uow: UnitOfWork, *, named: frozenset[str]) -> SettingsForm:
    """The settings form, for curators; in a workspace without any, for its first one.

    `named` are the members whom the installation names as curators.

    Raises:
        NotAllowed: everybody else.
    """
    with uow.write():
        workspace = _workspace(uow)
        _require_may_set(uow, named)
        curators = people.curators(uow)
        return SettingsForm(
            timezone=workspace.timezone,
            rule=workspace.rule,
            curators=tuple(curators) or (uow.actor.member,),
            curator_channel=workspace.curator_channel,
            country=workspace.country or "",
            min_runs=workspace.min_runs,
            working_days=_days(workspace),
            hours=lines_of(hours_of(uow)),
            guests=workspace.guests_allowed,
        )


def _days(workspace: Workspace) -> tuple[str, ...]:
    chosen = working_days(workspace)
    return tuple(day for at, day in enumerate(Weekday) if at in chosen)


def _workspace(uow: UnitOfWork) -> Workspace:
    row = people.workspace(uow)
    if row is None:
        row = Workspace(id=uow.actor.workspace_id, created_at=uow.now)
        uow.session.add(row)
        uow.session.flush()
    return row


def _require_may_set(uow: UnitOfWork, named: frozenset[str]) -> None:
    """The first to set a workspace up, and to do so again once no curator is left, is an admin or somebody named."""
    if is_curator(uow) or {uow.actor.member, f"{uow.actor.workspace_id}:{uow.actor.member}"} & named:
        return
    member = people.member(uow, member_id=uow.actor.member)
    curators = people.curators(uow)
    first = not set(curators) - _not_people(uow, curators)
    if first and member is not None and member.is_admin:
        return
    require_curator(uow, to="change the settings")


def _not_people(uow: UnitOfWork, members: Collection[str]) -> set[str]:
    """Those of some members who can't take part here, or were never in this Slack as far as is known."""
    known = people.members(uow, member_ids=members)
    barred = cannot_be(uow, members, in_team=False)
    return {one for one in members if one not in known or one in barred}


@once
def save_settings(uow: UnitOfWork, given: SettingsGiven, *, named: frozenset[str]) -> SettingsSaved:
    """Save the settings; what was before stays in the trail.

    Raises:
        Refusal: no curator left, an unknown time zone or rule.
        NotAllowed: the caller may not.
    """
    errors = dict(_wrong(given))
    try:
        hours = None if given.hours is None else parse_hours(given.hours)
    except Refusal as refused:
        errors[HOURS_FIELD] = refused.plain
    if errors:
        raise FieldsRefused(errors)
    with uow.write():
        workspace = _workspace(uow)
        uow.session.refresh(workspace, with_for_update=True)  # settings are saved one after the other
        _require_may_set(uow, named)
        before = _as_data(uow, workspace)
        if _not_people(uow, given.curators) - {uow.actor.member}:
            raise Refusal(
                "A curator has to be a person in this Slack: no app, and nobody who has left.",
                field="curators",
            )
        people.set_curators(uow, members=given.curators)
        workspace.curator_channel = given.curator_channel
        workspace.timezone, workspace.rule = given.timezone, Rule(given.rule)
        if given.country is not None:
            workspace.country = given.country or None
        if given.min_runs is not None:
            workspace.min_runs = int(given.min_runs)
        if given.guests is not None:
            workspace.guests_allowed = given.guests
        keep_days(workspace, [Weekday(day) for day in given.working_days or ()])
        uow.session.add(workspace)
        uow.session.flush()
        if hours is not None:
            keep_workspace_hours(uow, hours)
            require_days_left(uow, workspace)
        _note_change(uow, workspace, before)
        return SettingsSaved(
            curators=given.curators,
            timezone=given.timezone,
            rule=given.rule,
            curator_channel=given.curator_channel,
            country=workspace.country or "",
            min_runs=workspace.min_runs,
            working_days=_days(workspace),
            hours=lines_of(own_hours(workspace)),
            guests=workspace.guests_allowed,
        )


def _note_change(uow: UnitOfWork, workspace: Workspace, before: dict[str, object]) -> None:
    """In the trail, unless everything is as it was: a second click changes nothing."""
    after = _as_data(uow, workspace)
    if after == before:
        return
    note(uow, action="settings", subject=f"workspace:{workspace.id}", before=before, after=after)


def _wrong(given: SettingsGiven) -> Iterator[tuple[str, str]]:
    """(field, what is wrong) of each that is."""
    if not given.curators:
        yield "curators", "A workspace needs at least one curator."
    if given.rule not in set(Rule):
        yield "rule", "Choose one of the three rules."
    if not is_timezone(given.timezone):
        yield "timezone", f"`{given.timezone}` is no time zone: {ended(timezone_hint(given.timezone))}"
    if given.country and not is_country(given.country):
        yield (
            "country",
            f"`{given.country[:20]}` isn't a country known here: {ended(country_hint(given.country))}",
        )
    if given.min_runs is not None and not _is_whole(given.min_runs, FEWEST_RUNS, MOST_RUNS):
        yield "min_runs", f"Write a whole number from {FEWEST_RUNS} to {MOST_RUNS:,}, such as 20."
    if given.working_days is not None and not set(given.working_days) <= set(Weekday):
        yield "working_days", "Choose days of the week."
    if given.working_days == ():
        yield "working_days", "Choose at least one day: nobody is nudged on the others."


def _is_whole(text: str, least: int, most: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 9 and least <= int(text) <= most


def _as_data(uow: UnitOfWork, workspace: Workspace) -> dict[str, object]:
    return {
        "curators": people.curators(uow),
        "curator_channel": workspace.curator_channel,
        "timezone": workspace.timezone,
        "rule": workspace.rule.value,
        "country": workspace.country,
        "min_runs": workspace.min_runs,
        "working_days": list(_days(workspace)),
        "guests": workspace.guests_allowed,
    }
