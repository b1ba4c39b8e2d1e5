"""Fixtures that every test may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.stage import Stage
from tests.staging import on_stage


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


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """The bot in its built-in workspace with the example workspace and the support playbook."""
    with on_stage(tmp_path) as ready:
        yield ready
