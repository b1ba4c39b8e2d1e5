"""What a command means, once read: one dataclass each, by room."""

from handlers.grammar.commands.base import Command
from handlers.grammar.commands.cycles import CloseCycle, Cycle, PauseCycle, ShowCycle, StartCycle
from handlers.grammar.commands.exports import Export
from handlers.grammar.commands.handoffs import Handoff
from handlers.grammar.commands.modes import DeclareMode, Trace
from handlers.grammar.commands.overview import Digest, Help, Status, Why
from handlers.grammar.commands.people import Away, Mute, Settings, Snooze, SnoozeUntil
from handlers.grammar.commands.playbooks import (
    ExportPlaybook,
    ImportPlaybook,
    ListPlaybooks,
    NewPlaybook,
    ShowPlaybook,
)
from handlers.grammar.commands.publishing import (
    DiffPlaybook,
    MovePlaybook,
    PublishPlaybook,
    Registry,
    RetirePlaybook,
    RevisePlaybook,
)
from handlers.grammar.commands.reports import Attest, Kpi, LogException
from handlers.grammar.commands.spreading import Adopt, Learn
from handlers.grammar.commands.standards import ReviseRubric, Rubric
from handlers.grammar.commands.teams import CreateTeam, JoinTeam, LeaveTeam, TeamHolidays, TeamMembers

__all__ = [
    "Adopt",
    "Attest",
    "Away",
    "CloseCycle",
    "Command",
    "CreateTeam",
    "Cycle",
    "DeclareMode",
    "DiffPlaybook",
    "Digest",
    "Export",
    "ExportPlaybook",
    "Handoff",
    "Help",
    "ImportPlaybook",
    "JoinTeam",
    "Kpi",
    "Learn",
    "LeaveTeam",
    "ListPlaybooks",
    "LogException",
    "MovePlaybook",
    "Mute",
    "NewPlaybook",
    "PauseCycle",
    "PublishPlaybook",
    "Registry",
    "RetirePlaybook",
    "RevisePlaybook",
    "ReviseRubric",
    "Rubric",
    "Settings",
    "ShowCycle",
    "ShowPlaybook",
    "Snooze",
    "SnoozeUntil",
    "StartCycle",
    "Status",
    "TeamHolidays",
    "TeamMembers",
    "Trace",
    "Why",
]
