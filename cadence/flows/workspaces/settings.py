"""The workspace's settings: curators, their channel, time zone, country, the rule, working days and hours."""

from collections.abc import Collection, Mapping
from typing import Final

from pydantic import ValidationError

from cadence.documents.words import Weekday
from cadence.flows.core import (
    cannot_be,
    hours_of,
    is_curator,
    lines_of,
    once,
    own_hours,
    require_curator,
    working_days,
)
from cadence.flows.people import FEWEST_RUNS, MOST_FIRST, MOST_RUNS, WorkspaceSettings, keep_settings
from cadence.refusals import FieldsRefused, Refusal
from storage.queries import people, workspaces
from storage.query_cache import hold
from storage.tables import Workspace
from storage.work import UnitOfWork
from templates.contexts.workspaces import SettingsForm, SettingsSaved

_SENTENCES: Final = {
    "curators": "A workspace needs at least one curator.",
    "rule": "Choose one of the three rules.",
    "timezone": "Enter a time zone, like Europe/Berlin.",
    "min_runs": f"Write a whole number from {FEWEST_RUNS} to {MOST_RUNS:,}, such as 20.",
    "first_cycles": f"Write a whole number from 1 to {MOST_FIRST}, such as 5.",
    "working_days.enum": "Choose days of the week.",
    "working_days": "Choose at least one working day. Nobody gets nudges on the others.",
}
"""The message for each field whose validator has none, or for one of pydantic's error types."""


def settings_form(uow: UnitOfWork, *, named: frozenset[str]) -> SettingsForm:
    """The settings form, for curators; in a workspace without curators, for its first one.

    `named` are the members listed as curators in the installation's settings.

    Raises:
        NotAllowed: anybody else.
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
            min_runs=str(workspace.min_runs),
            first_cycles=str(workspace.first_cycles),
            working_days=_days(workspace),
            hours=lines_of(hours_of(uow)),
            guests=workspace.guests_allowed,
        )


def _days(workspace: Workspace) -> tuple[str, ...]:
    chosen = working_days(workspace)
    return tuple(day for at, day in enumerate(Weekday) if at in chosen)


def _workspace(uow: UnitOfWork) -> Workspace:
    row = workspaces.workspace(uow)
    if row is None:
        row = Workspace(id=uow.actor.workspace_id, created_at=uow.now)
        uow.session.add(row)
        uow.session.flush()
    return row


def _require_may_set(uow: UnitOfWork, named: frozenset[str]) -> None:
    """Check who can set a workspace up, the first time or when no curator is left: an admin or somebody
    named."""
    if is_curator(uow) or {uow.actor.member, f"{uow.actor.workspace_id}:{uow.actor.member}"} & named:
        return
    member = people.member(uow, member_id=uow.actor.member)
    curators = people.curators(uow)
    first = not set(curators) - _not_people(uow, curators)
    if first and member is not None and member.is_admin:
        return
    require_curator(uow, to="change the settings")


def _not_people(uow: UnitOfWork, members: Collection[str]) -> set[str]:
    """Those of some members who can't take part here, or aren't known members of this Slack."""
    known = people.members(uow, member_ids=members)
    barred = cannot_be(uow, members, in_team=False)
    return {one for one in members if one not in known or one in barred}


@once
def save_settings(uow: UnitOfWork, typed: Mapping[str, object], *, named: frozenset[str]) -> SettingsSaved:
    """Save the settings; the earlier ones stay in the trail.

    Args:
        typed: the input, by field; omitted fields stay as they are.

    Raises:
        FieldsRefused: problems by field. Refusal: an invalid curator, invalid hours. NotAllowed: the caller
        isn't authorized.
    """
    given = _read(typed)
    with uow.write():
        workspace = _workspace(uow)
        hold(uow, workspace)  # serializes changes of settings
        _require_may_set(uow, named)
        before = _as_data(uow, workspace)
        if _not_people(uow, given.curators) - {uow.actor.member}:
            raise Refusal(
                "A curator must be a person in this workspace, not an app or a deactivated user.",
                field="curators",
            )
        keep_settings(uow, workspace, given)
        _note_change(uow, workspace, before)
        return SettingsSaved(
            curators=given.curators,
            timezone=given.timezone,
            rule=given.rule,
            curator_channel=workspace.curator_channel,
            country=workspace.country or "",
            min_runs=workspace.min_runs,
            first_cycles=workspace.first_cycles,
            working_days=_days(workspace),
            hours=tuple(lines_of(own_hours(workspace)).splitlines()),
            guests=workspace.guests_allowed,
        )


def _read(typed: Mapping[str, object]) -> WorkspaceSettings:
    try:
        return WorkspaceSettings.model_validate(typed)
    except ValidationError as wrong:
        errors = {str(one["loc"][0]): one for one in wrong.errors()}
        raise FieldsRefused(
            {
                field: str(one["ctx"]["error"])
                if one["type"] == "value_error"
                else _SENTENCES.get(f"{field}.{one['type']}") or _SENTENCES[field]
                for field, one in errors.items()
            }
        ) from None


def _note_change(uow: UnitOfWork, workspace: Workspace, before: dict[str, object]) -> None:
    """Record a change in the trail, unless nothing changed (a second click)."""
    after = _as_data(uow, workspace)
    if after == before:
        return
    uow.record(action="settings", subject=f"workspace:{workspace.id}", before=before, after=after)


def _as_data(uow: UnitOfWork, workspace: Workspace) -> dict[str, object]:
    return {
        "curators": people.curators(uow),
        "curator_channel": workspace.curator_channel,
        "timezone": workspace.timezone,
        "rule": workspace.rule.value,
        "country": workspace.country,
        "min_runs": workspace.min_runs,
        "first_cycles": workspace.first_cycles,
        "working_days": list(_days(workspace)),
        "guests": workspace.guests_allowed,
    }
