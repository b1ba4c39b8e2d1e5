"""`cadence web` is killed in the middle of pushes: sent again, each item counts exactly once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from cadence.flows.history.replay import replay
from cadence.flows.tokens import TokenGiven, draw_token, make_token
from storage.engine import Database
from storage.work import UnitOfWork
from tests.processes import places
from tests.processes.places import counted, now, slack, someone, tokens
from tests.processes.programs import Program, eventually, fetch, free_port, started
from tests.scenarios.machines.asking import Tool

ITEMS = 400
TABLES = {"exceptions": "exception", "runs": "measured_runs"}


def items(path: str) -> list[dict[str, Any]]:
    """The items of one push; exceptions are pushed in 20 transactions, runs in 4."""
    about: dict[str, Any] = {"step": "send", "reason": "wrong price"} if path == "exceptions" else {"runs": 2}
    return [{"id": f"{path}-{number}", **about} for number in range(ITEMS)]


def kept(folder: Path, path: str) -> int:
    """How many items of a path are in the database."""
    return counted(folder, f"SELECT count(*) FROM {TABLES[path]}")


def push(tool: Tool, path: str) -> None:
    """Push, whatever becomes of the answer."""
    with suppress(URLError, OSError):
        tool.push(path, *items(path))


@pytest.fixture
def token(tmp_path: Path) -> str:
    """A tool's token, in the database of the process."""
    db = places.database(tmp_path)
    drawn = draw_token(BUILT_IN_TEAM)
    given = TokenGiven("Help desk", "tool", ("write",), playbook="support-reply")
    make_token(UnitOfWork(db, someone("U01CURATOR", "token"), now()), given, drawn)
    db.close()
    return drawn.text


def test_killed_in_the_middle_of_pushes_nothing_is_lost_or_counted_twice(tmp_path: Path, token: str) -> None:
    port = free_port()
    tool = Tool(f"http://127.0.0.1:{port}", token)
    with slack(socket_mode=False) as server:
        secret = server.workspace.app.signing_secret
        settings = tokens(server) | {"SLACK_SIGNING_SECRET": secret, "PORT": str(port)}

        def answers(web: Program) -> None:
            url = f"{tool.url}/api/v1/openapi.json"
            eventually(lambda: fetch(url)[0] == 200, "the API answers", web)

        with started(tmp_path, "web", **settings) as web, ThreadPoolExecutor(len(TABLES)) as tools:
            answers(web)
            for path in TABLES:
                tools.submit(push, tool, path)
            eventually(lambda: kept(tmp_path, "exceptions") > 0, "a part is recorded", web)
            web.kill()
        assert 0 < kept(tmp_path, "exceptions") < ITEMS, "it was killed between two parts"
        with started(tmp_path, "web", **settings) as web:
            answers(web)
            before = {path: kept(tmp_path, path) for path in TABLES}
            for path in TABLES:
                outcomes = [outcome for outcome, _ in tool.push(path, *items(path)).outcomes]
                assert outcomes.count("repeated") == before[path], path
                assert set(outcomes) <= {"recorded", "repeated"}
            assert {kept(tmp_path, path) for path in TABLES} == {ITEMS}
            assert counted(tmp_path, "SELECT sum(runs) FROM measured_runs") == 2 * ITEMS
    db = Database(f"sqlite:///{tmp_path / 'var' / 'cadence.db'}")
    with db.read() as session:
        found = replay(UnitOfWork.around(session, someone("U01CURATOR"), now()))
    db.close()
    assert found.verdicts > 0
    assert found.differences == (), "every verdict follows from the rows"
