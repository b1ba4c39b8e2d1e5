"""Going on with a workspace that had taken the bot out."""

from cadence.nudges import Unless
from storage.queries import installations
from storage.tables import Workspace
from storage.work import UnitOfWork


def go_on(uow: UnitOfWork, row: Workspace) -> bool:
    """Work in a workspace again that had taken the bot out; False when it hadn't."""
    if row.uninstalled_at is None:
        return False
    installations.skip_owed(uow, reason=Unless.UNINSTALLED.value)
    row.uninstalled_at, row.planned_until = None, uow.now
    uow.session.add(row)
    return True
