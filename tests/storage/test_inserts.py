"""A row that is inserted by a Core statement is stored and used like one that was flushed."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import inspect, text
from sqlmodel import SQLModel, select

from cadence.actor import Actor
from cadence.rules.modes import Mode
from storage.engine import Conflict, Database
from storage.inserts import insert_rows
from storage.queries import checkins
from storage.tables import CheckIn, LoggedException, Reading, StepVerdict, Team
from storage.work import UnitOfWork
from tests.storage.seeds import MONDAY, NOW, Planted, check_in, plant, reading_row, verdict_row


@pytest.fixture
def ids(db: Database) -> Planted:
    with db.write() as session:
        return plant(session)


def _exception(ids: Planted, number: int) -> LoggedException:
    return LoggedException(
        workspace_id=ids.workspace,
        adoption_id=ids.adoption,
        cycle_id=ids.cycle,
        step="send",
        critical=True,
        reason="tone was off",
        member="U0NEW",
        surface="command",
        source=f"source-{number}",
        logged_at=NOW,
    )


def _verdict(ids: Planted, _number: int) -> StepVerdict:
    row = verdict_row(ids)
    row.lands_on = None
    return row


ROWS: dict[type[SQLModel], Callable[[Planted, int], Any]] = {
    CheckIn: lambda ids, number: check_in(ids, member=f"U0NEW{number}"),
    Reading: lambda ids, number: reading_row(ids, week=10 + number),
    LoggedException: _exception,
    StepVerdict: _verdict,
}
DIFFER = {"id", "member", "week", "week_start", "source"}


@pytest.mark.parametrize("model", ROWS)
def test_a_row_is_stored_as_by_a_flush(db: Database, ids: Planted, model: type[SQLModel]) -> None:
    flushed, inserted = ROWS[model](ids, 1), ROWS[model](ids, 2)
    with db.write() as session:
        session.add(flushed)
        session.flush()
        insert_rows(session, [inserted])
        assert inserted.id > flushed.id
    with db.read() as session:
        stored = text(f"SELECT * FROM {model.__tablename__} WHERE id IN (:one, :other) ORDER BY id")
        one, other = (
            session.connection().execute(stored, {"one": flushed.id, "other": inserted.id}).mappings()
        )
        assert {name: value for name, value in one.items() if name not in DIFFER} == {
            name: value for name, value in other.items() if name not in DIFFER
        }
        assert session.get(model, inserted.id) == inserted


def test_the_session_knows_the_row(db: Database, ids: Planted) -> None:
    with db.write() as session:
        row = verdict_row(ids)
        insert_rows(session, [row])
        assert inspect(row).persistent
        assert session.get(StepVerdict, row.id) is row
        assert session.exec(select(StepVerdict).where(StepVerdict.id == row.id)).one() is row
        row.alerted = True
    with db.read() as session:
        assert session.get_one(StepVerdict, row.id).alerted


def test_what_is_pending_is_written_first(db: Database, ids: Planted) -> None:
    with db.write() as session:
        session.exec(select(Reading)).one().replaced_at = NOW
        insert_rows(session, [reading_row(ids)])  # a week has one current reading
        team = Team(
            workspace_id=ids.workspace,
            slug="new",
            title="New",
            function="Support",
            channel="C0NEW",
            timezone="UTC",
            created_at=NOW,
        )
        session.add(team)
        insert_rows(session, [reading_row(ids, week=9)])
        assert team.id
    with pytest.raises(Conflict), db.write() as session:
        insert_rows(session, [reading_row(ids)])


def test_cached_queries_see_the_row(db: Database, ids: Planted) -> None:
    with db.write() as session:
        uow = UnitOfWork.around(session, Actor.system("T1"), NOW)
        before = checkins.answers_since(uow, adoption_id=ids.adoption, since=MONDAY)
        row = check_in(ids, member="U0NEW")
        insert_rows(session, [row])
        after = checkins.answers_since(uow, adoption_id=ids.adoption, since=MONDAY)
    assert [one.id for one in after[len(before) :]] == [row.id]


def test_several_rows_get_ids_in_order(db: Database, ids: Planted) -> None:
    rows = [_exception(ids, number) for number in range(5)]
    with db.write() as session:
        insert_rows(session, [])
        insert_rows(session, rows)
    assert [row.id for row in rows] == sorted({row.id or 0 for row in rows})


def test_a_row_of_a_savepoint_is_forgotten_with_it(db: Database, ids: Planted) -> None:
    undone, kept = verdict_row(ids), verdict_row(ids)
    with db.write() as session:
        with suppress(ZeroDivisionError), session.begin_nested():
            insert_rows(session, [undone])
            raise ZeroDivisionError
        assert inspect(undone).transient
        insert_rows(session, [kept])  # on SQLite it gets the same id
        kept.mode = Mode.HUMAN_LED
    with db.read() as session:
        assert session.get_one(StepVerdict, kept.id).mode is Mode.HUMAN_LED
