"""The entries of a transaction are written together, and every query that reads the trail sees them."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Connection, event
from sqlmodel import Session, col, select

import storage.trail
from cadence.actor import Actor
from cadence.flows.history.trace_words import ACTIONS
from storage.engine import Database
from storage.queries import trail
from storage.tables import HomeChange, TrailEntry
from storage.work import Entry, UnitOfWork
from tests.databases import rolled_back
from tests.storage.seeds import NOW, Planted, plant
from tests.storage.test_workspaces import BY_ID, BY_NAME, WRITES

READS = re.compile(r"(?:FROM|JOIN) trail\b")
OF_ACTIONS = re.compile(r"trail\.action (?:=|IN)")
EVERYTHING = BY_NAME | BY_ID | WRITES
INSERT = "INSERT INTO trail"
RECORDED = "recorded"


@contextmanager
def executed(db: Database) -> Iterator[list[tuple[str, Any]]]:
    """The statements of a block, with their parameters."""
    found: list[tuple[str, Any]] = []

    def note(_connection: Connection, _cursor: Any, statement: str, given: Any, *_rest: Any) -> None:
        found.append((statement, given))

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
        assert sum(one.startswith(INSERT) for one, _ in statements) == 1
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


class Read(NamedTuple):
    """A query's first statement that reads the trail.

    Args:
        actions: the actions that it looks for; empty if it looks for any.
        missed: the actions that were recorded before, but aren't written yet.
    """

    actions: frozenset[str]
    missed: frozenset[str]


def first_read(db: Database, ids: Planted, name: str, *, recorded: str) -> Read | None:
    """The first statement of a query that reads the trail, if any, after an action was recorded."""
    with executed(db) as statements, recording(statements), rolled_back(db) as session:
        _uow(session).record(action=recorded, subject="a:1", surface="rule")
        EVERYTHING[name](session, "T1", ids)
    missed: set[str] = set()
    for statement, given in statements:
        if statement == RECORDED:
            missed.add(given)
        elif statement.startswith(INSERT):
            missed.clear()
        elif READS.search(statement):
            values = given.values() if isinstance(given, dict) else given
            actions = set(values) & set(ACTIONS) if OF_ACTIONS.search(statement) else set()
            return Read(frozenset(actions), frozenset(missed))
    return None


@contextmanager
def recording(statements: list[tuple[str, Any]]) -> Iterator[None]:
    """Note each recorded action among the statements."""

    def append(session: Session, entries: Sequence[dict[str, Any]]) -> None:
        statements.extend((RECORDED, one["action"]) for one in entries)
        add(session, entries)

    add = storage.trail.append
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage.trail, "append", append)
        yield


def test_every_query_that_reads_the_trail_writes_it_first(db: Database, ids: Planted) -> None:
    found = {name: first_read(db, ids, name, recorded="digest") for name in EVERYTHING}
    reads = {name: read for name, read in found.items() if read is not None}
    assert {"trail.page", "cycles.pauses", "schedule.changes", "homes.opened", "workspaces.forget"} <= set(
        reads
    )
    early = {name for name, read in reads.items() if read.missed and not read.actions}
    for name, read in reads.items():
        for action in read.actions:
            again = first_read(db, ids, name, recorded=action)
            if again is None or action in again.missed:
                early.add(f"{name}: {action}")
    assert early == set(), "these must call `uow.flush_trail` first"


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
