"""The cost of a digest of 10,000 adoptions: seconds, queries, memory; compared with 1,000 adoptions."""

import gc
import tempfile
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import event, text

from cadence.actor import Actor
from cadence.flows.overview.digests import digest
from storage.engine import Database
from storage.migrate import migrate
from storage.work import UnitOfWork
from tests.bench.crowd import MONDAY, NOW, TEAM_ID, plant, plant_messages
from tests.storage import postgres

SIZES = (1_000, 10_000)


def run(sizes: Sequence[int] = SIZES, *, on_postgres: bool = True) -> Iterator[str]:
    """On SQLite, and the largest on PostgreSQL."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cadence-digest-")))
        for size in sizes:
            yield f"SQLite: {_measured(f'sqlite:///{folder / str(size)}.db', size)}"
        if not on_postgres:
            return
        try:
            server = stack.enter_context(postgres.server(durable=True))
        except postgres.NoPostgres as reason:
            yield f"PostgreSQL: {reason}"
            return
        postgres.create(server.socket, "digest")
        yield f"PostgreSQL: {_measured(postgres.url(server.socket, 'digest'), sizes[-1])}"


def _measured(url: str, size: int) -> str:
    db, asked = Database(url), 0
    migrate(db)
    plant(db, size)
    plant_messages(db, 3 * size)

    def count(*_given: object) -> None:
        nonlocal asked
        asked += 1

    if (
        not db.is_sqlite
    ):  # the tests' server has no autovacuum, which elsewhere looks at new rows within a minute
        with db.engine.begin() as connection:
            connection.execute(text("ANALYZE"))
    gc.freeze()  # as `real_bot` does
    _digest(db)  # load what is cached per process
    event.listen(db.engine, "before_cursor_execute", count)
    begun, used = time.perf_counter(), time.process_time()
    _digest(db)
    took, used = time.perf_counter() - begun, time.process_time() - used
    event.remove(db.engine, "before_cursor_execute", count)
    tracemalloc.start()
    _digest(db)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    db.close()
    return (
        f"{size:,} adoptions: {took:.2f} s ({used:.2f} s of this process), {asked} statements, "
        f"{peak / 1e6:.1f} MB at the most"
    )


def _digest(db: Database) -> None:
    with db.read() as session:
        digest(UnitOfWork.around(session, Actor.system(TEAM_ID), NOW), week_start=MONDAY)
