"""A migrated database for each test: on SQLite always, on PostgreSQL where it can be started."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from storage.engine import Database
from tests import databases
from tests.storage import postgres

_NUMBERS = count(1)
BOTH = [
    pytest.param("sqlite", marks=pytest.mark.sqlite),
    pytest.param("postgres", marks=pytest.mark.postgres),
]


@pytest.fixture(scope="session")
def postgres_url(postgres_socket: str) -> str:
    """The address of a migrated PostgreSQL database that tests share, one after the other."""
    name = f"shared_{next(_NUMBERS)}"  # the delivery tests share this fixture, and each folder has its own
    postgres.create(postgres_socket, name, template=databases.template(postgres_socket))
    return postgres.url(postgres_socket, name)


@pytest.fixture(params=BOTH)
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated database without rows."""
    if request.param == "sqlite":
        file = tmp_path / "cadence.db"
        file.write_bytes(databases.image())
        database = Database(f"sqlite:///{file}")
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
