"""Databases of a test's own, on SQLite or PostgreSQL: copies of one that was migrated and filled once."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Protocol

from sqlalchemy import text

from storage.engine import Database, sqlite_file
from storage.migrate import migrate
from tests.storage import postgres

Fill = Callable[[Database], None]
"""Puts rows into a migrated database. It is hashable: equal ones are run once."""
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
    """A copy under another name. Nothing else on the server may be written to meanwhile."""

    def __init__(self, db: Database) -> None:
        self._db, self._socket, self._name = db, socket_of(db), name_of(db)
        self._pristine = f"kept{next(_NUMBERS)}"
        db.close()
        postgres.create(self._socket, self._pristine, template=self._name)
        self._version = self._seen = self._transactions()

    def _transactions(self) -> int:
        """How many transactions have written something, on the whole server."""
        with self._db.engine.connect() as connection:
            asked = connection.execute(text("SELECT txid_snapshot_xmax(txid_current_snapshot())"))
            return int(asked.scalar_one())

    def put_back(self) -> None:
        if self._transactions() != self._version:
            self._db.close()
            postgres.drop(self._socket, self._name)
            postgres.create(self._socket, self._name, template=self._pristine)
            self._version = self._seen = self._transactions()

    def written(self) -> bool:
        before, self._seen = self._seen, self._transactions()
        return before != self._seen

    def close(self) -> None:
        postgres.drop(self._socket, self._pristine)


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
    postgres.create(socket, name, template="template1" if fill is nothing else template(socket))
    _prepare(postgres.url(socket, name), fill)
    return name


@lru_cache(maxsize=64)
def image(fill: Fill = nothing) -> bytes:
    """The bytes of a SQLite file with these rows."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "image.db")
        if fill is not nothing:
            file.write_bytes(image())
        _prepare(f"sqlite:///{file}", fill)
        return file.read_bytes()


def _prepare(url: str, fill: Fill) -> None:
    db = Database(url, is_temporary=True)
    migrate(db)
    fill(db)
    db.close()
