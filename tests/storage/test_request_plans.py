"""No request of a Thursday reads a whole table, however much a workspace has stored (SQLite's query plans)."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, inspect

from bot.app import build_bot
from bot.ops.commands import BUILT_IN_TEAM
from bot.settings import load_settings
from bot.web import Web
from storage.engine import Database
from tests.bench.slack import slack
from tests.bench.thursday import EXPECTED
from tests.bench.web_bench import TINY
from tests.bench.web_inside import answer, thursday
from tests.bench.web_places import APP, fill

Statement = tuple[str, Any]


def statements_of(db: Database, act: Callable[[], object]) -> list[Statement]:
    """The queries that something asks, with their parameters."""
    asked: list[Statement] = []

    def note(_connection: Any, _cursor: Any, text: str, given: Any, _context: Any, many: bool) -> None:
        if text.startswith("SELECT") and not many:
            asked.append((text, given))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return asked


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_request_finds_its_rows_by_an_index(kind: str, tmp_path: Path) -> None:
    with (
        closing(Database(f"sqlite:///{tmp_path}/place.db")) as db,
        slack(BUILT_IN_TEAM) as server,
    ):
        fill(db, TINY.place, now=datetime.now(UTC))
        settings = load_settings(_env_file=None, database_url=db.url)
        bot = build_bot(
            settings,
            db=db,
            token=APP.token,
            api_url=f"{server.url}/api/",
            signing_secret=APP.signing_secret,
        )
        web = Web(db=db, workspace=BUILT_IN_TEAM, slack=bot.app, clock=bot.clock)
        day = thursday(db, TINY.place, seed=1, hooks=server.url)

        def ask() -> None:
            for body, headers in islice(day.requests(kind), 6):
                answer(web, body, headers, wanted=EXPECTED[kind])

        asked = statements_of(db, ask)
        assert asked
        whole = {f"SCAN {table}" for table in inspect(db.engine).get_table_names()}
        with db.engine.connect() as connection:
            for text, given in asked:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given).all()
                assert not whole & {str(step[-1]) for step in plan}, text
