"""Fixtures that every test may use."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.stage import Stage
from tests.staging import OnPostgres, on_stage
from tests.storage import postgres

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--postgres` puts every stage on PostgreSQL; without it those marked `both` are tried on both databases."""
    parser.addoption("--postgres", action="store_true", help="keep the rows of every stage in PostgreSQL")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is marked `both` runs once on each database."""
    if metafunc.definition.get_closest_marker("both") and not metafunc.config.getoption("--postgres"):
        metafunc.parametrize("_database", BOTH, indirect=True)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees this machine's settings, tokens or files."""
    for name in (
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "SLACK_SIGNING_SECRET",
        "SLACK_API_URL",
        "DATABASE_URL",
        "CADENCE_CURATORS",
        "CADENCE_DATA",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CADENCE_DATA", str(tmp_path / "var"))


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[str]:
    """A running PostgreSQL; without one the tests are skipped, and on CI they fail."""
    with ExitStack() as stack:
        try:
            socket = stack.enter_context(postgres.cluster())
        except postgres.NoPostgres as reason:
            if os.environ.get("CI", "").lower() in {"1", "true"}:
                pytest.fail(str(reason))
            pytest.skip(str(reason))
        yield socket


@pytest.fixture(scope="session", autouse=True)
def _everything_on_postgres(request: pytest.FixtureRequest) -> None:
    """With `--postgres`, also for the stages that several tests share."""
    if request.config.getoption("--postgres"):
        OnPostgres.socket = request.getfixturevalue("postgres_socket")


@pytest.fixture(autouse=True)
def _database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the stages of this test keep their rows."""
    if getattr(request, "param", "") == "postgres":
        monkeypatch.setattr(OnPostgres, "socket", request.getfixturevalue("postgres_socket"))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """The bot in its built-in workspace with the example workspace and the support playbook."""
    with on_stage(tmp_path) as ready:
        yield ready
