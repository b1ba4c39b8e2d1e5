"""`cadence web` is killed in the middle of pushes: sent again, each item counts exactly once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from sqlalchemy import text

from bot.ops.commands import BUILT_IN_TEAM
from cadence.flows.history.replay import replay
from cadence.flows.tokens import TokenGiven, draw_token, make_token
from storage.engine import Database
from storage.work import UnitOfWork
from tests.processes import places
from tests.processes.places import now, slack, someone, tokens
from tests.processes.programs import Program, eventually, fetch, free_port, started
from tests.scenarios.machines.asking import Tool
from tests.storage import postgres

ITEMS = 200
PATHS = ("exceptions", "runs")
TOOLS = {"Help desk": "support-reply", "Other desk": "support-reply", "Router": "inbound-routing"}
"""Two tools report about the same playbook, under the same ids, and one about another team's."""
STEPS = {"support-reply": "send", "inbound-routing": "route"}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the process keeps its rows."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'var' / 'cadence.db'}"
    socket: str = request.getfixturevalue("postgres_socket")
    postgres.create(socket, "killed")
    return postgres.url(socket, "killed")


@pytest.fixture
def db(tmp_path: Path, url: str) -> Iterator[Database]:
    """Its database, as another process sees it."""
    found = places.database(tmp_path, running=tuple(STEPS), url=url)
    yield found
    found.close()


@pytest.fixture
def secrets(db: Database) -> dict[str, str]:
    """The token of each tool."""
    drawn = {name: draw_token(BUILT_IN_TEAM) for name in TOOLS}
    for name, playbook in TOOLS.items():
        given = TokenGiven(name, "tool", ("write",), playbook=playbook)
        make_token(UnitOfWork(db, someone("U01CURATOR", name), now()), given, drawn[name])
    return {name: token.text for name, token in drawn.items()}


def items(name: str, path: str) -> list[dict[str, Any]]:
    """The items of one push; exceptions are pushed in 10 transactions, runs in 2."""
    about = {"step": STEPS[TOOLS[name]], "reason": "wrong price"} if path == "exceptions" else {"runs": 2}
    return [{"id": f"{path}-{number}", **about} for number in range(ITEMS)]


def kept(db: Database) -> dict[tuple[str, str], int]:
    """How many items of each tool and path are in the database, where there are any."""
    counts = (
        "SELECT token.name, 'exceptions', count(*) FROM exception"
        " JOIN api_token token ON exception.source LIKE token.key || ':%' GROUP BY token.name"
        " UNION ALL SELECT token.name, 'runs', count(*) FROM measured_runs"
        " JOIN api_token token ON measured_runs.source LIKE token.key || ':%' GROUP BY token.name"
    )
    with db.read() as session:
        return {(name, path): many for name, path, many in session.connection().execute(text(counts))}


def push(tool: Tool, name: str, path: str) -> None:
    """Push, whatever becomes of the answer."""
    with suppress(URLError, OSError):
        tool.push(path, *items(name, path))


@pytest.mark.long
def test_killed_in_the_middle_of_pushes_nothing_is_lost_or_counted_twice(
    tmp_path: Path, url: str, db: Database, secrets: dict[str, str]
) -> None:
    port = free_port()
    tools = {name: Tool(f"http://127.0.0.1:{port}", token) for name, token in secrets.items()}
    pushes = [(name, path) for name in TOOLS for path in PATHS]
    with slack(socket_mode=False) as server:
        secret = server.workspace.app.signing_secret
        settings = {**tokens(server), "SLACK_SIGNING_SECRET": secret, "PORT": str(port), "DATABASE_URL": url}

        def answers(web: Program) -> None:
            document = f"http://127.0.0.1:{port}/api/v1/openapi.json"
            eventually(lambda: fetch(document)[0] == 200, "the API answers", web)

        with started(tmp_path, "web", **settings) as web, ThreadPoolExecutor(len(pushes)) as threads:
            answers(web)
            for name, path in pushes:
                threads.submit(push, tools[name], name, path)
            eventually(lambda: len(kept(db)) > 2, "parts of several pushes are recorded", web)
            web.kill()
        assert 0 < sum(kept(db).values()) < len(pushes) * ITEMS, "it was killed between two parts"
        with started(tmp_path, "web", **settings) as web:
            answers(web)
            before = kept(db)
            for name, path in pushes:
                outcomes = [outcome for outcome, _ in tools[name].push(path, *items(name, path)).outcomes]
                assert outcomes.count("repeated") == before.get((name, path), 0), (name, path)
                assert set(outcomes) <= {"recorded", "repeated"}
    assert kept(db) == dict.fromkeys(pushes, ITEMS)
    with db.read() as session:
        found = replay(UnitOfWork.around(session, someone("U01CURATOR"), now()))
    assert found.verdicts > 0
    assert found.differences == (), "every verdict follows from the rows"
