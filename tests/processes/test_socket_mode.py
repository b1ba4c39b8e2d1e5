"""`cadence run` with tokens: everything in one process, over Socket Mode."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.sandbox.faults import Fault, FaultPlan, FaultRates
from bot.sandbox.server import SandboxServer
from bot.sandbox.sockets import Sockets
from cadence.flows.exceptions.logging import ExceptionGiven, log_exception
from storage.engine import Database
from storage.work import UnitOfWork
from tests.contexts import assert_golden
from tests.processes import places
from tests.processes.places import CURATORS, ROOM, Recorder, counted, key_of, posted, slack, someone, tokens
from tests.processes.programs import Program, eventually, fetch, free_port, started


@dataclass
class Running:
    """A bot that is connected."""

    folder: Path
    server: SandboxServer
    sockets: Sockets
    program: Program
    url: str
    recorder: Recorder

    def exceptions(self) -> int:
        """How many are logged."""
        return counted(self.folder, "SELECT count(*) FROM exception")


def connected(server: SandboxServer) -> bool:
    return server.sockets is not None and server.sockets.connected > 0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder, port = tmp_path_factory.mktemp("socket"), free_port()
    places.database(folder).close()
    with (
        slack(socket_mode=True) as server,
        started(folder, "run", PORT=str(port), **tokens(server)) as program,
    ):
        assert server.sockets is not None
        eventually(lambda: connected(server), "the bot connects", program)
        recorder = Recorder(server.sockets)
        server.workspace.connect(recorder)
        yield Running(folder, server, server.sockets, program, f"http://127.0.0.1:{port}", recorder)


def test_a_command_is_answered_and_the_same_envelope_again_changes_nothing(running: Running) -> None:
    agent = running.server.workspace.person("U01AGENT1")
    before = running.exceptions()
    answer = agent.types("/exception", "draft one claim had no source", channel=ROOM)
    assert answer.failure is None
    assert_golden(answer.text, "logged")
    assert running.recorder.again().failure is None
    assert running.exceptions() == before + 1


def test_a_watch_is_posted_and_its_button_opens_a_form_that_can_be_sent(running: Running) -> None:
    owner = running.server.workspace.person("U01LEAD")
    for number in range(5 - running.exceptions()):
        assert owner.types("/exception", f"draft wrong tone, {number}", channel=ROOM).failure is None
    eventually(
        lambda: bool(posted(running.server, ROOM, "watch")), "the team reads of the watch", running.program
    )
    assert owner.clicks(posted(running.server, ROOM, "watch")[-1], "Add a plan").failure is None
    sent = owner.submits({"note": "Two people read each draft for a week."})
    assert sent.failure is None
    assert sent.errors == {}
    assert counted(running.folder, "SELECT count(*) FROM trail WHERE action = 'watch-answered'") == 1


@pytest.mark.parametrize("reason", ["refresh_requested", None], ids=["asked to", "cut off without a word"])
def test_the_bot_comes_back_when_the_connection_ends(running: Running, reason: str | None) -> None:
    running.sockets.disconnect(reason)
    eventually(lambda: connected(running.server), "the bot is back", running.program)
    answer = running.server.workspace.person("U01LEAD").types("/cadence", "status", channel=ROOM)
    assert answer.failure is None
    assert_golden(answer.text.partition(":")[0], "status")


def test_health_is_where_the_first_log_line_says(running: Running) -> None:
    eventually(lambda: f"health={running.url}/readyz" in running.program.err, "the log says so")
    assert fetch(f"{running.url}/healthz") == (200, "ok\n")
    assert fetch(f"{running.url}/readyz")[0] == 200
    assert "cadence_" in fetch(f"{running.url}/metrics")[1]
    assert fetch(f"{running.url}/slack/events", b"{}")[0] == 404


def test_the_log_holds_no_tokens_tracebacks_or_advice_of_libraries(running: Running) -> None:
    app = running.server.workspace.app
    for word in (
        app.token,
        app.app_token,
        "Traceback",
        "As you gave",
        "session id",
        "no source",
        "wrong tone",
    ):
        assert word not in running.program.err


def alerts(db: Database) -> None:
    """Four critical exceptions demote four steps: two alerts each, five or more of them in the curators' channel."""
    for number, (playbook, step, owner) in enumerate(
        (
            ("support-reply", "draft", "U01LEAD"),
            ("support-reply", "send", "U01LEAD"),
            ("inbound-routing", "score", "U03LEAD"),
            ("inbound-routing", "route", "U03LEAD"),
        )
    ):
        given = ExceptionGiven(step, "left its rule", critical=True, playbook=playbook, ask=False)
        log_exception(UnitOfWork(db, someone(owner, f"request-{number}"), places.now()), given)


@pytest.mark.long
def test_killed_while_it_sends_and_started_again_it_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    db = places.database(tmp_path, running=("support-reply", "inbound-routing"))
    alerts(db)
    db.close()
    owed = counted(tmp_path, "SELECT count(*) FROM ledger WHERE kind = 'demoted'")
    assert owed == 8
    slow = FaultPlan({"chat.postMessage": FaultRates({Fault.SLOW: 1.0})}, slow_seconds=0.15)

    with slack(socket_mode=True, faults=slow) as server:

        def sent() -> list[str]:
            return [
                key_of(message)
                for channel in server.workspace.channels()
                for message in posted(server, channel.id, "demoted")
            ]

        settings = tokens(server) | {"PORT": str(free_port())}
        with started(tmp_path, "run", **settings) as first:
            eventually(lambda: len(sent()) >= 2, "the first alerts", first)
            first.kill()
        assert len(sent()) < owed
        places.minutes_pass(tmp_path)
        with started(tmp_path, "run", **settings) as second:
            left = "SELECT count(*) FROM ledger WHERE kind = 'demoted' AND state <> 'sent'"
            eventually(lambda: counted(tmp_path, left) == 0, "every alert is sent", second)
            assert len(posted(server, CURATORS, "demoted")) == 4
            assert sorted(sent()) == sorted(set(sent()))
            assert len(sent()) == owed

            assert second.stop() == 0
            assert "Traceback" not in second.err
            assert not connected(server)
