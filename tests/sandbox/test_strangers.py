"""Connections that never ask and bodies without end: the built-in workspace goes on answering."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bot.sandbox import server as module
from bot.sandbox.server import SandboxServer
from bot.sandbox.workspace import Workspace
from tests.processes.programs import eventually, fetch

LIMIT = 100_000


@pytest.fixture
def server(workspace: Workspace) -> Iterator[SandboxServer]:
    with SandboxServer(workspace) as running:
        yield running


def connect(server: SandboxServer, sent: bytes) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=30)
    one.sendall(sent)
    return one


def test_connections_without_a_request_are_bounded(
    server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_SILENT", 20)
    before = threading.active_count()
    with ExitStack() as open_:
        held = [open_.enter_context(connect(server, (b"", b"GET / HT")[at % 2])) for at in range(120)]
        assert fetch(f"{server.url}/api/api.test", b"")[0] == 200
        assert held[0].recv(10) == b""
        eventually(lambda: threading.active_count() <= before + 20, "threads have ended")


@pytest.mark.parametrize("sent", [b"", b"POST /api/api.test HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
def test_who_does_not_ask_in_time_is_hung_up_on(
    server: SandboxServer, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(module, "REQUEST_SECONDS", 0.2)
    with connect(server, sent) as one:
        assert one.recv(10) == b""


class Endless(BytesIO):
    """A body that doesn't end; counts what was read of it."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert 0 < size <= LIMIT
        self.taken += size
        return b"x" * size

    def readinto(self, buffer: Any) -> int:
        buffer[:] = self.read(len(buffer))
        return len(buffer)


@pytest.mark.parametrize(
    "path", ["/api/chat.postMessage", "/upload/secret", "/_sandbox/act", "/hooks/response/x"]
)
def test_no_more_of_a_body_is_read_than_an_upload_may_have(
    server: SandboxServer, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UPLOAD_BYTES", LIMIT)
    body = Endless()
    environ = EnvironBuilder(
        path, method="POST", base_url="http://127.0.0.1", content_type="application/json"
    )
    asked = environ.get_environ() | {"wsgi.input": body, "wsgi.input_terminated": True}
    _, status, _ = run_wsgi_app(server.wsgi, asked)
    assert status[0] == "4" or path.startswith("/api")  # the Web API refuses with a 200
    assert body.taken <= LIMIT
