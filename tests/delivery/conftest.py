"""A post office for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.engine import Database
from tests.databases import database
from tests.delivery.post_office import PostOffice, open_office
from tests.storage.conftest import db, postgres_url

__all__ = ["db", "office", "postgres_url", "shared_office"]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PostOffice]:
    """Where `--postgres` says, else on SQLite."""
    with database(tmp_path / "office.db") as db, open_office(db) as ready:
        yield ready


@pytest.fixture
def shared_office(db: Database) -> Iterator[PostOffice]:
    """On SQLite, and on PostgreSQL if it can be started: for tests with several workers."""
    with open_office(db) as ready:
        yield ready
