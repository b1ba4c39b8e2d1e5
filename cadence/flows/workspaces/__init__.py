"""Workspaces: settings, installing, health."""

from cadence.flows.workspaces.checks import (
    Checkup,
    Figures,
    MemberFound,
    TeamFound,
    WorkspaceFound,
    WriteProbe,
    checkup,
    figures,
    health,
)
from cadence.flows.workspaces.installing import (
    Arrival,
    Installed,
    arrive,
    count_rows,
    drop_states,
    forget,
    installed,
    keep_token,
    leave,
    take_turn,
    use_state,
)
from cadence.flows.workspaces.settings import SettingsGiven, save_settings, settings_form
from cadence.flows.workspaces.welcoming import invited, welcome

__all__ = [
    "Arrival",
    "Checkup",
    "Figures",
    "Installed",
    "MemberFound",
    "SettingsGiven",
    "TeamFound",
    "WorkspaceFound",
    "WriteProbe",
    "arrive",
    "checkup",
    "count_rows",
    "drop_states",
    "figures",
    "forget",
    "health",
    "installed",
    "invited",
    "keep_token",
    "leave",
    "save_settings",
    "settings_form",
    "take_turn",
    "use_state",
    "welcome",
]
