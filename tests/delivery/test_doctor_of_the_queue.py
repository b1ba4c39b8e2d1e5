"""`cadence doctor` misses the tables of the queue, and warns about a server that forgets."""

from datetime import UTC, datetime

import pytest

from bot.ops.doctor import examine
from bot.ops.findings import Finding
from bot.runtime.queue_runner import prepare
from bot.settings import Settings
from cadence.flows.workspaces.checks import health
from storage.engine import Database
from storage.migrate import migrate
from tests.contexts import assert_golden
from tests.storage import postgres

pytestmark = pytest.mark.postgres
DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
"""The settings without which a crash can lose what PostgreSQL confirmed."""


def test_the_tables_of_the_queue(postgres_socket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    postgres.create(postgres_socket, "doctor")
    db = Database(postgres.url(postgres_socket, "doctor"))
    migrate(db)
    monkeypatch.setenv("DATABASE_URL", db.url)

    def queue() -> Finding:
        [found] = [one for one in examine(Settings()) if one.what.startswith("Queue")]
        return found

    assert not queue().ok
    assert_golden(queue().remedy, "no-tables")
    prepare(db)
    assert (queue().ok, queue().remedy) == (True, "")
    db.close()


def warnings(db: Database, patch: pytest.MonkeyPatch) -> list[str]:
    """The durability warnings of the doctor and `/readyz`; they don't affect readiness."""
    patch.setenv("DATABASE_URL", db.url)
    found = [one for one in examine(Settings()) if any(name in one.what for name in DURABLE)]
    assert not any(one.ok for one in found)
    seen = health(db, now=datetime(2026, 3, 4, tzinfo=UTC), workspace_ids=[])
    assert seen.ready
    return [one.what for one in found] + [
        line for line in seen.lines if any(name in line for name in DURABLE)
    ]


def test_a_server_that_forgets_what_it_confirmed(
    postgres_socket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.create(postgres_socket, "forgets")
    db = Database(postgres.url(postgres_socket, "forgets"))
    migrate(db)
    assert_golden("\n".join(warnings(db, monkeypatch)), "forgets")
    db.close()


def test_a_server_as_it_comes_forgets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with postgres.server(durable=True) as server:
        postgres.create(server.socket, "keeps")
        db = Database(postgres.url(server.socket, "keeps"))
        migrate(db)
        assert warnings(db, monkeypatch) == []
        db.close()
