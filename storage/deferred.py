"""What a transaction collects, and writes by one statement when it commits."""

from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import event
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session

from storage.engine import connection_of, require_writing

T = TypeVar("T")
_ALL: Final[list["Deferred[Any]"]] = []


class Deferred(Generic[T]):
    """Items of one sort, in the order in which they were added.

    They are written when the transaction commits, on `flush`, and before a savepoint, so that undoing the savepoint
    doesn't undo them. A rollback drops those that weren't written.

    Args:
        name: of the sort.
        write: writes all items that were added since the last time.
    """

    def __init__(self, name: str, write: Callable[[Session, list[T]], None]) -> None:
        self._name = f"deferred {name}"
        self._write = write
        _ALL.append(self)

    def add(self, session: Session, items: Iterable[T]) -> None:
        """Add items; they must not change afterwards.

        Raises:
            RuntimeError: the transaction only reads.
        """
        require_writing(connection_of(session))
        if session.in_nested_transaction():
            session.connection()  # a savepoint is set when it is first used
        session.info.setdefault(self._name, []).extend(items)

    def flush(self, session: Session, *, only_if: Callable[[T], bool] | None = None) -> None:
        """Write what was added, unless `only_if` fits none of it."""
        items: list[T] = session.info.get(self._name, [])
        if not items or (only_if is not None and not any(map(only_if, items))):
            return
        del session.info[self._name]
        self._write(session, items)

    def drop(self, session: Session) -> None:
        """Forget what wasn't written."""
        session.info.pop(self._name, None)


@event.listens_for(Session, "before_commit")
def _write_all(session: Session) -> None:
    for one in _ALL:
        one.flush(session)


@event.listens_for(Session, "after_transaction_create")
def _write_before_savepoint(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        _write_all(session)


@event.listens_for(Session, "after_soft_rollback")
def _forget_what_was_undone(session: Session, _previous: object) -> None:
    for one in _ALL:
        one.drop(session)
