"""Fixtures that every test may use."""

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

import tests.contexts  # noqa: F401 - first, so that what is rendered from now on is known by its context
from bot.cli import GC_THRESHOLD
from bot.rehearsal.harness import BotHarness
from tests import statements
from tests.databases import OnPostgres
from tests.harnesses import bot_harness
from tests.storage import postgres

settings.register_profile("busy", deadline=None)  # a busy machine is slow, not wrong
settings.load_profile("busy")
_NUMBERS = count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """With `--postgres`, `make test-more` repeats on PostgreSQL what `make test` runs on SQLite."""
    parser.addoption("--postgres", action="store_true", help="keep the rows of every stage in PostgreSQL")
    parser.addoption(
        "--statements",
        type=Path,
        help="a folder: note there which test runs which SQL; with --postgres, repeat only what the notes ask for",
    )


def pytest_report_header() -> str | None:
    """Says in one line why the tests that need PostgreSQL are skipped."""
    try:
        postgres.usable()
    except postgres.NoPostgres as reason:
        return f"Tests on PostgreSQL are skipped: {reason}"
    return None


def pytest_configure(config: pytest.Config) -> None:
    """Collect garbage as the program does; on CI refuse `--postgres` without PostgreSQL."""
    gc.set_threshold(GC_THRESHOLD)
    if config.getoption("--postgres"):
        try:
            postgres.usable()
        except postgres.NoPostgres as reason:
            pytest.exit(f"Tests on PostgreSQL are skipped: {reason}", returncode=int(on_ci()))
    elif folder := config.getoption("--statements"):
        config.pluginmanager.register(statements.Notes(folder.absolute()))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--postgres`, skip tests that choose their own database, and then those that the notes make needless:
    `make test` ran them."""
    if config.getoption("--postgres"):
        left = [
            item for item in items if not {"sqlite", "postgres"} & {mark.name for mark in item.iter_markers()}
        ]
        if folder := config.getoption("--statements"):
            needless = statements.needless(left, statements.noted(folder))
            left = [item for item in left if item not in needless]
        config.hook.pytest_deselected(items=list(set(items).difference(left)))
        items[:] = left


def pytest_collection_finish() -> None:
    """Let the garbage collector skip the loaded program and the collected tests, as it does in the program."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """End without a last search for garbage, as the program does."""
    gc.freeze()


def on_ci() -> bool:
    """Whether nothing may be skipped."""
    return os.environ.get("CI", "").lower() in {"1", "true"}


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees this machine's settings, tokens or files, or another test's. Few make their data folder."""
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
    monkeypatch.setenv("CADENCE_DATA", str(tmp_path_factory.getbasetemp() / f"data{next(_NUMBERS)}"))


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[str]:
    """A running PostgreSQL; without one the tests are skipped, and on CI they fail."""
    with ExitStack() as stack:
        try:
            socket = stack.enter_context(postgres.cluster())
        except postgres.NoPostgres as reason:
            if on_ci():
                pytest.fail(str(reason))
            pytest.skip(str(reason))
        yield socket


@pytest.fixture(scope="session", autouse=True)
def _everything_on_postgres(request: pytest.FixtureRequest) -> None:
    """With `--postgres`, also for harnesses that several tests share."""
    if request.config.getoption("--postgres"):
        OnPostgres.socket = request.getfixturevalue("postgres_socket")


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[BotHarness]:
    """The bot in its built-in workspace with the example workspace and the support playbook."""
    with bot_harness(tmp_path) as ready:
        yield ready
