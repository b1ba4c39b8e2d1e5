"""Databases of a test's own, on SQLite or PostgreSQL: copies of one that was migrated and filled once."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Protocol

from sqlalchemy import text
from sqlmodel import Session

from storage.engine import Database, sqlite_file
from storage.migrate import migrate
from tests.storage import postgres

Fill = Callable[[Database], None]
"""Puts rows into a migrated database. It is hashable: equal ones are run once. With a `before`, another one, it
begins with a copy of that one's rows."""
_NUMBERS = count(1)


class OnPostgres:
    """Where tests keep their rows: a PostgreSQL by its socket, else a SQLite file each."""

    socket: ClassVar[str | None] = None


def nothing(_db: Database) -> None:
    """No rows: the tables as the migrations make them."""


@contextmanager
def database(file: Path, fill: Fill = nothing) -> Iterator[Database]:
    """A migrated database of a test's own with these rows; `file` is where it is on SQLite."""
    if OnPostgres.socket is not None:
        with _copied(OnPostgres.socket, template(OnPostgres.socket, fill)) as db:
            yield db
        return
    file.write_bytes(image(fill))
    db = Database(f"sqlite:///{file}", is_temporary=True)
    yield db
    db.close()


def _before(fill: Fill) -> Fill:
    """What a database is filled with first."""
    found: Fill | None = getattr(fill, "before", None)
    return found or nothing


class _Undone(Exception):
    """Rolls a transaction back."""


@contextmanager
def rolled_back(db: Database) -> Iterator[Session]:
    """A transaction that can write, and is rolled back at the end."""
    with suppress(_Undone), db.write() as session:
        yield session
        raise _Undone


@contextmanager
def copy_of(db: Database, file: Path) -> Iterator[Database]:
    """Another database with the same rows; nobody may use the first one meanwhile."""
    original = sqlite_file(db.url)
    if original is None:
        db.close()
        with _copied(socket_of(db), name_of(db)) as copy:
            yield copy
        return
    with closing(sqlite3.connect(original)) as connection:
        connection.execute("VACUUM INTO ?", (str(file),))
    copy = Database(f"sqlite:///{file}", is_temporary=True)
    yield copy
    copy.close()


@contextmanager
def _copied(socket: str, original: str) -> Iterator[Database]:
    name = f"copy{next(_NUMBERS)}"
    postgres.create(socket, name, template=original)
    db = Database(postgres.url(socket, name))
    yield db
    db.close()
    postgres.drop(socket, name)


class Kept(Protocol):
    """A snapshot of a database; `put_back` restores it, if anything was written since."""

    def put_back(self) -> None:
        """Undo every write."""

    def written(self) -> bool:
        """Whether anything may have been written since this was asked last, or since it was put back."""

    def close(self) -> None:
        """Forget it."""


def kept(db: Database) -> Kept:
    """Take a snapshot of a database."""
    return _KeptFile(db) if db.is_sqlite else _KeptOnPostgres(db)


class _KeptFile:
    def __init__(self, db: Database) -> None:
        self._live = sqlite3.connect(str(sqlite_file(db.url)), isolation_level=None, check_same_thread=False)
        self._pristine = sqlite3.connect(":memory:", check_same_thread=False)
        self._live.backup(self._pristine)
        self._version = self._seen = self._data_version()

    def _data_version(self) -> int:
        return int(self._live.execute("PRAGMA data_version").fetchone()[0])

    def put_back(self) -> None:
        if self._data_version() != self._version:
            self._pristine.backup(self._live)
            self._version = self._seen = self._data_version()

    def written(self) -> bool:
        before, self._seen = self._seen, self._data_version()
        return before != self._seen

    def close(self) -> None:
        self._live.close()
        self._pristine.close()


class _KeptOnPostgres:
    """A copy of each table in another schema. Nothing else on the server may be written to meanwhile.

    Only tables that were written to are restored. That takes a tenth of the time of another copy of the database.
    """

    def __init__(self, db: Database) -> None:
        self._db, self._schema = db, f"kept{next(_NUMBERS)}"
        with db.engine.begin() as connection:
            tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
            self._tables = list(tables.scalars())
            connection.execute(text(f"CREATE SCHEMA {self._schema}"))
            for table in self._tables:
                connection.execute(text(f'CREATE TABLE {self._schema}."{table}" AS TABLE public."{table}"'))
            self._sequences = connection.execute(
                text(
                    "SELECT string_agg(format('PERFORM setval(%L, %s, %L);', format('public.%I', sequencename),"
                    " coalesce(last_value, 1), last_value IS NOT NULL), ' ')"
                    " FROM pg_sequences WHERE schemaname = 'public'"
                )
            ).scalar()
        self._version = self._seen = self._transactions()

    def _transactions(self) -> int:
        """How many transactions have written something, on the whole server."""
        with self._db.engine.connect() as connection:
            asked = connection.execute(text("SELECT txid_snapshot_xmax(txid_current_snapshot())"))
            return int(asked.scalar_one())

    def put_back(self) -> None:
        if self._transactions() != self._version:
            with self._db.engine.begin() as connection:
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # no foreign keys
                restored = " ".join(map(self._restored, self._tables))
                connection.exec_driver_sql(f"DO $$ BEGIN {restored} {self._sequences or ''} END $$")
            self._version = self._seen = self._transactions()

    def _restored(self, table: str) -> str:
        live, kept = f'public."{table}"', f'{self._schema}."{table}"'
        return (
            f"IF (SELECT count(*) FROM {live}) <> (SELECT count(*) FROM {kept})"
            f" OR EXISTS (SELECT FROM {live} WHERE xmin::text::bigint >= {self._version}) THEN"
            f" DELETE FROM {live}; INSERT INTO {live} OVERRIDING SYSTEM VALUE SELECT * FROM {kept}; END IF;"
        )

    def written(self) -> bool:
        before, self._seen = self._seen, self._transactions()
        return before != self._seen

    def close(self) -> None:
        with self._db.engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {self._schema} CASCADE"))


def socket_of(db: Database) -> str:
    """The folder of the socket of a database on PostgreSQL."""
    return str(db.engine.url.query["host"])


def name_of(db: Database) -> str:
    """The name of a database on PostgreSQL."""
    return str(db.engine.url.database)


@lru_cache(maxsize=64)
def template(socket: str, fill: Fill = nothing) -> str:
    """The name of a PostgreSQL database with these rows, which tests copy and nobody connects to."""
    name = f"filled{next(_NUMBERS)}"
    postgres.create(
        socket, name, template="template1" if fill is nothing else template(socket, _before(fill))
    )
    _prepare(postgres.url(socket, name), fill)
    return name


@lru_cache(maxsize=64)
def image(fill: Fill = nothing) -> bytes:
    """The bytes of a SQLite file with these rows."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "image.db")
        if fill is not nothing:
            file.write_bytes(image(_before(fill)))
        _prepare(f"sqlite:///{file}", fill)
        return file.read_bytes()


def _prepare(url: str, fill: Fill) -> None:
    db = Database(url, is_temporary=True)
    migrate(db)
    fill(db)
    db.close()
