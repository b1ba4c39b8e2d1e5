"""A workspace that took the bot out is forgotten: every row of it is deleted."""

from sqlmodel import Session

from cadence.refusals import Refusal
from storage import forgetting, people
from storage.engine import Database
from storage.tables import Workspace


def count_rows(db: Database, workspace_id: str) -> tuple[int, str]:
    """How many rows would go, and the workspace's name.

    Raises:
        Refusal: it isn't known, or still has the bot.
    """
    with db.read() as session:
        row = _taken_out(session, workspace_id)
        return forgetting.count(session, workspace_id=workspace_id), row.name or row.id


def forget(db: Database, workspace_id: str) -> None:
    """Delete them all, in one transaction.

    Raises:
        Refusal: the workspace isn't known, or has the bot again.
    """
    with db.write() as session:
        _taken_out(session, workspace_id)
        forgetting.forget(session, workspace_id=workspace_id)


def _taken_out(session: Session, workspace_id: str) -> Workspace:
    row = people.workspace(session, workspace_id=workspace_id)
    if row is None:
        raise Refusal(f"Nothing is stored of a workspace {workspace_id}.")
    if row.uninstalled_at is None:
        raise Refusal(
            f"{row.name or row.id} still has the bot. An admin takes it out in Slack first; then its rows can go."
        )
    return row
