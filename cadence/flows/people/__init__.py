"""People and teams: days away, profiles, joining."""

from cadence.flows.people.away import end_away, mute, set_away
from cadence.flows.people.holidays import holidays_form, team_holidays
from cadence.flows.people.join_requests import ANSWERED, ASKED, LEFT, answer_post, leaving_post, request_post
from cadence.flows.people.joining import channel_to_join, decide_join, join_team, leave_team
from cadence.flows.people.profiles import (
    Profile,
    Status,
    ensure_workspace,
    has_profile,
    known_members,
    remember_address,
    save_profiles,
    valid_zone,
    workspace_ids,
)
from cadence.flows.people.teams import (
    TeamGiven,
    WhichTeam,
    create_team,
    keep_members,
    member_ids,
    record_team,
    require_may_change,
    show_team,
)
from cadence.flows.people.workspace_files import WorkspaceImported, export_workspace, import_workspace

__all__ = [
    "ANSWERED",
    "ASKED",
    "LEFT",
    "Profile",
    "Status",
    "TeamGiven",
    "WhichTeam",
    "WorkspaceImported",
    "answer_post",
    "channel_to_join",
    "create_team",
    "decide_join",
    "end_away",
    "ensure_workspace",
    "export_workspace",
    "has_profile",
    "holidays_form",
    "import_workspace",
    "join_team",
    "keep_members",
    "known_members",
    "leave_team",
    "leaving_post",
    "member_ids",
    "mute",
    "record_team",
    "remember_address",
    "request_post",
    "require_may_change",
    "save_profiles",
    "set_away",
    "show_team",
    "team_holidays",
    "valid_zone",
    "workspace_ids",
]
