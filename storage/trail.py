"""The append-only trail of who did what, when and from where; flows write it with `UnitOfWork.record`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import event, insert
from sqlmodel import Session

from storage.engine import connection_of
from storage.tables import HomeChange, TrailEntry

_ENTRY = insert(TrailEntry).inline()
_CHANGE = insert(HomeChange).inline()
_CHANGES = "changes"


def append(session: Session, entries: Sequence[dict[str, Any]]) -> None:
    """Add entries, each a row's columns.

    Every action is recorded here, so this is also where Homes learn about events: the events of
    a transaction are written when it commits.
    """
    connection_of(session).execute(_ENTRY, list(entries))
    changes = [{name: one[name] for name in ("workspace_id", "subject", "member")} for one in entries]
    session.info.setdefault(_CHANGES, []).extend(changes)


@event.listens_for(Session, "before_commit")
def _write_changes(session: Session) -> None:
    changes = session.info.pop(_CHANGES, None)
    if changes:
        connection_of(session).execute(_CHANGE, changes)
