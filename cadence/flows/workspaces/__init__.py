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
    take_lease,
    use_state,
)
from cadence.flows.workspaces.replying import REPLIED, written
from cadence.flows.workspaces.settings import save_settings, settings_form
from cadence.flows.workspaces.welcoming import WELCOMED, invited

KINDS = (WELCOMED, REPLIED)

__all__ = [
    "KINDS",
    "Arrival",
    "Checkup",
    "Figures",
    "Installed",
    "MemberFound",
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
    "take_lease",
    "use_state",
    "written",
]
