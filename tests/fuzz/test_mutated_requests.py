"""The short form of `make fuzz`: 600 mutated requests over HTTP and Socket Mode, always the same ones."""

from pathlib import Path

import pytest

from tests.fuzz.hammer import hammer

pytestmark = pytest.mark.long
REQUESTS = 600


def test_no_mutated_request_is_a_5xx_and_one_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    figures = hammer(tmp_path, range(REQUESTS))
    assert not figures.failures, "\n".join(figures.lines())
    assert figures.passed == REQUESTS
    assert figures.statuses["200"] > REQUESTS // 4, "requests that get through"
    assert figures.statuses["400"] > REQUESTS // 10, "requests that are refused"
    assert figures.written > REQUESTS // 50, "requests that change something, so that comparing rows can tell"
