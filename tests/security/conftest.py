"""One prepared bot for the authorization tests: its database is restored before each."""

from collections.abc import Iterator

import pytest

from tests.fuzz.arena import Arena, opened
from tests.storage.conftest import db, postgres_url

__all__ = ["arena", "db", "postgres_url", "shared_arena"]


@pytest.fixture(scope="session")
def shared_arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    with opened(tmp_path_factory.mktemp("security")) as ready:
        yield ready


@pytest.fixture
def arena(shared_arena: Arena) -> Arena:
    shared_arena.reset()
    return shared_arena
