"""`cadence doctor` misses the tables of the queue, and warns about a server that forgets."""

from datetime import UTC, datetime

import pytest

from bot.ops.doctor import examine
from bot.runtime.queue_runner import prepare
from bot.settings import Settings
from cadence.flows.workspaces.checks import health
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


def warnings(db: Database, patch: pytest.MonkeyPatch) -> list[str]:
    """The durability warnings of the doctor and `/readyz`; they don't affect readiness."""
    patch.setenv("DATABASE_URL", db.url)
    found = [one for one in examine(Settings()) if "can lose" in one.what]
    assert not any(one.ok for one in found)
    seen = health(db, now=datetime(2026, 3, 4, tzinfo=UTC), workspace_ids=[])
    assert seen.ready
    return [one.what for one in found] + [one for one in seen.lines if "can lose" in one]


def test_a_server_that_forgets_what_it_confirmed(
    postgres_socket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.create(postgres_socket, "forgets")
    db = Database(postgres.url(postgres_socket, "forgets"))
    migrate(db)
    settings = "fsync, full_page_writes, synchronous_commit"
    assert warnings(db, monkeypatch) == [
        f"PostgreSQL can lose confirmed data in a crash (off: {settings}). "
        "Messages could then be sent twice, and answers lost.",
        f"warning: PostgreSQL can lose confirmed data ({settings} off)",
    ]
    db.close()


def test_a_server_as_it_comes_forgets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with postgres.server(durable=True) as server:
        postgres.create(server.socket, "keeps")
        db = Database(postgres.url(server.socket, "keeps"))
        migrate(db)
        assert warnings(db, monkeypatch) == []
        db.close()
