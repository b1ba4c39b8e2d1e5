"""The figures of the workspaces for whoever watches the bot."""

from collections import Counter
from collections.abc import Sequence
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


def figures(
    db: Database, *, workspace_ids: Sequence[str], now: datetime, counted: Figures | None = None
) -> Figures:
    """What is due now, and what there is in all; the latter is taken over from `counted` when it is given."""
    waiting: Counter[str] = Counter()
    first: dict[str, datetime] = {}
    messages: Counter[tuple[str, str]] = Counter()
    verdicts: Counter[str] = Counter()
    with db.read() as session:
        for one in workspace_ids:
            for kind, count, since in deliveries.waiting(session, workspace_id=one, now=now):
                waiting[kind] += count
                first[kind] = min(since, first.get(kind, since))
            if counted is None:
                for kind, state, count in deliveries.by_state(session, workspace_id=one):
                    messages[kind, state] += count
                for decision, count in deliveries.verdicts(session, workspace_id=one):
                    verdicts[decision] += count
    due = tuple((kind, count, (now - first[kind]).total_seconds()) for kind, count in waiting.items())
    if counted is not None:
        return Figures(due, counted.messages, counted.verdicts)
    return Figures(
        due,
        tuple((kind, state, count) for (kind, state), count in messages.items()),
        tuple(verdicts.items()),
    )
