"""A transaction asks each question once, until one of the tables that were read is written to."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from traceback import walk_stack
from typing import Any

import pytest
from sqlalchemy import Connection, event, update
from sqlmodel import SQLModel

from cadence.actor import Actor
from cadence.flows.core import is_curator
from cadence.flows.people import decide_join
from storage import query_cache
from storage.engine import Database, connection_of
from storage.queries import adoptions, people, playbooks
from storage.query_cache import CACHED, hold
from storage.tables import Curator, JoinRequest, Playbook, Team
from storage.work import UnitOfWork
from tests.databases import rolled_back
from tests.storage.conftest import BOTH
from tests.storage.seeds import MEMBER, NOW, OTHER, Planted, plant
from tests.storage.test_workspaces import BY_ID, BY_NAME
from tests.storage.threads import until_somebody_waits

TABLES = {str(table.__tablename__) for table in SQLModel.__subclasses__() if hasattr(table, "__tablename__")}


@pytest.fixture
def ids(db: Database) -> Planted:
    with db.write() as session:
        return plant(session)


@contextmanager
def asked(db: Database) -> Iterator[list[str]]:
    """The SELECTs of a block."""
    found: list[str] = []

    def note(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().startswith("SELECT"):
            found.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield found
    event.remove(db.engine, "before_cursor_execute", note)


def test_what_was_asked_before_is_not_asked_again(db: Database, ids: Planted) -> None:
    uow = UnitOfWork(db, Actor("T1", MEMBER, "command"), NOW)
    with asked(db) as statements, uow.read():
        first = people.curators(uow)
        assert first == people.curators(uow.by(Actor("T1", "U9", "form"))) == ["U01CURATOR"]
        assert len(statements) == 1
        assert people.curators(uow.by(Actor("T2", MEMBER, "command"))) == []
        assert len(statements) == 2
    with asked(db) as statements, uow.read():
        people.curators(uow)
        assert len(statements) == 1, "another transaction asks for itself"


def test_an_answer_that_somebody_changes_stays_as_it_was(db: Database, ids: Planted) -> None:
    uow = UnitOfWork(db, Actor("T1", MEMBER, "command"), NOW)
    with uow.read():
        people.curators(uow).append("U0NOBODY")
        assert people.curators(uow) == ["U01CURATOR"]


def test_a_write_has_it_asked_again(db: Database, ids: Planted) -> None:
    uow = UnitOfWork(db, Actor("T1", MEMBER, "command"), NOW)
    with uow.write():
        assert people.curators(uow) == ["U01CURATOR"]
        uow.session.add(Curator(workspace_id="T1", member="U0NEW", since=NOW))
        assert people.curators(uow) == ["U01CURATOR", "U0NEW"], "an object that isn't written yet is"
        titles = [row.title for row in playbooks.playbooks(uow)]
        connection_of(uow.session).execute(update(Team).values(title="Renamed"))
        with asked(db) as statements:
            assert [row.title for row in playbooks.playbooks(uow)] == titles
            assert statements == [], "a write to another table doesn't matter"
        connection_of(uow.session).execute(update(Playbook).values(owner="U0NEW"))
        assert playbooks.owned_slugs(uow, owner="U0NEW")


@pytest.mark.parametrize(
    "lock",
    [
        pytest.param(lambda uow, one: adoptions.lock_adoption(uow, adoption_id=one), id="one"),
        pytest.param(lambda uow, one: adoptions.lock_adoptions(uow, adoption_ids=[one]), id="many"),
    ],
)
def test_who_waited_for_a_lock_asks_again(
    db: Database, ids: Planted, lock: Callable[[UnitOfWork, int], object]
) -> None:
    uow = UnitOfWork(db, Actor("T1", MEMBER, "command"), NOW)
    with uow.write():
        people.teams(uow)
        lock(uow, ids.adoption)
        with asked(db) as statements:
            people.teams(uow)
        assert bool(statements) is not db.is_sqlite, (
            "a transaction that writes to SQLite waited when it began"
        )


@pytest.mark.parametrize(
    "lock",
    [
        pytest.param(lambda uow, ids: hold(uow, uow.session.get_one(Team, ids.team)), id="row"),
        pytest.param(lambda uow, ids: playbooks.lock_playbook(uow, playbook_id=ids.playbook), id="playbook"),
        pytest.param(
            lambda uow, ids: people.join_request(uow, request_id=ids.join_request, lock=True),
            id="join-request",
        ),
    ],
)
def test_every_lock_has_it_asked_again(
    db: Database, ids: Planted, lock: Callable[[UnitOfWork, Planted], object]
) -> None:
    uow = UnitOfWork(db, Actor("T1", MEMBER, "command"), NOW)
    with uow.write():
        people.curators(uow)
        lock(uow, ids)
        with asked(db) as statements:
            people.curators(uow)
        assert len(statements) == 1


def test_who_acts_is_asked_again_after_waiting_for_a_row(db: Database, ids: Planted) -> None:
    uow = UnitOfWork(db, Actor("T1", "U01CURATOR", "command"), NOW)
    with uow.read():
        assert is_curator(uow)
    with UnitOfWork(db, Actor.system("T1"), NOW).write() as other:
        people.set_curators(other, members=["U0NEW"])
    with uow.write():
        hold(uow, uow.session.get_one(Team, ids.team))
        assert not is_curator(uow)


def test_a_savepoint_takes_back_what_was_asked_in_it(db: Database, ids: Planted) -> None:
    uow = UnitOfWork(db, Actor("T1", MEMBER, "command"), NOW)
    with uow.write():
        inner = uow.session.begin_nested()
        uow.session.add(Curator(workspace_id="T1", member="U0NEW", since=NOW))
        assert people.curators(uow) == ["U01CURATOR", "U0NEW"]
        inner.rollback()
        assert people.curators(uow) == ["U01CURATOR"]


def test_a_transaction_that_goes_through_everything_forgets_what_it_asked_first(
    db: Database, ids: Planted
) -> None:
    uow = UnitOfWork(db, Actor.system("T1"), NOW)
    with uow.read():
        for number in range(query_cache.MOST + 5):
            people.team_ids(uow, member_id=f"U{number}")
        assert len(uow.session.info["answers"]) == 5


@pytest.mark.parametrize(
    "db", [BOTH[1]], indirect=True
)  # a transaction that writes to SQLite waits when it begins
def test_two_requests_to_join_are_approved_at_once(db: Database, ids: Planted) -> None:
    with db.write() as session:
        asked_too = JoinRequest(workspace_id="T1", team_id=ids.team, member="U0ASKED", asked_at=NOW)
        session.add(asked_too)
        session.flush()
        requests = [ids.join_request, asked_too.id or 0]
    actor = Actor("T1", "U01CURATOR", "command")
    with ThreadPoolExecutor(2) as pool:
        with db.write() as session:
            held = session.get_one(Team, ids.team)
            session.refresh(held, with_for_update=True)
            done = [
                pool.submit(decide_join, UnitOfWork(db, actor, NOW), one, approve=True) for one in requests
            ]
            until_somebody_waits(db, number=2)
        for one in done:
            one.result(20)
    with UnitOfWork(db, actor, NOW).read() as uow:
        members = {row.member for row in people.memberships(uow, team_ids=[ids.team])}
    assert {OTHER, "U0ASKED"} <= members


def test_a_cached_query_names_every_table_it_reads(db: Database, ids: Planted) -> None:
    read: dict[str, set[str]] = {}

    def note(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        for frame, _ in walk_stack(None):
            if frame.f_code.co_name == "run" and frame.f_code.co_filename == query_cache.__file__:
                query = frame.f_locals["query"]
                tables = {table for table in TABLES if _reads(statement, table)}
                read.setdefault(f"{query.__module__}.{query.__name__}", set()).update(tables)
                return

    event.listen(db.engine, "before_cursor_execute", note)
    for call in (BY_NAME | BY_ID).values():  # every query there is
        with rolled_back(db) as session:
            call(session, "T1", ids)
    event.remove(db.engine, "before_cursor_execute", note)
    assert read.keys() == CACHED.keys(), "tests/storage/test_workspaces.py tries every query"
    assert {name: tables - CACHED[name] for name, tables in read.items() if tables - CACHED[name]} == {}


def _reads(statement: str, table: str) -> bool:
    words = statement.replace(",", " ").replace("(", " ").replace(")", " ").split()
    return any(word.strip('"') == table and before in {"FROM", "JOIN"} for before, word in pairwise(words))
