"""Short transactions of several threads share one on SQLite; what goes wrong in one stays its own."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import event
from sqlmodel import Session

from storage.engine import Database
from storage.queries import people
from storage.tables import Workspace

MANY = 6
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_each_thread_is_told_of_its_own_and_all_of_it_is_kept(db: Database) -> None:
    def keep(number: int) -> int:
        def work(session: Session) -> int:
            if number == MANY:
                raise ValueError(number)
            session.add(Workspace(id=f"T9{number}", name=str(number), created_at=NOW))
            return number

        return db.together(work)

    with ThreadPoolExecutor(MANY + 1) as pool:
        with db.write():  # on SQLite all of them gather behind this
            asked = [pool.submit(keep, number) for number in range(MANY + 1)]
            if db.is_sqlite:
                assert not any(one.done() for one in asked)
        assert [one.result(timeout=10) for one in asked[:MANY]] == list(range(MANY))
        with pytest.raises(ValueError, match=str(MANY)):
            asked[MANY].result(timeout=10)
    with db.read() as session:
        assert {f"T9{number}" for number in range(MANY)} <= {row.id for row in people.workspaces(session)}


@pytest.mark.parametrize(
    "db", ["sqlite"], indirect=True
)  # PostgreSQL's transactions don't wait for each other
def test_who_comes_together_is_committed_once(db: Database) -> None:
    commits: list[object] = []
    with ThreadPoolExecutor(MANY) as pool:
        with db.write():
            asked = [pool.submit(db.together, people.workspaces) for _ in range(MANY)]
            while len(db._together._waiting) < MANY:  # type: ignore[union-attr]
                pass
            event.listen(db.writing, "commit", commits.append)
        assert [one.result(timeout=10) for one in asked] == [[]] * MANY
    assert len(commits) == 1
