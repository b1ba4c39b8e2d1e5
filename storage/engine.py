"""The database: read and write transactions on SQLite or PostgreSQL."""

import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from copy import copy
from pathlib import Path
from stat import S_IMODE
from time import monotonic
from typing import Any, Final, TypeVar

from sqlalchemy import (
    Connection,
    Dialect,
    Engine,
    PoolProxiedConnection,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlmodel import Session

from storage.group_commit import GroupCommit, WriteLock
from storage.patience import JOB, REQUEST, Patience, current, patient
from storage.statements import CompiledStatements

R = TypeVar("R")
Conflict = IntegrityError
"""Two writers created the same thing at once; the caller can retry and will find what the first one
created."""


class Stale(Conflict):
    """What a request was decided on changed while it waited for a lock; a retry sees the current state."""

    def __init__(self) -> None:
        super().__init__("changed while this waited", None, Exception())


Unreachable: Final = (OperationalError, NoConnection)
"""The database connection failed or the database was too busy; it may be available again in a moment."""
WAL_SECONDS = 10
"""Seconds a process waits for another one that creates the same SQLite file."""
WAL_RETRY_MS = 50
"""Milliseconds between tries to set a new SQLite file to write-ahead logging while another process has it
open."""
CONNECT_SECONDS = 3
"""Seconds to wait for a connection to PostgreSQL; a `connect_timeout` in the URL takes precedence."""
POOL_SECONDS = 2
"""Seconds a thread waits for a pooled connection. There is one for each thread, so waiting is rare."""
IDLE_IN_TRANSACTION_SECONDS = 60
"""Seconds after which PostgreSQL ends an idle transaction: its process hangs while others wait for its
locks."""
LOST_SECONDS = 30
"""Seconds without an acknowledgement after which the operating system drops a connection to PostgreSQL."""
RECYCLE_SECONDS = 1800
"""Seconds after which connections are replaced: firewalls and poolers silently drop old ones."""


PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
IDLE_SECONDS = 1.0
"""Seconds without use after which a connection is tested before it is used again."""
_FORGETFUL: Final = text(
    "SELECT name FROM pg_settings WHERE setting = 'off'"
    " AND name IN ('fsync', 'full_page_writes', 'synchronous_commit') ORDER BY name"
)
_CONNECTION = "connection"
_USED_AT = "used at"
_PATIENCE = "patience"
_WRITES = "writes"
_BEGIN = "begin"
_READS = "reads"
STATEMENTS: Final = 1_000
"""Statements kept compiled for each kind of database, and on each connection to SQLite; the program has several
hundred."""
_KINDS: Final[dict[object, tuple[Dialect, CompiledStatements]]] = {}
_BUSY_STATES = frozenset({"55P03", "57014", "40P01"})
"""PostgreSQL's codes for a lock or statement time-out and for a deadlock."""


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
"""SQLite's codes for a file that can't be used now; its other operational errors are mistakes in a
statement."""


def is_unreachable(error: BaseException) -> bool:
    """Whether an error means that the database is unavailable now, rather than that a statement is wrong."""
    if isinstance(error, NoConnection):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    result = getattr(error.orig, "sqlite_errorcode", None)  # extended: the low byte is the plain result
    return isinstance(error, OperationalError) and (result is None or result & 0xFF in _SQLITE_AWAY)


def is_busy(error: BaseException) -> bool:
    """Whether an error means that others kept the database busy for too long; the transaction was rolled
    back."""
    if isinstance(error, NoConnection):
        return True
    if not isinstance(error, OperationalError):
        return False
    result = getattr(error.orig, "sqlite_errorcode", 0)
    waited = result & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return waited or getattr(error.orig, "sqlstate", None) in _BUSY_STATES


def normal_url(url: str) -> str:
    """Replace `postgres://…`, which hosting platforms use, by SQLAlchemy's name for psycopg 3."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def plain_url(url: str) -> str:
    """The URL of a PostgreSQL database as PostgreSQL's own tools read it."""
    return "postgresql://" + normal_url(url).removeprefix("postgresql+psycopg://")


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None for one in memory and for PostgreSQL."""
    parsed = make_url(normal_url(url))
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:")
    return Path(str(parsed.database)) if is_file else None


def keep_private(file: Path) -> None:
    """Restrict a SQLite file and its companions to their owner: they contain tokens and reports."""
    for one in (file, *file.parent.glob(f"{file.name}[-.]*")):
        _take_from_others(one, PRIVATE_FILE)


def keep_folder_private(folder: Path) -> None:
    """Create a folder that only its owner can enter, or restrict an existing one unless people work in it."""
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
    """One engine; `read` and `write` return a session that lives as long as its transaction.

    A write on SQLite takes the write lock when it begins (`BEGIN IMMEDIATE`), so that what it read can't
    change before it saves. On PostgreSQL the flows lock the adoption's row instead.

    Args:
        url: an SQLAlchemy URL; `postgres://` is understood.
        connections: PostgreSQL connections held at most: one per thread, and two to spare.
        requests: how long a request from Slack waits; see `for_a_request`.
        jobs: how long everything else waits.
        is_temporary: SQLite doesn't wait for the disk, because nobody needs the file after this process.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int = 18,
        requests: Patience = REQUEST,
        jobs: Patience = JOB,
        is_temporary: bool = False,
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
            options["connect_args"] = {"check_same_thread": False, "cached_statements": STATEMENTS}
        # An error names the statement; its parameters could contain what people wrote.
        self.engine: Engine = create_engine(self.url, hide_parameters=True, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            if is_temporary:
                event.listen(self.engine, "connect", _wait_for_no_disk)
        else:
            event.listen(self.engine, "checkin", _note_use)
            event.listen(self.engine, "checkout", self._ask_the_idle)
        event.listen(self.engine, "checkout", self._set_patience)
        _watch_writes(self.engine.dialect)
        self.writing: Engine = self.engine.execution_options(writes=True)
        self.reading: Engine = self.engine.execution_options(**_reading(is_sqlite=self.is_sqlite))
        if self.is_sqlite:
            _begin_explicitly(self.engine.dialect)
            # For those who need an engine; `write` does without its event, which costs each statement time.
            event.listen(self.writing, "engine_connect", _begin_immediately)
        self._share_statements("sqlite" if self.is_sqlite else parsed.set(database=None))
        write_lock = WriteLock(self._patience) if self.is_sqlite else None
        self._write_lock: AbstractContextManager[None] = write_lock or nullcontext()
        self._group = (
            GroupCommit(write_lock, self.write, patience=self._patience, is_busy=is_busy)
            if write_lock
            else None
        )
        self._outer: Session | None = None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session for reading; changes to its objects are discarded.

        On SQLite it is one transaction. On PostgreSQL each statement commits by itself: under READ COMMITTED the
        statements of a transaction don't share a snapshot either, BEGIN and ROLLBACK are two more round trips, and
        psycopg forgets its prepared statements with every ROLLBACK.
        """
        if self._outer is not None:
            yield self._outer
            return
        with Session(self.reading, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a session whose changes are committed together at the end, or rolled back on an error.

        On SQLite one thread of the process writes at a time: SQLite's own waiting backs off with every try.
        """
        if self._outer is not None:
            yield self._outer
            return
        with self._write_lock, self.engine.connect() as connection:
            if self.is_sqlite:
                _begin_immediately(connection)
            with Session(connection, expire_on_commit=False) as session, session.begin():
                yield session

    def joined(self, session: Session) -> "Database":
        """This database as part of an open write transaction, which its opener commits."""
        within = copy(self)
        within._outer = session  # noqa: SLF001 - a copy of this object
        return within

    @property
    def is_joined(self) -> bool:
        """Whether it is part of a transaction that another caller commits."""
        return self._outer is not None

    @property
    def waiting(self) -> int:
        """How many transactions wait for a group commit; 0 on PostgreSQL."""
        return self._group.waiting if self._group else 0

    def grouped(self, work: Callable[[Session], R]) -> R:
        """Run `work` in a write transaction that is committed when this returns.

        On SQLite it may share one with what other threads do just then: the disk is waited for once. `work` may be
        called again after it was rolled back, so it must change nothing but the database.
        """
        if self._group is not None and self._outer is None:
            return self._group.do(work)
        with self.write() as session:
            return work(session)

    def for_a_request(self) -> AbstractContextManager[None]:
        """Apply a request's time-outs to what this thread does."""
        return patient(self._requests)

    def _patience(self) -> Patience:
        return current() or self._jobs

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def _share_statements(self, kind: object) -> None:
        """Share the dialect and its compiled statements with the other databases of a kind in this process.

        Compiling a statement takes many times as long as running it.
        """

        dialect, compiled = _KINDS.get(kind) or (self.engine.dialect, CompiledStatements(STATEMENTS))

        def keep(*_: object) -> None:
            _KINDS.setdefault(kind, (dialect, compiled))

        if kind not in _KINDS:
            event.listen(self.engine, "connect", keep)  # its dialect is complete once it has connected
        for engine in (self.engine, self.reading, self.writing):
            engine.dialect = dialect
            engine.update_execution_options(compiled_cache=compiled)

    def _ask_the_idle(self, connection: Any, record: Any, _proxy: object) -> None:
        """Replace all connections if an idle one turns out to be cut; busy ones aren't tested."""
        if monotonic() - record.info.get(_USED_AT, monotonic()) < IDLE_SECONDS:
            return
        dialect = self.engine.dialect
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as gone:
            raise InvalidatePoolError from gone

    def _set_patience(self, connection: Any, record: Any, _proxy: object) -> None:
        """Set the time-outs of the thread that has the connection, if they changed."""
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


def forgetful_settings(session: Session) -> list[str]:
    """PostgreSQL settings under which a crash can lose acknowledged data; none on SQLite.

    Lost rows mean that messages are sent again and that reports are missing.
    """
    connection = connection_of(session)
    if connection.dialect.name == "sqlite":
        return []
    return list(connection.execute(_FORGETFUL).scalars())


def connection_of(session: Session) -> Connection:
    """The connection of a session's transaction, for Core statements; looked up once."""
    known: Connection | None = session.info.get(_CONNECTION)
    if known is None or not known.in_transaction():
        known = session.info[_CONNECTION] = session.connection()
    return known


class Writes(Counter[str]):
    """The writes over a connection, by table name, and `to_any` table; a higher count invalidates earlier reads."""

    to_any = 0

    def note(self, table: str) -> None:
        """Count one."""
        self[table] += 1
        self.to_any += 1


def writes_of(connection: Connection) -> Writes:
    """The writes over a connection so far."""
    writes: Writes | None = connection.info.get(_WRITES)
    if writes is None:
        writes = connection.info[_WRITES] = Writes()
    return writes


def require_writing(connection: Connection) -> None:
    """Raise a RuntimeError if a connection only reads, as each statement that writes does."""
    _require_writing(connection.get_execution_options())


def _require_writing(options: Mapping[str, Any]) -> None:
    if _READS in options:
        raise RuntimeError("This transaction only reads. Open one with `write` to change something.")


def _reading(*, is_sqlite: bool) -> dict[str, Any]:
    """Execution options of connections that only read."""
    return {_READS: True} | ({} if is_sqlite else {"isolation_level": "AUTOCOMMIT"})


def _watch_writes(dialect: Dialect) -> None:
    """Count each write of a dialect before it is executed, and refuse those of connections that only read.

    An engine event would do the same, but with any listener each statement checks six places for listeners.
    """

    def counting(execute: Callable[..., None]) -> Callable[..., None]:
        def run(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
            if context is not None and (context.isinsert or context.isupdate or context.isdelete):
                _require_writing(context.execution_options)
                writes_of(context.root_connection).note(context.compiled.statement.table.name)
            execute(cursor, statement, parameters, context)

        return run

    dialect.do_execute = counting(dialect.do_execute)  # type: ignore[method-assign]
    dialect.do_executemany = counting(dialect.do_executemany)  # type: ignore[method-assign]


def _note_use(_connection: object, record: Any) -> None:
    record.info[_USED_AT] = monotonic()


def _pooled(url: URL, connections: int) -> dict[str, Any]:
    """Options of the PostgreSQL connection pool; options in the URL take precedence."""
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
    """Set the session's time-outs outside any transaction, so that they stay; poolers accept no options on
    connecting."""
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
        ):  # another process is switching a new file to WAL, and SQLite doesn't wait for that lock
            if not tries_left:
                raise
            time.sleep(WAL_RETRY_MS / 1000)


def _wait_for_no_disk(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF").close()


def _begin_explicitly(dialect: Dialect) -> None:
    """Let SQLite's dialect begin each transaction with a statement."""

    def begin(connection: PoolProxiedConnection) -> None:
        connection.cursor().execute(connection.info.pop(_BEGIN, "BEGIN")).close()

    dialect.do_begin = begin  # type: ignore[assignment, method-assign]


def _begin_immediately(connection: Connection) -> None:
    """Let SQLite's next transaction on a connection take the write lock when it begins."""
    connection.info[_BEGIN] = "BEGIN IMMEDIATE"
