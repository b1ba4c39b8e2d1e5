"""The append-only trail of who did what, when and from where; flows write it with `UnitOfWork.record`.

The entries of a transaction are written by one statement when it commits, or before a query that reads the trail
(`UnitOfWork.flush_trail`).
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import insert
from sqlmodel import Session

from storage.deferred import Deferred
from storage.engine import connection_of
from storage.tables import HomeChange, TrailEntry

_ENTRY = insert(TrailEntry).inline()
_CHANGE = insert(HomeChange).inline()


def append(session: Session, entries: Sequence[dict[str, Any]]) -> None:
    """Add entries, each a row's columns; their values must not change afterwards.

    Raises:
        RuntimeError: the transaction only reads.
    """
    _ENTRIES.add(session, entries)


def flush(session: Session, actions: Collection[str] = ()) -> None:
    """Write the entries that were added since the last flush; with `actions`, only if one has such an action."""
    _ENTRIES.flush(session, only_if=(lambda one: one["action"] in actions) if actions else None)


def _write(session: Session, entries: list[dict[str, Any]]) -> None:
    """Write entries. Every action is recorded here, so this is also where Homes learn about events."""
    changes = [{name: one[name] for name in ("workspace_id", "subject", "member")} for one in entries]
    connection = connection_of(session)
    connection.execute(_ENTRY, entries)
    connection.execute(_CHANGE, changes)


_ENTRIES: Final = Deferred("trail entries", _write)
