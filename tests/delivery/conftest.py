"""A post office for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery.post_office import PostOffice, open_office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PostOffice]:
    with open_office(tmp_path) as ready:
        yield ready
