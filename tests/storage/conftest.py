"""A migrated database for each test: on SQLite always, on PostgreSQL where it can be started."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from storage.engine import Database
from storage.migrate import migrate
from tests.storage import postgres

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that tests copy."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


@pytest.fixture(scope="session")
def postgres_url(postgres_socket: str) -> str:
    """The address of a migrated PostgreSQL database that tests share, one after the other."""
    name = f"migrated_{next(_NUMBERS)}"  # the delivery tests share this fixture, and each folder has its own
    postgres.create(postgres_socket, name)
    database = Database(postgres.url(postgres_socket, name))
    migrate(database)
    database.close()
    return database.url


BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated database without rows."""
    if request.param == "sqlite":
        path = tmp_path / "cadence.db"
        shutil.copy(request.getfixturevalue("migrated_file"), path)
        database = Database(f"sqlite:///{path}")
    else:
        database = Database(request.getfixturevalue("postgres_url"))
        with database.engine.begin() as connection:
            for table in reversed(SQLModel.metadata.sorted_tables):
                connection.execute(table.delete())
    yield database
    database.close()


@pytest.fixture(params=BOTH)
def empty_db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database that no migration has touched."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'made' / 'on' / 'the way' / 'empty.db'}")
    else:
        socket, name = request.getfixturevalue("postgres_socket"), f"e{next(_NUMBERS)}"
        postgres.create(socket, name)
        database = Database(postgres.url(socket, name))
    yield database
    database.close()
