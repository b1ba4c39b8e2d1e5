"""`cadence doctor` misses the tables of the queue."""

import pytest

from bot.doctor import examine
from bot.fleet import prepare
from bot.settings import Settings
from storage.engine import Database
from storage.migrate import migrate
from tests.storage import postgres

pytestmark = pytest.mark.postgres


def test_the_tables_of_the_queue(postgres_socket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    postgres.create(postgres_socket, "doctor")
    db = Database(postgres.url(postgres_socket, "doctor"))
    migrate(db)
    monkeypatch.setenv("DATABASE_URL", db.url)

    def queue() -> list[tuple[bool, str]]:
        found = examine(Settings())
        return [(one.ok, one.remedy.partition(".")[0]) for one in found if one.what.startswith("Queue")]

    assert queue() == [(False, "Run `cadence migrate`")]
    prepare(db)
    assert queue() == [(True, "")]
    db.close()
