"""`cadence run` and `cadence sandbox` without tokens, and the commands beside them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from slack_sdk import WebClient

from tests.contexts import assert_golden
from tests.processes import places
from tests.processes.places import counted
from tests.processes.programs import PATIENCE_SECONDS, Program, eventually, fetch, free_port, run, started

OLD = ("cadence.db", "cadence.db.worker", "workspace.db")


@dataclass
class BuiltIn:
    """`cadence run` as a newcomer starts it."""

    folder: Path
    program: Program
    port: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def built_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuiltIn]:
    folder, port = tmp_path_factory.mktemp("built-in"), str(free_port())
    (folder / "var").mkdir()
    (folder / "var").chmod(0o755)
    for name in OLD:  # as an earlier version made them
        (folder / "var" / name).touch(0o644)
    with started(folder, "run", PORT=port) as program:
        eventually(lambda: f"127.0.0.1:{port}/metrics" in program.out, "the page is up", program)
        yield BuiltIn(folder, program, port)


def test_it_says_where_the_page_and_health_are_and_they_answer(built_in: BuiltIn) -> None:
    for path in ("", "/healthz", "/readyz", "/metrics"):
        assert f"{built_in.url}{path}" in built_in.program.out
        assert fetch(f"{built_in.url}{path}")[0] == 200
    assert "<title>" in fetch(built_in.url)[1]


def test_a_page_elsewhere_learns_nothing_of_it(built_in: BuiltIn) -> None:
    for path in ("/", "/healthz", "/readyz", "/metrics", "/api/auth.test", "/nothing"):
        assert fetch(f"{built_in.url}{path}", Host="rebound.example.com")[0] == 403


def test_nobody_else_on_the_machine_reads_its_files(built_in: BuiltIn) -> None:
    assert fetch(f"{built_in.url}/readyz")[0] == 200  # it has written
    folder = built_in.folder / "var"
    modes = {one.name: oct(one.stat().st_mode & 0o777) for one in folder.iterdir()}
    assert {*OLD, "cadence.db-wal", "cadence.db-shm", "workspace.db-wal"} <= set(modes)
    assert set(modes.values()) == {"0o600"}
    assert oct(folder.stat().st_mode & 0o777) == "0o700"


def test_a_tick_beside_it_works_in_the_same_workspace(built_in: BuiltIn) -> None:
    ticked = run(built_in.folder, "tick", PORT=built_in.port)
    assert (ticked.returncode, ticked.stderr) == (0, "")
    assert ticked.stdout.endswith(".\n")


def test_a_second_one_says_in_one_sentence_that_the_port_is_taken(built_in: BuiltIn, tmp_path: Path) -> None:
    second = run(tmp_path, "run", PORT=built_in.port)
    assert (second.returncode, second.stdout) == (2, "")
    assert_golden(second.stderr.replace(built_in.port, "PORT_TAKEN"), "port-taken")


def test_it_stops_when_asked_and_logs_nothing_that_went_well(built_in: BuiltIn) -> None:
    assert built_in.program.stop() == 0
    assert built_in.program.err == ""


def test_the_sandbox_prints_how_to_point_a_bot_at_it_and_nothing_else(tmp_path: Path) -> None:
    port = str(free_port())
    with started(tmp_path, "sandbox", PORT=port) as program:
        eventually(lambda: "SLACK_SIGNING_SECRET" in program.out, "the exports", program)
        first, *lines = program.out.splitlines()
        assert_golden(first.replace(f":{port}", ":PORT"), "sandbox")
        exports = dict(line.removeprefix("  export ").split("=", 1) for line in lines)
        assert list(exports) == [
            "SLACK_API_URL",
            "SLACK_BOT_TOKEN",
            "SLACK_APP_TOKEN",
            "SLACK_SIGNING_SECRET",
        ]
        client = WebClient(
            token=exports["SLACK_BOT_TOKEN"], base_url=exports["SLACK_API_URL"], retry_handlers=[]
        )
        assert client.auth_test()["team_id"] == "T01SANDBOX"

        assert program.stop() == 0
        assert program.err == ""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The built-in workspace alone, for a bot over HTTP: its address, the bot's, and the printed
    environment."""
    page, bot = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
    with started(tmp_path, "sandbox", "--http", bot, PORT=page.rpartition(":")[2]) as program:
        eventually(lambda: "SLACK_CLIENT_SECRET" in program.out, "the exports", program)
        exported = [line.removeprefix("  export ") for line in program.out.splitlines() if "export" in line]
        yield page, bot, dict(line.split("=", 1) for line in exported)


def acts(page: str, **deed: str) -> Any:
    """An action of somebody on the page."""
    body = json.dumps(deed | {"as": "U01CURATOR", "channel": "C01SUPEMEA"}).encode()
    return json.loads(fetch(f"{page}/_sandbox/act", body, Content_Type="application/json")[1])


def opens(url: str, **headers: str) -> tuple[Message, str]:
    """The headers and the body of one answer: a browser's step on a way of redirections."""
    where = urlsplit(url)
    connection = HTTPConnection(where.netloc, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", f"{where.path}?{where.query}", headers=headers)
        answer = connection.getresponse()
        return answer.headers, answer.read().decode()
    finally:
        connection.close()


def test_a_web_process_and_a_worker_are_reached_by_the_workspace(
    tmp_path: Path, served: tuple[str, str, dict[str, str]]
) -> None:
    page, bot, exports = served
    assert exports["PORT"] == bot.rpartition(":")[2]
    places.database(tmp_path).close()
    with started(tmp_path, "web", **exports) as web, started(tmp_path, "worker", **exports) as worker:
        eventually(lambda: fetch(f"{bot}/healthz")[0] == 200, "the web process answers", web)
        text = "/cadence rubric support-reply draft samples=2 passes=1 risky=1 a price was made up"
        assert acts(page, do="type", text=text)["ok"], (
            "carried out, even if a busy machine takes over 3 seconds"
        )
        sent = "SELECT count(*) FROM ledger WHERE kind = 'risky-grade' AND state = 'sent'"
        eventually(lambda: counted(tmp_path, sent) == 1, "the alert is sent", worker)


def test_the_bot_can_be_installed_in_the_workspace(
    tmp_path: Path, served: tuple[str, str, dict[str, str]]
) -> None:
    page, bot, exports = served
    del exports["SLACK_BOT_TOKEN"]
    with started(tmp_path, "web", **exports) as web:
        eventually(lambda: fetch(f"{bot}/healthz")[0] == 200, "the web process answers", web)
        asked, _ = opens(f"{bot}/slack/install")
        back, _ = opens(asked["Location"])
        _, said = opens(back["Location"], Cookie=asked["Set-Cookie"].partition(";")[0])
        assert_golden("\n".join(re.findall(r"<(?:h1|p)\b[^>]*>([^<]*)", said)), "installed")
        answered = {"ok": True, "failure": None}
        eventually(lambda: acts(page, do="type", text="/cadence help") == answered, "help is answered", web)


def test_where_the_bot_answers_has_to_be_an_address(tmp_path: Path) -> None:
    said = run(tmp_path, "sandbox", "--http", "localhost:3001")
    assert (said.returncode, said.stdout) == (2, "")
    assert_golden(said.stderr, "no-address")
