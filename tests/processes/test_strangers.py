"""Strangers on the network and a real `cadence web` with people working: idle connections, endless bodies."""

import gzip
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Thread
from urllib.parse import urlencode
from zlib import DEFLATED, compressobj

import pytest
from slack_sdk.signature import SignatureVerifier

from bot.api.otlp import PROTOBUF
from bot.ops.commands import BUILT_IN_TEAM
from bot.runtime.http_server import Limits
from cadence.flows.tokens import TokenGiven, draw_token, make_token
from storage.work import UnitOfWork
from tests.contexts import assert_golden
from tests.processes import places
from tests.processes.places import ROOM, now, slack, someone, tokens
from tests.processes.programs import Program, eventually, fetch, free_port, started

HEAD = b"POST /slack/events HTTP/1.1\r\nHost: bot.example.com\r\n"
PUSH = b"POST /api/v1/runs HTTP/1.1\r\nHost: bot.example.com\r\nContent-Type: application/json\r\n"
MEGABYTE = b"x" * 1_000_000
HELD = 200
TRICKLING = 64
QUICK_SECONDS = 1.0
"""Slack waits for three; a busy machine may take some of that."""


@dataclass
class Running:
    """A web process that answers."""

    web: Program
    port: int
    secret: str
    team: str
    scratch: Path
    token: str

    def command(self) -> tuple[int, float]:
        """The status of a signed slash command, and the seconds it took."""
        stamp = str(int(time.time()))
        fields = {"command": "/cadence", "text": "status", "user_id": "U01LEAD", "channel_id": ROOM}
        body = urlencode(fields | {"team_id": self.team, "trigger_id": str(time.monotonic_ns())})
        began = time.perf_counter()
        status, _ = fetch(
            f"http://127.0.0.1:{self.port}/slack/events",
            body.encode(),
            Content_Type="application/x-www-form-urlencoded",
            X_Slack_Request_Timestamp=stamp,
            X_Slack_Signature=SignatureVerifier(self.secret).generate_signature(timestamp=stamp, body=body)
            or "",
        )
        return status, time.perf_counter() - began

    def connect(self, sent: bytes) -> socket.socket:
        """A connection on which something was sent."""
        one = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        one.sendall(sent)
        return one

    def memory(self) -> int:
        """The bytes of memory it has."""
        status = Path(f"/proc/{self.web.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder, port = tmp_path_factory.mktemp("strangers"), free_port()
    scratch = folder / "scratch"
    scratch.mkdir()
    db = places.database(folder)
    drawn = draw_token(BUILT_IN_TEAM)
    given = TokenGiven("Help desk", "tool", ("write",), playbook="support-reply")
    make_token(UnitOfWork(db, someone("U01CURATOR", "token"), now()), given, drawn)
    db.close()
    with slack(socket_mode=False) as server:
        secret = server.workspace.app.signing_secret
        settings = tokens(server) | {
            "SLACK_SIGNING_SECRET": secret,
            "PORT": str(port),
            "TMPDIR": str(scratch),
        }
        with started(folder, "web", **settings) as web:
            url = f"http://127.0.0.1:{port}/api/v1/openapi.json"
            eventually(lambda: fetch(url)[0] == 200, "the web answers, and has loaded the API", web)
            yield Running(web, port, secret, server.workspace.team_id, scratch, drawn.text)
            assert web.stop() == 0
            assert "Traceback" not in web.err


def ended(connection: socket.socket) -> bytes:
    """All that the server says until it hangs up."""
    said = b""
    try:
        while piece := connection.recv(65_536):
            said += piece
    except ConnectionResetError:
        pass
    return said


@pytest.mark.long
def test_people_are_answered_quickly_while_strangers_hold_connections(running: Running) -> None:
    kinds = (
        b"",
        b"POST",
        HEAD,
        HEAD + b"Content-Length: 900000\r\n\r\nab",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\na",
    )
    assert running.command()[0] == 200
    with ExitStack() as open_:
        began = time.monotonic()
        held = [open_.enter_context(running.connect(kinds[at % len(kinds)])) for at in range(HELD)]
        answers = [running.command() for _ in range(20)]
        assert [status for status, _ in answers] == [200] * 20
        assert median(took for _, took in answers) < QUICK_SECONDS
        assert fetch(f"http://127.0.0.1:{running.port}/healthz") == (200, "ok\n")
        assert fetch(f"http://127.0.0.1:{running.port}/readyz")[0] == 200
        said = [ended(one) for one in held]
        assert time.monotonic() - began < Limits().header_seconds + Limits().body_seconds
    slow_bodies = [one for at, one in enumerate(said) if at % len(kinds) > 2]
    assert {one.split(b"\r\n")[0].split()[1] for one in slow_bodies} == {b"408"}
    assert {one for at, one in enumerate(said) if at % len(kinds) <= 2} == {b""}


@pytest.mark.long
def test_pushes_that_trickle_are_cut_off_while_people_are_answered(running: Running) -> None:
    head = PUSH + f"Authorization: Bearer {running.token}\r\nContent-Length: 900000\r\n\r\n".encode()
    assert running.command()[0] == 200
    with ExitStack() as open_:
        began = time.monotonic()
        held = [open_.enter_context(running.connect(head)) for _ in range(TRICKLING)]
        answers = []
        while time.monotonic() - began < Limits().body_seconds:
            for one in held:
                with suppress(OSError):
                    one.sendall(b" ")
            answers.append(running.command())
            time.sleep(0.5)
        assert {status for status, _ in answers} == {200}
        assert median(took for _, took in answers) < QUICK_SECONDS
        for one in held:
            ended(one)  # closed, with or without the answer arriving: bytes were still on their way
        assert time.monotonic() - began < Limits().body_seconds + 5


def test_packed_bodies_that_swell_are_refused_before_they_do(running: Running) -> None:
    running.command()
    before = running.memory()
    pack = compressobj(9, DEFLATED, 31)
    swelling = b"".join(pack.compress(MEGABYTE) for _ in range(1_000)) + pack.flush()
    empty = gzip.compress(b"\x0a\x00" * 990_000)
    for name, body in (("swelling", swelling), ("empty", empty)):
        began = time.monotonic()
        status, said = fetch(
            f"http://127.0.0.1:{running.port}/otlp/v1/logs",
            body,
            Authorization=f"Bearer {running.token}",
            Content_Type=PROTOBUF,
            Content_Encoding="gzip",
        )
        assert status == 422
        assert_golden(json.loads(said)["detail"], f"packed:{name}")
        assert time.monotonic() - began < 5
    assert running.memory() - before < 100_000_000


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"Content-Length: 300000000\r\n\r\n", MEGABYTE),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"f4240\r\n" + MEGABYTE + b"\r\n"),
    ],
    ids=["length", "chunks"],
)
def test_a_body_without_end_is_refused_before_it_is_kept(running: Running, head: bytes, piece: bytes) -> None:
    before = running.memory()
    refused: list[int] = []

    def pour() -> None:
        """Send 300 MB, or as much as is taken."""
        with running.connect(HEAD + head) as one:
            for count in range(300):
                try:
                    one.sendall(piece)
                except OSError:
                    refused.append(count)
                    return

    pouring = [Thread(target=pour) for _ in range(8)]
    for one in pouring:
        one.start()
    status, took = running.command()
    for one in pouring:
        one.join(60)
    assert (status, took < 3) == (200, True)
    assert len(refused) == 8
    assert max(refused) < 30  # what the system's buffers hold, at most
    assert list(running.scratch.iterdir()) == []
    assert running.memory() - before < 60_000_000


def test_the_refusal_comes_without_waiting_for_the_body(running: Running) -> None:
    with running.connect(HEAD + b"Content-Length: 300000000\r\n\r\n") as one:
        assert ended(one).startswith(b"HTTP/1.1 413")
