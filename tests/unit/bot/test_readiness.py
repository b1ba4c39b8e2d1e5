"""`/readyz` says no when this process can't do its work, and only then."""

from datetime import timedelta
from pathlib import Path

from werkzeug.test import Client

from bot.commands import BUILT_IN_TEAM
from bot.stage import Stage
from bot.web import Web
from cadence.flows.profiles import ensure_workspace
from storage import ledger
from storage.engine import Database
from storage.ledger import Owed


def ready(web: Web) -> tuple[int, list[str]]:
    answer = Client(web).get("/readyz")
    return answer.status_code, answer.text.splitlines()


def owe(stage: Stage, workspace_id: str, *, minutes_ago: int) -> None:
    now = stage.clock.now()
    ensure_workspace(stage.bot.db, workspace_id=workspace_id, name="", now=now)
    due = now - timedelta(minutes=minutes_ago)
    owed = Owed(key=f"asked:{workspace_id}", kind="asked", recipient="C1", subject={}, due_at=due)
    with stage.bot.db.write() as session:
        ledger.owe(session, workspace_id=workspace_id, owed=[owed], now=now)


def web_of(stage: Stage, workspace: str, **watched: tuple[bool, str]) -> Web:
    looks = [lambda one=one: one for one in watched.values()]
    return Web(db=stage.bot.db, workspace=workspace, slack=None, clock=stage.clock, watched=looks)


def test_what_another_workspace_is_owed_is_not_this_ones_trouble(stage: Stage) -> None:
    owe(stage, "T2REAL", minutes_ago=11)
    assert ready(web_of(stage, BUILT_IN_TEAM)) == (
        200,
        ["database: ok", "workspace: ok", "messages: in time"],
    )
    status, lines = ready(web_of(stage, "T2REAL"))
    assert status == 503
    assert lines[-1].startswith("messages: late since 2026-02-27 11:49")


def test_a_message_may_wait_ten_minutes(stage: Stage) -> None:
    owe(stage, BUILT_IN_TEAM, minutes_ago=9)
    assert ready(web_of(stage, BUILT_IN_TEAM))[0] == 200


def test_one_thing_that_is_not_well_is_enough(stage: Stage) -> None:
    well, not_well = (True, "process: running"), (False, "socket: silent since 31 seconds ago")
    assert ready(web_of(stage, BUILT_IN_TEAM, process=well))[0] == 200
    status, lines = ready(web_of(stage, BUILT_IN_TEAM, process=well, socket=not_well))
    assert (status, lines[-2:]) == (503, [well[1], not_well[1]])


def test_a_database_that_is_not_there_or_not_migrated(stage: Stage, tmp_path: Path) -> None:
    empty = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    status, lines = ready(Web(db=empty, workspace=BUILT_IN_TEAM, slack=None, clock=stage.clock))
    assert status == 503
    assert "migrations to come" in lines[0]
    empty.close()
    gone = Database("postgresql://nobody@127.0.0.1:9/nothing")
    status, lines = ready(Web(db=gone, workspace=BUILT_IN_TEAM, slack=None, clock=stage.clock))
    assert (status, lines) == (503, ["database: OperationalError"])
    gone.close()
