"""The unit of work: the actor, workspace and time of one action, its transaction, and its effects.

Every query takes one and reads only the rows of its workspace, so that no query can forget the filter.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, Self, TypeVar

from sqlmodel import Session
from structlog.contextvars import get_contextvars

from cadence.actor import Actor
from storage import trail
from storage.engine import Database
from storage.outbox import pending, queueing
from storage.outbox.queueing import NewMessage
from storage.tables import OutboxMessage

R = TypeVar("R")
RECENT_WEEKS = 6
"""A cycle, the week after it, and one more week for time zones."""


class Entry(NamedTuple):
    """An entry for the trail; `subject` is `noun:id`."""

    action: str
    subject: str
    before: Any = None
    after: Any = None


class UnitOfWork:
    """One request of a person, or one step of background work.

    It is created before its transaction and can open several, one after another: `with uow.write(): …`.

    Args:
        db: the database; None if it joins an open transaction (see `around`).
        actor: who acts, and in which workspace.
        now: the instant at which it happens, aware.

    `facts` caches what was looked up about the actor for all its transactions. `recent` is the Monday from which
    reports are read together, while older ones are read week by week; None without a time.
    """

    def __init__(self, db: Database | None, actor: Actor, now: datetime | None = None) -> None:
        self._db = db
        self._now = now
        self.recent = _recent(now)
        self._session: Session | None = None
        self._writes = False
        self.actor = actor
        self.facts: dict[Any, Any] = {}

    @classmethod
    def around(cls, session: Session, actor: Actor, now: datetime | None = None) -> Self:
        """A unit of work in an open transaction."""
        made = cls(None, actor, now)
        made._session, made._writes = session, True
        return made

    @property
    def workspace_id(self) -> str:
        """The Slack workspace whose rows it reads and writes."""
        return self.actor.workspace_id

    @property
    def correlation_id(self) -> str:
        """The request's correlation id, as stored in the trail and the outbox."""
        return self.actor.request

    @property
    def db(self) -> Database:
        """The database; while a write transaction is open, as part of that transaction.

        Raises:
            RuntimeError: it joined a transaction of another caller.
        """
        if self._db is None:
            raise RuntimeError("This unit of work joined an open transaction; it can't open another one.")
        return self._db.joined(self._session) if self._writes and self._session else self._db

    @property
    def session(self) -> Session:
        """The session of the open transaction.

        Raises:
            RuntimeError: no transaction is open.
        """
        if self._session is None:
            raise RuntimeError("No transaction is open. Use `with uow.read():` or `with uow.write():`.")
        return self._session

    @property
    def is_writing(self) -> bool:
        """Whether a transaction that will be committed is open; `write` joins it."""
        return self._writes

    @property
    def now(self) -> datetime:
        """The instant at which it happens.

        Raises:
            RuntimeError: it was created without a time.
        """
        if self._now is None:
            raise RuntimeError("This unit of work was made without a time.")
        return self._now

    @contextmanager
    def read(self) -> Iterator[Self]:
        """Open a transaction for reading; changes are discarded. Inside `write` it joins that transaction."""
        if self._writes:
            yield self
            return
        with self.db.read() as session, self._opened(session, writes=self.db.is_joined):
            yield self

    @contextmanager
    def write(self) -> Iterator[Self]:
        """Open a transaction whose changes are committed together at the end, or rolled back on an error.

        Inside another `write` it joins that transaction.
        """
        if self._writes:
            yield self
            return
        with self.db.write() as session, self._opened(session, writes=True):
            yield self

    @contextmanager
    def _opened(self, session: Session, *, writes: bool) -> Iterator[None]:
        outer = self._session, self._writes
        self._session, self._writes = session, writes
        try:
            yield
        finally:
            self._session, self._writes = outer

    def at(self, now: datetime) -> Self:
        """A copy at another instant."""
        other = copy(self)
        other._now = now  # noqa: SLF001 - a copy of this object
        other.recent = _recent(now)
        return other

    def by(self, actor: Actor) -> Self:
        """A copy with another actor, or another request."""
        other = copy(self)
        other.actor = actor
        return other

    def record(
        self, *, action: str, subject: str, before: Any = None, after: Any = None, surface: str | None = None
    ) -> None:
        """Add an entry to the trail: an action of the actor, or of the bot itself.

        The entries of a transaction are written together: see `flush_trail`.

        Args:
            subject: `noun:id`.
            surface: what triggered the bot: `rule`, `clock`, `event`; None for the actor's own action.
        """
        self.record_all([Entry(action, subject, before, after)], surface=surface)

    def record_all(self, entries: Sequence[Entry], *, surface: str | None = None) -> None:
        """Add any number of entries, as `record` adds one."""
        if not entries:
            return
        shared = {
            "workspace_id": self.workspace_id,
            "at": self.now,
            "member": self.actor.member if surface is None else None,
            "surface": surface or self.actor.surface,
            "correlation_id": self.correlation_id,
        }
        trail.append(self.session, [one._asdict() | shared for one in entries])

    def flush_trail(self, *actions: str) -> None:
        """Write the entries recorded so far. Every query that reads the trail calls it first.

        Args:
            actions: the actions of the entries that the query reads; nothing is written if none of them was recorded.
        """
        trail.flush(self.session, actions)

    def send(self, messages: NewMessage | Sequence[NewMessage]) -> None:
        """Queue messages when the transaction commits; existing keys are left alone."""
        several = [messages] if isinstance(messages, NewMessage) else messages
        shared = self._shared()
        pending.add(self.session, [one.row(self.workspace_id, self.now) | shared for one in several])

    def send_new(self, messages: NewMessage | Sequence[NewMessage]) -> int:
        """Queue messages now. Returns how many are new: whose keys don't exist yet."""
        several = [messages] if isinstance(messages, NewMessage) else messages
        shared = self._shared()
        pending.flush(self.session)  # what was queued before comes first
        return queueing.insert(
            self.session, [one.row(self.workspace_id, self.now) | shared for one in several]
        )

    def messages(self, kinds: str | Sequence[str], *about: object) -> list[OutboxMessage]:
        """The messages of a kind, or of several, that were queued about something; oldest first within each
        kind.

        Args:
            about: a prefix of `NewMessage.about`: fewer parts find more messages.
        """
        several = (kinds,) if isinstance(kinds, str) else kinds
        return self.messages_about_any(several, [about])

    def messages_about_any(
        self, kinds: Sequence[str], prefixes: Sequence[Sequence[object]]
    ) -> list[OutboxMessage]:
        """`messages` of several kinds about any of several things, by one query.

        Args:
            prefixes: of `NewMessage.about`, as in `messages`.
        """
        pending.flush(self.session, kinds)
        return queueing.find(
            self, kinds=tuple(kinds), prefixes=tuple(tuple(map(str, about)) for about in prefixes)
        )

    def rewrite(self, kinds: str | Sequence[str], *about: object, mark: str, week: object = None) -> None:
        """Queue a rewrite of each message of these kinds about something that was sent or is being sent.

        They are found when the transaction commits, those of all its changes by one query.

        Args:
            about: a prefix of `NewMessage.about`.
            mark: identifies the occasion: each rewrites a message once.
            week: only messages about the week that begins on this Monday.
        """
        several = (kinds,) if isinstance(kinds, str) else kinds
        keys = [queueing.message_key(self.workspace_id, kind, about) for kind in several]
        occasion = pending.Occasion(self._shared(), mark, self.now)
        pending.rewrite_about(self.session, occasion, keys, week=None if week is None else str(week))

    def rewrite_messages(
        self,
        messages: Iterable[OutboxMessage],
        *,
        mark: str,
        at: datetime | None = None,
        **subject: str | int,
    ) -> None:
        """Queue a rewrite of each of these messages that was sent or is being sent; it shows the state at that time.

        Args:
            mark: identifies the occasion: each rewrites a message once.
            at: when, if not now; messages sent until then are rewritten too.
            subject: added to the rewrite's subject.
        """
        occasion = pending.Occasion(self._shared(), mark, at or self.now, tuple(subject.items()))
        found = (
            one for one in messages if queueing.is_shown(one) or (at is not None and one.replaces_id is None)
        )
        pending.rewrite(self.session, occasion, found)

    def _shared(self) -> dict[str, Any]:
        """The columns that rows of the ledger share, with the correlation id of the request or planning."""
        return {
            "workspace_id": self.workspace_id,
            "correlation_id": self.correlation_id or str(get_contextvars().get("correlation_id", "")),
            "created_at": self.now,
        }


def _recent(now: datetime | None) -> date | None:
    if now is None:
        return None
    today = now.astimezone(UTC).date()
    return today - timedelta(weeks=RECENT_WEEKS, days=today.weekday())
