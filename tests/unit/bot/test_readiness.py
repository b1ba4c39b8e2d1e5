"""`/readyz` says no when this process can't do its work, and only then."""

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from werkzeug.test import Client

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.web import Web, may_ask
from cadence.actor import Actor
from cadence.flows.people.profiles import ensure_workspace
from cadence.flows.workspaces.checks import WRITE_EVERY_SECONDS, WriteProbe
from storage.engine import Database, sqlite_file
from storage.outbox.queueing import NewMessage
from storage.work import UnitOfWork
from tests.contexts import assert_golden


def ready(web: Web) -> tuple[int, list[str]]:
    answer = Client(web).get("/readyz")
    return answer.status_code, answer.text.splitlines()


def owe(harness: BotHarness, workspace_id: str, *, minutes_ago: int) -> None:
    now = harness.clock.now()
    ensure_workspace(UnitOfWork(harness.bot.db, Actor.system(workspace_id), now), name="")
    due = now - timedelta(minutes=minutes_ago)
    message = NewMessage("asked", "C1", {}, about=(), due_at=due)
    with harness.bot.db.write() as session:
        UnitOfWork.around(session, Actor.system(workspace_id), now).send(message)


def web_of(harness: BotHarness, workspace: str, **watched: tuple[bool, str]) -> Web:
    looks = [lambda one=one: one for one in watched.values()]
    return Web(db=harness.bot.db, workspace=workspace, slack=None, clock=harness.clock, watched=looks)


def test_messages_of_another_workspace_do_not_affect_readiness(harness: BotHarness) -> None:
    owe(harness, "T2REAL", minutes_ago=11)
    assert ready(web_of(harness, BUILT_IN_TEAM)) == (
        200,
        ["database: ok", "workspace: ok", "messages: in time"],
    )
    status, lines = ready(web_of(harness, "T2REAL"))
    assert status == 503
    assert_golden("\n".join(lines), "late")


def test_a_message_may_wait_ten_minutes(harness: BotHarness) -> None:
    owe(harness, BUILT_IN_TEAM, minutes_ago=9)
    assert ready(web_of(harness, BUILT_IN_TEAM))[0] == 200


def test_one_thing_that_is_not_well_is_enough(harness: BotHarness) -> None:
    well, not_well = (True, "process: running"), (False, "socket: silent since 31 seconds ago")
    assert ready(web_of(harness, BUILT_IN_TEAM, process=well))[0] == 200
    status, lines = ready(web_of(harness, BUILT_IN_TEAM, process=well, socket=not_well))
    assert (status, lines[-2:]) == (503, [well[1], not_well[1]])


def test_a_database_that_is_not_there_or_not_migrated(harness: BotHarness, tmp_path: Path) -> None:
    empty = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    status, lines = ready(Web(db=empty, workspace=BUILT_IN_TEAM, slack=None, clock=harness.clock))
    assert status == 503
    assert_golden(re.sub(r"\d+", "ALL", lines[0]), "not-migrated")
    empty.close()
    gone = Database("postgresql://nobody@127.0.0.1:9/nothing")
    status, lines = ready(Web(db=gone, workspace=BUILT_IN_TEAM, slack=None, clock=harness.clock))
    assert status == 503
    assert_golden("\n".join(lines), "no-server")
    gone.close()


def test_a_database_that_takes_no_writes(harness: BotHarness) -> None:
    db = harness.bot.db
    read_only = (
        "PRAGMA query_only=ON" if db.is_sqlite else "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
    )

    def close(connection: Any, _record: object) -> None:
        connection.execute(read_only)
        connection.commit()

    web = web_of(harness, BUILT_IN_TEAM)
    event.listen(db.engine, "connect", close)
    db.engine.dispose()
    try:
        assert Client(web).get("/healthz").status_code == 200
        status, lines = ready(web)
    finally:
        event.remove(db.engine, "connect", close)
        db.engine.dispose()
    why = "the file can't be written" if db.is_sqlite else "it's read-only"
    assert (status, lines) == (503, [f"database: can't be written to ({why})"])
    assert ready(web)[0] == 200


@pytest.mark.sqlite
def test_a_database_that_somebody_holds(harness: BotHarness) -> None:
    file = sqlite_file(harness.bot.db.url)
    assert file is not None
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        status, lines = ready(web_of(harness, BUILT_IN_TEAM))
        other.execute("ROLLBACK")
    assert (status, lines) == (503, ["database: can't be written to (it's busy with other connections)"])


def test_it_writes_once_in_a_while_however_often_it_is_asked(harness: BotHarness) -> None:
    db, elapsed = harness.bot.db, [0.0]
    written: list[object] = []
    event.listen(db.engine, "commit", written.append)
    probe = WriteProbe(db, timer=lambda: elapsed[0])

    def look() -> str:
        return probe.trouble(BUILT_IN_TEAM, now=harness.clock.now())

    with ThreadPoolExecutor(8) as pool:
        assert {one.result() for one in [pool.submit(look) for _ in range(40)]} == {""}
    assert len(written) == 1
    elapsed[0] += WRITE_EVERY_SECONDS
    assert look() == ""
    assert len(written) == 2
    with db.read() as session:
        assert session.execute(text("SELECT count(*) FROM lane WHERE name = 'readyz'")).scalar() == 1


@pytest.mark.parametrize(
    ("host", "names", "may"),
    [
        ("127.0.0.1:3000", (), True),
        ("[::1]:3000", (), True),
        ("10.1.2.3", (), True),
        ("localhost:3000", (), True),
        ("LOCALHOST", (), True),
        ("", (), True),
        ("rebound.example.com", (), False),
        ("rebound.example.com:3000", (), False),
        ("127.0.0.1.example.com", (), False),
        ("localhost.example.com", (), False),
        ("2130706433", (), False),
        ("bot.internal:3000", ("bot.internal",), True),
        ("web.svc.cluster.local", (".svc.cluster.local",), True),
        ("evilsvc.cluster.local", (".svc.cluster.local",), False),
        ("anything.example.com", ("*",), True),
        ("a b", (), False),
        ("[", (), False),
    ],
)
def test_only_known_names_may_ask(host: str, names: tuple[str, ...], may: bool) -> None:
    assert may_ask(host, names) is may


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
def test_a_page_elsewhere_learns_nothing(harness: BotHarness, path: str) -> None:
    client = Client(web_of(harness, BUILT_IN_TEAM))
    assert client.get(path, headers={"Host": "rebound.example.com"}).status_code == 403
    assert client.get(path, headers={"Host": "10.0.0.7:3000"}).status_code == 200
    assert client.get("/healthz", headers={"Host": "rebound.example.com"}).status_code == 200
