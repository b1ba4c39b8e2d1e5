"""The append-only trail of who did what, when and from where; flows write it with `UnitOfWork.record`.

The entries of a transaction are written by one statement when it commits, or before a query that reads the trail
(`UnitOfWork.flush_trail`).
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import event, insert
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session

from storage.engine import connection_of, require_writing
from storage.tables import HomeChange, TrailEntry

_ENTRY = insert(TrailEntry).inline()
_CHANGE = insert(HomeChange).inline()
_PENDING = "pending"
_CHANGES = "changes"


def append(session: Session, entries: Sequence[dict[str, Any]]) -> None:
    """Add entries, each a row's columns; their values must not change afterwards.

    Raises:
        RuntimeError: the transaction only reads.
    """
    require_writing(connection_of(session))
    if session.in_nested_transaction():
        session.connection()  # a savepoint is set when it is first used
    session.info.setdefault(_PENDING, []).extend(entries)


def flush(session: Session, actions: Collection[str] = ()) -> None:
    """Write the entries that were added since the last flush; with `actions`, only if one has such an action.

    Every action is recorded here, so this is also where Homes learn about events: the events of
    a transaction are written when it commits.
    """
    entries = session.info.get(_PENDING)
    if not entries or (actions and not any(one["action"] in actions for one in entries)):
        return
    del session.info[_PENDING]
    connection_of(session).execute(_ENTRY, entries)
    changes = [{name: one[name] for name in ("workspace_id", "subject", "member")} for one in entries]
    session.info.setdefault(_CHANGES, []).extend(changes)


@event.listens_for(Session, "before_commit")
def _write_all(session: Session) -> None:
    flush(session)
    changes = session.info.pop(_CHANGES, None)
    if changes:
        connection_of(session).execute(_CHANGE, changes)


@event.listens_for(Session, "after_transaction_create")
def _write_before_savepoint(session: Session, transaction: SessionTransaction) -> None:
    """Write what was recorded before a savepoint, so that undoing the savepoint doesn't undo it."""
    if transaction.nested:
        flush(session)


@event.listens_for(Session, "after_soft_rollback")
def _forget_what_was_undone(session: Session, _previous: object) -> None:
    session.info.pop(_PENDING, None)
