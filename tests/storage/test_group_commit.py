"""Short transactions of several threads share one on SQLite; an error in one affects no other."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import event
from sqlmodel import Session

from storage.engine import Database
from storage.queries import workspaces
from storage.tables import Workspace

MANY = 6
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_each_thread_gets_its_own_result_and_all_are_committed(db: Database) -> None:
    def keep(number: int) -> int:
        def work(session: Session) -> int:
            if number == MANY:
                raise ValueError(number)
            session.add(Workspace(id=f"T9{number}", name=str(number), created_at=NOW))
            return number

        return db.grouped(work)

    with ThreadPoolExecutor(MANY + 1) as pool:
        with db.write():  # on SQLite all of them gather behind this
            asked = [pool.submit(keep, number) for number in range(MANY + 1)]
            if db.is_sqlite:
                assert not any(one.done() for one in asked)
        assert [one.result(timeout=10) for one in asked[:MANY]] == list(range(MANY))
        with pytest.raises(ValueError, match=str(MANY)):
            asked[MANY].result(timeout=10)
    with db.read() as session:
        assert {f"T9{number}" for number in range(MANY)} <= {row.id for row in workspaces.workspaces(session)}


@pytest.mark.parametrize(
    "db", ["sqlite"], indirect=True
)  # PostgreSQL's transactions don't wait for each other
def test_who_comes_together_is_committed_once(db: Database) -> None:
    commits: list[object] = []
    with ThreadPoolExecutor(MANY) as pool:
        with db.write():
            asked = [pool.submit(db.grouped, workspaces.workspaces) for _ in range(MANY)]
            while db.waiting < MANY:
                pass
            event.listen(db.engine, "commit", commits.append)
        assert [one.result(timeout=10) for one in asked] == [[]] * MANY
    assert len(commits) == 1
