"""A post office for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.engine import Database
from tests.delivery.post_office import PostOffice, open_office
from tests.storage.conftest import db, migrated_file, postgres_url

__all__ = ["db", "migrated_file", "office", "postgres_url", "shared_office"]


@pytest.fixture
def office(migrated_file: Path, tmp_path: Path) -> Iterator[PostOffice]:
    """On SQLite."""
    path = tmp_path / "office.db"
    path.write_bytes(migrated_file.read_bytes())
    database = Database(f"sqlite:///{path}")
    with open_office(database) as ready:
        yield ready
    database.close()


@pytest.fixture
def shared_office(db: Database) -> Iterator[PostOffice]:
    """On SQLite, and on PostgreSQL where it can be started: for what several workers do."""
    with open_office(db) as ready:
        yield ready
