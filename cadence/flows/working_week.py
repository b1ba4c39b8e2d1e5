"""The weekdays on which a workspace can be nudged: Monday to Friday, or what its file says."""

from collections.abc import Sequence

from cadence.documents.words import Weekday
from cadence.nudges import WEEKDAYS
from storage.tables import Workspace

_KEY = "working_days"
_ORDER = list(Weekday)


def working_days(workspace: Workspace) -> frozenset[int]:
    """Weekdays as numbers; 0 is Monday."""
    stored = workspace.settings.get(_KEY)
    return frozenset(_ORDER.index(Weekday(day)) for day in stored) if stored else WEEKDAYS


def stored_days(workspace: Workspace) -> tuple[Weekday, ...] | None:
    """As the workspace's file says them; None when it doesn't."""
    stored = workspace.settings.get(_KEY)
    return tuple(Weekday(day) for day in stored) if stored else None


def keep_days(workspace: Workspace, days: Sequence[Weekday] | None) -> None:
    """Take over what a file says; a file that says nothing changes nothing."""
    if days:
        workspace.settings = workspace.settings | {_KEY: [str(day) for day in days]}
