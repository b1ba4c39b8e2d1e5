"""Whether the bot can do its work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from cadence.flows.checkup import in_words
from storage import lanes, people, turns
from storage.engine import Database, forgetful_settings
from storage.migrate import pending

OVERDUE = timedelta(minutes=10)
"""A message that has been due for longer than this means that no worker is sending."""

WRITE_EVERY_SECONDS = 5.0
"""However often readiness is asked for, it writes no more often while that goes well."""
WRITE_PATIENCE_SECONDS = 3.0
"""How long readiness waits for another probe's write."""


@dataclass(frozen=True, slots=True)
class Health:
    """One line for each thing looked at."""

    ready: bool
    lines: tuple[str, ...]


class WriteProbe:
    """Tries whether a write is kept: a row of our own is written and committed, by one probe at a time.

    Args:
        timer: seconds that only ever go forward.
    """

    def __init__(self, db: Database, *, timer: Callable[[], float] = monotonic) -> None:
        self._db, self._timer = db, timer
        self._lock = Lock()
        self._wrote_at: float | None = None

    def trouble(self, workspace_id: str, *, now: datetime) -> str:
        """Why nothing can be written, or nothing."""
        if not self._lock.acquire(timeout=WRITE_PATIENCE_SECONDS):
            return "a write takes too long"
        try:
            if self._wrote_at is not None and self._timer() - self._wrote_at < WRITE_EVERY_SECONDS:
                return ""
            self._wrote_at = None
            with self._db.write() as session:
                lanes.close(session, workspace_id=workspace_id, name=lanes.READINESS, until=now)
            self._wrote_at = self._timer()
        except SQLAlchemyError as broken:
            return in_words(broken)
        finally:
            self._lock.release()
        return ""


def health(
    db: Database, *, now: datetime, workspace_ids: Sequence[str], probe: WriteProbe | None = None
) -> Health:
    """Look at the database, its migrations, and how long messages of this process's workspaces have been waiting.

    What is owed in other workspaces of the database is for the processes that have their tokens.

    Args:
        probe: also tries to write, once there is a workspace.
    """
    try:
        waiting = pending(db)
        if waiting:
            return Health(False, (f"database: {len(waiting)} migrations to come; run `cadence migrate`",))
        with db.read() as session:
            known = [one for one in workspace_ids if people.workspace(session, workspace_id=one)]
            oldest = turns.next_due(session, within=workspace_ids)
            forgetful = forgetful_settings(session)
    except SQLAlchemyError as broken:
        return Health(False, (f"database: {in_words(broken)}",))
    trouble = probe.trouble(known[0], now=now) if probe and known else ""
    if trouble:
        return Health(False, (f"database: can't be written to ({trouble})",))
    late = oldest is not None and now - oldest > OVERDUE
    state = f"late since {oldest:%Y-%m-%d %H:%M} UTC" if late else "in time"
    workspace = "not set up yet" if not known else "ok" if len(known) == 1 else f"ok, {len(known)} of them"
    lines: tuple[str, ...] = ("database: ok", f"workspace: {workspace}", f"messages: {state}")
    if forgetful:
        lines += (f"warning: PostgreSQL may forget what it confirmed ({', '.join(forgetful)} off)",)
    return Health(not late, lines)
