"""The unit of work: who acts in which workspace, when, and the transaction in which it happens.

Every query takes one and reads the rows of its workspace only, so that no query can forget whose rows it reads.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from datetime import datetime
from typing import Self, TypeVar

from sqlalchemy import Connection
from sqlmodel import Session

from cadence.actor import Actor
from storage.engine import Bound, Database, connection_of

R = TypeVar("R")


class UnitOfWork:
    """One request of a person, or one step of the bot's own.

    It is made before its transaction and may open several, one after the other: `with uow.write(): …`.

    Args:
        db: where the rows are; None when it joins a transaction that is open already (see `around`).
        actor: who acts, and in which workspace.
        now: the instant at which it happens, aware.
    """

    def __init__(self, db: Database | None, actor: Actor, now: datetime | None = None) -> None:
        self._db = db
        self._now = now
        self._bound: Bound | None = None
        self._writes = False
        self.actor = actor

    @classmethod
    def around(cls, session: Bound, actor: Actor, now: datetime | None = None) -> Self:
        """A unit of work in a transaction that is open already."""
        made = cls(None, actor, now)
        made._bound, made._writes = session, True
        return made

    @property
    def workspace_id(self) -> str:
        """The Slack workspace whose rows it reads and writes."""
        return self.actor.workspace_id

    @property
    def correlation_id(self) -> str:
        """The request, as the trail and the outbox keep it."""
        return self.actor.request

    @property
    def db(self) -> Database:
        """The database; while a write transaction is open, as part of that transaction.

        Raises:
            RuntimeError: it joined a transaction that somebody else opened.
        """
        if self._db is None:
            raise RuntimeError("This unit of work joined an open transaction; it can't open another one.")
        return self._db.joined(self._bound) if self._writes and isinstance(self._bound, Session) else self._db

    @property
    def bound(self) -> Bound:
        """The open transaction, for statements without objects.

        Raises:
            RuntimeError: none is open.
        """
        if self._bound is None:
            raise RuntimeError("No transaction is open. Use `with uow.read():` or `with uow.write():`.")
        return self._bound

    @property
    def session(self) -> Session:
        """The session of the open transaction.

        Raises:
            RuntimeError: none is open, or it has none.
        """
        if isinstance(self.bound, Connection):
            raise RuntimeError("This transaction has no session.")
        return self.bound

    @property
    def is_writing(self) -> bool:
        """Whether a transaction that will be committed is open; `write` joins it."""
        return self._writes

    @property
    def now(self) -> datetime:
        """The instant at which it happens.

        Raises:
            RuntimeError: it was made without one.
        """
        if self._now is None:
            raise RuntimeError("This unit of work was made without a time.")
        return self._now

    @contextmanager
    def read(self) -> Iterator[Self]:
        """Open a transaction for reading; nothing it changes is kept. Inside `write` it is part of that."""
        if self._writes:
            yield self
            return
        with self.db.read() as session, self._opened(session, writes=self.db.is_joined):
            yield self

    @contextmanager
    def write(self) -> Iterator[Self]:
        """Open a transaction whose changes are committed together at the end, or not at all on an error.

        Inside another one it is part of that one.
        """
        if self._writes:
            yield self
            return
        with self.db.write() as session, self._opened(session, writes=True):
            yield self

    def together(self, work: Callable[[Self], R]) -> R:
        """Do something in a write transaction that it may share with other threads; see `Database.together`."""
        return work(self) if self._writes else self.db.together(lambda session: work(self._within(session)))

    def plainly(self, work: Callable[[Self], R]) -> R:
        """`together` for work without objects; see `Database.plainly`."""
        if self._writes:
            return work(self._within(connection_of(self.bound)))
        return self.db.plainly(lambda connection: work(self._within(connection)))

    def _within(self, bound: Bound) -> Self:
        other = copy(self)
        other._bound, other._writes = bound, True
        return other

    @contextmanager
    def _opened(self, session: Session, *, writes: bool) -> Iterator[None]:
        outer = self._bound, self._writes
        self._bound, self._writes = session, writes
        try:
            yield
        finally:
            self._bound, self._writes = outer

    def at(self, now: datetime) -> Self:
        """The same work seen at another instant."""
        other = copy(self)
        other._now = now
        return other

    def by(self, actor: Actor) -> Self:
        """The same work done by somebody else, or with another request."""
        other = copy(self)
        other.actor = actor
        return other
