"""The figures of a workspace for whoever watches the bot."""

from dataclasses import dataclass
from datetime import datetime

from storage import deliveries
from storage.engine import Database


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts by the database.

    Args:
        due: (kind, count, seconds that the one waiting longest could have been sent).
        messages: (kind, state, count) of every message there is.
        verdicts: (decision, count).
    """

    due: tuple[tuple[str, int, float], ...]
    messages: tuple[tuple[str, str, int], ...]
    verdicts: tuple[tuple[str, int], ...]


def figures(db: Database, *, workspace_id: str, now: datetime, counted: Figures | None = None) -> Figures:
    """What is due now, and what there is in all; the latter is taken over from `counted` when it is given."""
    with db.read() as session:
        waiting = deliveries.waiting(session, workspace_id=workspace_id, now=now)
        due = tuple((kind, count, (now - first).total_seconds()) for kind, count, first in waiting)
        if counted is not None:
            return Figures(due, counted.messages, counted.verdicts)
        return Figures(
            due,
            tuple(deliveries.by_state(session, workspace_id=workspace_id)),
            tuple(deliveries.verdicts(session, workspace_id=workspace_id)),
        )
