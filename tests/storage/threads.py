"""Several threads that begin at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from sqlalchemy import text

from storage.engine import Database

T = TypeVar("T")


def at_once(work: Callable[[], T], *, times: int = 8) -> list[T]:
    """The results of the threads; an error in one of them is raised here."""
    barrier = Barrier(times)

    def run() -> T:
        barrier.wait(30)
        return work()

    with ThreadPoolExecutor(times) as pool:
        futures = [pool.submit(run) for _ in range(times)]
        return [future.result(60) for future in futures]


def until_somebody_waits(db: Database, *, number: int = 1) -> None:
    """Return once so many locks are waited for, on PostgreSQL."""
    with db.read() as session:
        for _ in range(200):
            waits = session.connection().execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))
            if waits.scalar_one() >= number:
                return
            session.connection().execute(text("SELECT pg_sleep(0.02)"))
    raise AssertionError("nobody waits")
