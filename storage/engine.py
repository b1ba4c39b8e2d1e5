"""The database: SQLite or PostgreSQL behind the same two kinds of transaction."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from copy import copy
from pathlib import Path
from stat import S_IMODE
from time import monotonic
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Dialect, Engine, PoolProxiedConnection, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlmodel import Session

from storage.group_commit import Together, Turn
from storage.patience import JOB, REQUEST, Patience, current, patient

R = TypeVar("R")
Bound = Session | Connection
"""What a statement without objects needs: a transaction, with a session or without one."""
Clash = IntegrityError
"""Two writers made the same thing at once; whoever is told so may look again and find what the first one made."""
Unreachable: Final = (OperationalError, NoConnection)
"""The database went away in the middle of something, or was too busy; it may be there again in a moment."""
WAL_SECONDS = 10
"""How long a process waits for another one that makes the same SQLite file."""
WAL_RETRY_MS = 50
"""How often a new SQLite file is asked to be one with a write-ahead log while another process has it."""
CONNECT_SECONDS = 3
"""How long PostgreSQL may take to let us in; a URL that says `connect_timeout` itself is obeyed."""
POOL_SECONDS = 2
"""How long a thread waits for a connection of the pool: there is one for each, so it is a rare thing."""
IDLE_IN_TRANSACTION_SECONDS = 60
"""After this PostgreSQL ends a transaction that does nothing: its process hangs, and others wait for its locks."""
LOST_SECONDS = 30
"""After this without an answer to what was sent, the system takes a connection to PostgreSQL for lost."""
RECYCLE_SECONDS = 1800
"""Connections are renewed after this: firewalls and poolers drop those that are older without a word."""


PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
IDLE_SECONDS = 1.0
"""A connection nobody has used for longer is asked whether it is alive before it is used again."""
_FORGETFUL: Final = text(
    "SELECT name FROM pg_settings WHERE setting = 'off'"
    " AND name IN ('fsync', 'full_page_writes', 'synchronous_commit') ORDER BY name"
)
_CONNECTION = "connection"
_USED_AT = "used at"
_PATIENCE = "patience"
_BUSY_STATES = frozenset({"55P03", "57014", "40P01"})
"""PostgreSQL: a lock or a statement took too long, or two transactions waited for each other."""


_SQLITE_AWAY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)
"""SQLite's results for a file that can't be used now; its other operational errors are mistakes in a statement."""


def is_unreachable(error: BaseException) -> bool:
    """Whether an error says that the database can't be used right now, rather than that we asked it wrongly."""
    if isinstance(error, NoConnection):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    result = getattr(error.orig, "sqlite_errorcode", None)  # extended: the low byte is the plain result
    return isinstance(error, OperationalError) and (result is None or result & 0xFF in _SQLITE_AWAY)


def is_busy(error: BaseException) -> bool:
    """Whether an error says that others kept the database busy for too long; nothing of the transaction is kept."""
    if isinstance(error, NoConnection):
        return True
    if not isinstance(error, OperationalError):
        return False
    result = getattr(error.orig, "sqlite_errorcode", 0)
    waited = result & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return waited or getattr(error.orig, "sqlstate", None) in _BUSY_STATES


def normal_url(url: str) -> str:
    """`postgres://…`, as hosting platforms hand it out, becomes SQLAlchemy's name for psycopg 3."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def plain_url(url: str) -> str:
    """The address of a PostgreSQL database as its own tools read it."""
    return "postgresql://" + normal_url(url).removeprefix("postgresql+psycopg://")


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None for one in memory and for PostgreSQL."""
    parsed = make_url(normal_url(url))
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:")
    return Path(str(parsed.database)) if is_file else None


def keep_private(file: Path) -> None:
    """Let only their owner read a SQLite file and those beside it: in them are tokens and what people reported."""
    for one in (file, *file.parent.glob(f"{file.name}[-.]*")):
        _take_from_others(one, PRIVATE_FILE)


