"""People and teams: days away, profiles, joining."""

from cadence.flows.people.away import SET_AWAY, end_away, mute, set_away
from cadence.flows.people.holidays import holidays_form, team_holidays
from cadence.flows.people.join_requests import KINDS as _JOINING
from cadence.flows.people.joining import channel_to_join, decide_join, join_team, leave_team
from cadence.flows.people.profiles import (
    Profile,
    Status,
    ensure_workspace,
    go_on,
    has_profile,
    known_members,
    remember_address,
    save_profiles,
    valid_zone,
    workspace_ids,
)
from cadence.flows.people.settings import FEWEST_RUNS, MOST_FIRST, MOST_RUNS, WorkspaceSettings, keep_settings
from cadence.flows.people.teams import (
    TeamGiven,
    TeamPurpose,
    WhichTeam,
    choose_team_form,
    create_team,
    keep_members,
    likely_team,
    member_ids,
    record_team,
    require_may_change,
    show_team,
    team_form,
)
from cadence.flows.people.workspace_files import WorkspaceImported, export_workspace, import_workspace

__all__ = [
    "FEWEST_RUNS",
    "KINDS",
    "MOST_FIRST",
    "MOST_RUNS",
    "Profile",
    "Status",
    "TeamGiven",
    "TeamPurpose",
    "WhichTeam",
    "WorkspaceImported",
    "WorkspaceSettings",
    "channel_to_join",
    "choose_team_form",
    "create_team",
    "decide_join",
    "end_away",
    "ensure_workspace",
    "export_workspace",
    "go_on",
    "has_profile",
    "holidays_form",
    "import_workspace",
    "join_team",
    "keep_members",
    "keep_settings",
    "known_members",
    "leave_team",
    "likely_team",
    "member_ids",
    "mute",
    "record_team",
    "remember_address",
    "require_may_change",
    "save_profiles",
    "set_away",
    "show_team",
    "team_form",
    "team_holidays",
    "valid_zone",
    "workspace_ids",
]

KINDS = (SET_AWAY, *_JOINING)
