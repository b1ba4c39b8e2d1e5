"""Fixtures for the doctor: a server, a database, and both in good health."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.settings import Settings
from storage.engine import Database
from storage.migrate import migrate
from tests.unit.bot.clinic import Clinic, healthy
from tests.unit.bot.fake_slack import FakeSlack


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as server:
        healthy(server)
        yield server


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("migrated") / "cadence.db"
    db = Database(f"sqlite:///{file}")
    migrate(db)
    db.close()
    return file


@pytest.fixture
def clinic(slack: FakeSlack, tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    return Clinic(slack, tmp_path, migrated=migrated)


@pytest.fixture
def stored(clinic: Clinic) -> Clinic:
    clinic.store()
    return clinic