def keep_folder_private(folder: Path) -> None:
    """Make a folder that only its owner may enter, or close one that is there; not one that people work in."""
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    real = folder.resolve()
    if real != Path.home() and not Path.cwd().is_relative_to(real):
        _take_from_others(folder, PRIVATE_FOLDER)


def _take_from_others(place: Path, mode: int) -> None:
    with suppress(FileNotFoundError):
        found = place.stat()
        if found.st_uid == os.geteuid() and S_IMODE(found.st_mode) & 0o077:
            place.chmod(mode)


class Database:
    """One engine; `read` and `write` hand out a session that lives as long as its transaction.

    A write on SQLite takes the write lock when it begins (`BEGIN IMMEDIATE`), so that what it read can't
    change before it saves. On PostgreSQL the flows lock the adoption's row instead.

    Args:
        url: an SQLAlchemy URL; `postgres://` is understood.
        connections: how many PostgreSQL connections are held at most: one a thread, and two to spare.
        requests: how long a person's request waits; see `for_a_request`.
        jobs: how long everything else waits.
    """

    def __init__(
        self, url: str, *, connections: int = 18, requests: Patience = REQUEST, jobs: Patience = JOB
    ) -> None:
        self.url = normal_url(url)
        self._requests, self._jobs = requests, jobs
        parsed = make_url(self.url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        options = {} if self.is_sqlite else _pooled(parsed, connections)
        if self.is_sqlite:
            file = sqlite_file(url)
            if file is not None:
                file.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            options["connect_args"] = {"check_same_thread": False}
        # An error names the statement; its parameters would be what people wrote.
        self.engine: Engine = create_engine(self.url, hide_parameters=True, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "connect", self._begin_by_itself)
        else:
            event.listen(self.engine, "checkin", _note_use)
            event.listen(self.engine, "checkout", self._ask_the_idle)
        event.listen(self.engine, "checkout", self._set_patience)
        self.writing: Engine = self.engine.execution_options(writes=True)
        turn = Turn(self._patience) if self.is_sqlite else None
        self._turn: AbstractContextManager[None] = turn or nullcontext()
        self._together = (
            Together(turn, self.write, patience=self._patience, is_busy=is_busy) if turn else None
        )
        self._outer: Session | None = None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; nothing it changes is kept."""
        if self._outer is not None:
            yield self._outer
            return
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are committed together at the end, or not at all on an error.

        On SQLite the threads of a process take turns: who asks SQLite itself sleeps longer with every try.
        """
        if self._outer is not None:
            yield self._outer
            return
        with self._turn, Session(self.writing, expire_on_commit=False) as session, session.begin():
            yield session

    def joined(self, session: Session) -> "Database":
        """This database as part of a write transaction that is open: whoever opened it commits."""
        within = copy(self)
        within._outer = session
        return within

    @property
    def is_joined(self) -> bool:
        """Whether it is part of a transaction that somebody else commits."""
        return self._outer is not None

    def together(self, work: Callable[[Session], R]) -> R:
        """Do something in a write transaction, committed when this returns.

        On SQLite it may share one with what other threads do just then: the disk is waited for once. `work` may be
        called again after it was rolled back, so it must change nothing but the database.
        """
        if self._together is not None and self._outer is None:
            return self._together.do(work)
        with self.write() as session:
            return work(session)

    def plainly(self, work: Callable[[Connection], R]) -> R:
        """`together` for work without objects: a session takes as long as a statement to begin and end."""
        if self._outer is not None:
            return work(connection_of(self._outer))
        if self._together is not None:
            return self._together.do(lambda session: work(connection_of(session)))
        with self.engine.begin() as connection:
            return work(connection)

    def for_a_request(self) -> AbstractContextManager[None]:
        """Let what this thread does wait no longer than a person's request can."""
        return patient(self._requests)

    def _patience(self) -> Patience:
        return current() or self._jobs

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()

    def _begin_by_itself(self, _connection: object, _record: object) -> None:
        """From the first connection on, when SQLAlchemy knows which SQLite it is.

        Two threads may make the first ones: neither may find a dialect that doesn't begin anything yet.
        """
        if self.writing.dialect is self.engine.dialect:
            writes = copy(self.engine.dialect)
            _begin_with(writes, "BEGIN IMMEDIATE")
            _begin_with(self.engine.dialect, "BEGIN")
            self.writing.dialect = writes

    def _ask_the_idle(self, connection: Any, record: Any, _proxy: object) -> None:
        """A connection that was cut while nobody used it is replaced, with all the others: a busy one isn't asked."""
        if monotonic() - record.info.get(_USED_AT, monotonic()) < IDLE_SECONDS:
            return
        dialect = self.engine.dialect
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as gone:
            raise InvalidatePoolError from gone

    def _set_patience(self, connection: Any, record: Any, _proxy: object) -> None:
        """A connection waits as long as whoever has it; it is told only when that changes."""
        wanted = self._patience()
        if record.info.get(_PATIENCE) == wanted:
            return
        if self.is_sqlite:
            wait = int(wanted.lock * 1000) or 2**31 - 1
            connection.execute(f"PRAGMA busy_timeout={wait}").close()
        else:
            try:
                _tell_postgres(connection, wanted)
            except self.engine.dialect.loaded_dbapi.Error as gone:
                raise InvalidatePoolError from gone
        record.info[_PATIENCE] = wanted


def forgetful_settings(session: Bound) -> list[str]:
    """The settings that let PostgreSQL forget in a crash what it acknowledged; none on SQLite.

    Messages are then sent again, and what people reported is lost.
    """
    connection = connection_of(session)
    if connection.dialect.name == "sqlite":
        return []
    return list(connection.execute(_FORGETFUL).scalars())


def connection_of(session: Bound) -> Connection:
    """The connection of a session's transaction, for statements that have no use for objects; looked up once."""
    if isinstance(session, Connection):
        return session
    known: Connection | None = session.info.get(_CONNECTION)
    if known is None or known.closed or not known.in_transaction():
        known = session.info[_CONNECTION] = session.connection()
    return known


def _note_use(_connection: object, record: Any) -> None:
    record.info[_USED_AT] = monotonic()


def _pooled(url: URL, connections: int) -> dict[str, Any]:
    """How connections to PostgreSQL are made and kept; what the URL says itself is obeyed."""
    wishes = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "rollout-cadence",
        "keepalives_idle": LOST_SECONDS,
        "keepalives_interval": LOST_SECONDS // 3,
        "keepalives_count": 3,
        "tcp_user_timeout": LOST_SECONDS * 1000,
    }
    return {
        "pool_size": connections,
        "max_overflow": 0,
        "pool_timeout": POOL_SECONDS,
        "pool_recycle": RECYCLE_SECONDS,
        "connect_args": {name: wish for name, wish in wishes.items() if name not in url.query},
    }


def _tell_postgres(connection: Any, patience: Patience) -> None:
    """Outside of any transaction, so that it is kept; by a statement, as poolers take no options on connecting."""
    connection.autocommit = True
    connection.execute(
        "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false),"
        " set_config('idle_in_transaction_session_timeout', %s, false)",
        [f"{int(one * 1000)}ms" for one in (patience.lock, patience.statement, IDLE_IN_TRANSACTION_SECONDS)],
    )
    connection.autocommit = False


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions on its own
    for pragma in ("foreign_keys=ON", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}").close()
    for tries_left in reversed(range(WAL_SECONDS * 1000 // WAL_RETRY_MS)):
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except (
            sqlite3.OperationalError
        ):  # another process turns a new file to WAL: SQLite waits for no lock here
            if not tries_left:
                raise
            time.sleep(WAL_RETRY_MS / 1000)


def _begin_with(dialect: Dialect, statement: str) -> None:
    """Let a dialect begin its transactions with a statement.

    Not by an event of the engine: while somebody listens to any, each statement looks for listeners in six places.
    """

    def begin(connection: PoolProxiedConnection) -> None:
        connection.cursor().execute(statement).close()

    dialect.do_begin = begin  # type: ignore[assignment, method-assign]
