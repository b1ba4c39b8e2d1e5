"""The short form of `make chaos`, for every run of the tests."""

import os

import pytest

from tests.chaos.storm import MILD, Storm, blow
from tests.storage.postgres import NoPostgres

PATIENCE = 900
"""Seconds that a busy machine may take."""
SQLITE = Storm("SQLite", messages=100, channels=30, workers=1, kills=1, stops=0, seconds=PATIENCE, rates=MILD)
POSTGRES = Storm(
    "PostgreSQL",
    messages=100,
    channels=30,
    workers=2,
    kills=1,
    stops=1,
    seconds=PATIENCE,
    webs=1,
    web_kills=1,
    requests=10,
    rates=MILD,
)


@pytest.mark.long
@pytest.mark.parametrize(
    "storm", [SQLITE, pytest.param(POSTGRES, marks=pytest.mark.postgres)], ids=lambda storm: storm.name
)
def test_nothing_is_lost_or_doubled(storm: Storm) -> None:
    try:
        figures = blow(storm)
    except NoPostgres as reason:
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(str(reason))
        pytest.skip(str(reason))
    said = "\n".join(figures.lines())
    assert (figures.lost, figures.duplicated, figures.unfinished) == (0, 0, 0), said
    assert figures.closest >= 0.95, said
    assert (figures.unanswered, figures.requests_lost, figures.requests_doubled) == (0, 0, 0), said
    assert (figures.kills, figures.web_kills, figures.stops) == (storm.kills, storm.web_kills, storm.stops), (
        said
    )
    assert (figures.out_of_scope, figures.leaked) == (0, 0), said
    assert figures.faults.total() > 5, said
