"""Nobody waits for the database forever: the person is told, and the transaction is rolled back."""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Event
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlmodel import Session

from cadence.actor import Actor
from storage.engine import Database, Unreachable, is_busy, is_unreachable, plain_url, sqlite_file
from storage.migrate import REVISIONS, migrate
from storage.patience import FOREVER, JOB, Patience, current, patient
from storage.queries import workspaces
from storage.work import UnitOfWork
from tests.storage.seeds import workspace

SHORT = Patience(lock=0.3, statement=0.6)
ON_POSTGRES = pytest.mark.parametrize(
    "db", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
ON_SQLITE = pytest.mark.parametrize("db", [pytest.param("sqlite", marks=pytest.mark.sqlite)], indirect=True)


@contextmanager
def held(db: Database) -> Iterator[None]:
    """Another process has the row of every workspace, on SQLite the file."""
    file = sqlite_file(db.url)
    if file is not None:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
    else:
        with psycopg.connect(plain_url(db.url)) as other:
            other.execute("SELECT id FROM workspace FOR UPDATE")
            yield
            other.rollback()


@pytest.fixture
def hurried(db: Database) -> Iterator[Database]:
    """A database with a workspace, whose requests wait very shortly."""
    with db.write() as session:
        workspace(session)
    other = Database(db.engine.url.render_as_string(hide_password=False), requests=SHORT)
    yield other
    other.close()


def rename(db: Database, name: str) -> None:
    """Write to the row that others want, in a request."""

    def work(session: Session) -> None:
        session.execute(text("UPDATE workspace SET name = :name WHERE id = 'T1'"), {"name": name})

    with db.for_a_request():
        db.grouped(work)


def name_of(db: Database) -> str | None:
    """The workspace's name now."""
    with db.read() as session:
        row = workspaces.workspace(UnitOfWork.around(session, Actor.system("T1")))
    return row.name if row else None


def test_a_request_gives_up_soon_and_nothing_of_it_is_kept(hurried: Database) -> None:
    with held(hurried):
        began = time.monotonic()
        with pytest.raises(Unreachable) as told:
            rename(hurried, "new")
        assert time.monotonic() - began < 5
    assert is_busy(told.value)
    assert name_of(hurried) == "T1"
    rename(hurried, "newer")
    assert name_of(hurried) == "newer"


def test_many_requests_give_up_together_and_not_one_after_the_other(hurried: Database) -> None:
    with held(hurried), ThreadPoolExecutor(16) as pool:
        began = time.monotonic()
        asked = [pool.submit(rename, hurried, str(number)) for number in range(16)]
        errors = [one.exception(timeout=30) for one in asked]
        assert time.monotonic() - began < 16 * SHORT.lock
        assert all(one is not None and is_busy(one) for one in errors)
    assert name_of(hurried) == "T1"


def test_reading_waits_for_nobody(hurried: Database) -> None:
    with held(hurried), hurried.for_a_request():
        assert name_of(hurried) == "T1"


def test_a_job_waits_longer_and_then_does_it(hurried: Database) -> None:
    def work(session: Session) -> None:
        session.execute(text("UPDATE workspace SET name = 'by a job'"))

    with ThreadPoolExecutor(2) as pool:
        with held(hurried):
            waiting = pool.submit(hurried.grouped, work)
            with pytest.raises(Unreachable):
                rename(hurried, "by a request")
        waiting.result(timeout=30)
    assert name_of(hurried) == "by a job"


@ON_SQLITE
def test_who_waits_for_another_thread_gives_up_too(hurried: Database) -> None:
    with ThreadPoolExecutor(1) as pool, hurried.write() as session:
        session.execute(text("UPDATE workspace SET name = 'slow'"))
        for write in (rename, rename_alone):
            assert is_busy(pool.submit(write, hurried, "quick").exception(timeout=10) or ZeroDivisionError())
    assert name_of(hurried) == "slow"
    assert hurried.waiting == 0


def rename_alone(db: Database, name: str) -> None:
    """As `rename`, in a transaction of its own."""
    with db.for_a_request(), db.write() as session:
        session.execute(text("UPDATE workspace SET name = :name"), {"name": name})


@ON_SQLITE
def test_what_another_thread_has_begun_is_waited_for(hurried: Database) -> None:
    """It may be committed any moment: giving up would report that it wasn't done."""
    begun, go_on = Event(), Event()

    def slowly(session: Session) -> None:
        begun.set()
        assert go_on.wait(30)
        session.execute(text("UPDATE workspace SET name = 'done'"))

    with ThreadPoolExecutor(2) as pool:
        with hurried.write():
            first = pool.submit(hurried.grouped, lambda _session: None)
            while not hurried.waiting:
                pass
            second = pool.submit(_in_a_request, hurried, slowly)
            while hurried.waiting < 2:
                pass
        assert begun.wait(10)
        time.sleep(2 * SHORT.lock)
        assert not second.done()
        go_on.set()
        first.result(timeout=10)
        second.result(timeout=10)
    assert name_of(hurried) == "done"


def _in_a_request(db: Database, work: Any) -> None:
    with db.for_a_request():
        db.grouped(work)


@ON_POSTGRES
def test_a_statement_that_takes_too_long_is_ended(hurried: Database) -> None:
    with hurried.for_a_request(), pytest.raises(OperationalError) as told, hurried.read() as session:
        session.execute(text("SELECT pg_sleep(30)"))
    assert is_busy(told.value)


@ON_POSTGRES
def test_a_connection_has_the_time_outs_of_its_user(hurried: Database) -> None:
    def limits() -> list[str]:
        with hurried.read() as session:
            names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
            return [str(session.execute(text(f"SHOW {name}")).scalar()) for name in names]

    with hurried.for_a_request():
        assert limits() == ["300ms", "600ms", "1min"]
    assert limits() == ["30s", "10min", "1min"]
    with patient(FOREVER):
        assert limits() == ["0", "0", "1min"]
    with hurried.for_a_request():
        assert limits() == ["300ms", "600ms", "1min"]


@ON_POSTGRES
def test_a_process_that_hangs_in_a_transaction_loses_its_locks(
    hurried: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.engine.IDLE_IN_TRANSACTION_SECONDS", 0.2)
    with hurried.engine.connect() as hung:
        hung.execute(text("UPDATE workspace SET name = 'hung'"))
        time.sleep(1)
        rename(hurried, "by somebody else")
        with pytest.raises(DBAPIError) as told:
            hung.execute(text("SELECT 1"))
        assert is_unreachable(told.value)
    assert name_of(hurried) == "by somebody else"


def test_a_migration_waits_for_as_long_as_it_takes(
    empty_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Patience | None] = []

    def revision(_connection: object) -> str:
        seen.append(current())
        return REVISIONS[-1]

    monkeypatch.setattr("storage.migrate._current", lambda _db: None)
    monkeypatch.setattr("storage.migrate._revision", revision)
    assert migrate(empty_db) == 0
    assert seen == [FOREVER]
    assert current() is None


def test_time_outs_end_with_their_block(db: Database) -> None:
    with db.for_a_request():
        assert current() is not None
        with patient(JOB):
            assert current() == JOB
    assert current() is None


def test_what_counts_as_busy() -> None:
    def sqlite(code: int) -> OperationalError:
        wrong = sqlite3.OperationalError("x")
        wrong.sqlite_errorcode = code
        return OperationalError("", None, wrong)

    for error in (
        psycopg.errors.LockNotAvailable(),
        psycopg.errors.QueryCanceled(),
        psycopg.errors.DeadlockDetected(),
    ):
        assert is_busy(OperationalError("", None, error))
    assert is_busy(sqlite(sqlite3.SQLITE_BUSY))
    assert is_busy(sqlite(sqlite3.SQLITE_BUSY | 2 << 8)), "SQLITE_BUSY_SNAPSHOT"
    assert is_busy(NoConnection())
    assert not is_busy(sqlite(sqlite3.SQLITE_FULL))
    assert not is_busy(OperationalError("", None, psycopg.OperationalError("server closed the connection")))
    assert not is_busy(IntegrityError("", None, sqlite3.IntegrityError()))
    assert not is_busy(ZeroDivisionError())
