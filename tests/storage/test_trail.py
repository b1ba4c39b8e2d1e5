"""The entries of a transaction are written together, and every query that reads the trail sees them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlmodel import Session, col, select

from cadence.actor import Actor
from storage.engine import Database
from storage.queries import trail
from storage.tables import HomeChange, TrailEntry
from storage.work import Entry, UnitOfWork
from tests.databases import rolled_back
from tests.storage.seeds import NOW, Planted, plant
from tests.storage.test_workspaces import BY_ID, BY_NAME, WRITES

READS = re.compile(r"(?:FROM|JOIN|DELETE FROM) trail\b")
INSERT = "INSERT INTO trail"


@contextmanager
def executed(db: Database) -> Iterator[list[str]]:
    """The statements of a block."""
    found: list[str] = []

    def note(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        found.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield found
    event.remove(db.engine, "before_cursor_execute", note)


@pytest.fixture
def ids(db: Database) -> Planted:
    with db.write() as session:
        return plant(session)


def _uow(session: Session) -> UnitOfWork:
    return UnitOfWork.around(session, Actor.system("T1"), NOW)


def record(session: Session, subject: str) -> None:
    """Record that something was looked at."""
    _uow(session).record(action="looked", subject=subject, surface="rule")


def looks(db: Database) -> list[str]:
    """What was looked at, in the order of the ids."""
    with db.read() as session:
        return [row.subject for row in trail.entries(_uow(session), action="looked")]


def test_the_entries_of_a_transaction_are_written_by_one_statement(db: Database, ids: Planted) -> None:
    with executed(db) as statements:
        with db.write() as session:
            record(session, "a:1")
            _uow(session).record_all(
                [Entry("looked", "b:2", before=None, after={"x": [1]}), Entry("looked", "c:3")]
            )
            record(session, "a:4")
        assert sum(one.startswith(INSERT) for one in statements) == 1
    assert looks(db) == ["a:1", "b:2", "c:3", "a:4"]
    with db.read() as session:
        [*_, changed] = session.exec(select(HomeChange).order_by(col(HomeChange.id)))
        assert changed.subject == "a:4"


def test_what_follows_a_query_is_written_after_what_it_saw(db: Database, ids: Planted) -> None:
    with db.write() as session:
        record(session, "a:1")
        assert trail.last_id(_uow(session), subject="a:1")
        record(session, "a:2")
        assert [row.subject for row in trail.entries(_uow(session), action="looked")] == ["a:1", "a:2"]
        record(session, "a:3")
    assert looks(db) == ["a:1", "a:2", "a:3"]


def test_every_query_that_reads_the_trail_writes_it_first(db: Database, ids: Planted) -> None:
    reading, forgetting = set(), set()
    for name, call in (BY_NAME | BY_ID | WRITES).items():
        with rolled_back(db) as session:
            record(session, "a:1")
            with executed(db) as statements:
                call(session, "T1", ids)
        reads = [at for at, one in enumerate(statements) if READS.search(one)]
        if reads:
            reading.add(name)
            if not any(one.startswith(INSERT) for one in statements[: reads[0]]):
                forgetting.add(name)
    assert forgetting == set(), "these must call `uow.flush_trail` first"
    assert reading >= {"trail.page", "cycles.pauses", "schedule.changes", "homes.opened", "workspaces.forget"}


@pytest.mark.parametrize("is_read", [False, True])
def test_what_a_savepoint_recorded_is_undone_with_it(db: Database, ids: Planted, *, is_read: bool) -> None:
    with db.write() as session:
        record(session, "before:1")
        with suppress(ZeroDivisionError), session.begin_nested():
            record(session, "undone:1")
            with session.begin_nested():
                record(session, "undone:2")
            if is_read:
                assert trail.last_id(_uow(session), subject="undone:2")
            record(session, "undone:3")
            raise ZeroDivisionError
        with session.begin_nested():
            record(session, "kept:1")
        record(session, "after:1")
    assert looks(db) == ["before:1", "kept:1", "after:1"]


def test_a_transaction_that_is_rolled_back_records_nothing(db: Database, ids: Planted) -> None:
    with rolled_back(db) as session:
        record(session, "undone:1")
    with db.write() as session:
        record(session, "undone:2")
        session.rollback()
    assert looks(db) == []


def test_a_read_records_nothing(db: Database, ids: Planted) -> None:
    with db.read() as session:
        session.exec(select(TrailEntry)).first()
        with pytest.raises(RuntimeError, match="only reads"):
            record(session, "a:1")
