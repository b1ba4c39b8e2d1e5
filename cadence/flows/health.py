"""Whether the bot can do its work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from storage import people, turns
from storage.engine import Database
from storage.migrate import pending

OVERDUE = timedelta(minutes=10)
"""A message that has been due for longer than this means that no worker is sending."""


@dataclass(frozen=True, slots=True)
class Health:
    """One line for each thing looked at."""

    ready: bool
    lines: tuple[str, ...]


def health(db: Database, *, now: datetime, workspace_ids: Sequence[str]) -> Health:
    """Look at the database, its migrations, and how long messages of this process's workspaces have been waiting.

    What is owed in other workspaces of the database is for the processes that have their tokens.
    """
    try:
        waiting = pending(db)
        if waiting:
            return Health(False, (f"database: {len(waiting)} migrations to come; run `cadence migrate`",))
        with db.read() as session:
            known = [one for one in workspace_ids if people.workspace(session, workspace_id=one)]
            oldest = turns.next_due(session, within=workspace_ids)
    except SQLAlchemyError as broken:
        return Health(False, (f"database: {type(broken).__name__}",))
    late = oldest is not None and now - oldest > OVERDUE
    state = f"late since {oldest:%Y-%m-%d %H:%M} UTC" if late else "in time"
    workspace = "not set up yet" if not known else "ok" if len(known) == 1 else f"ok, {len(known)} of them"
    lines = ("database: ok", f"workspace: {workspace}", f"messages: {state}")
    return Health(not late, lines)
