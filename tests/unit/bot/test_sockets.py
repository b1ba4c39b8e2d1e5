"""Socket Mode: a connection that is open and dead is noticed, and another one is opened."""

import base64
import hashlib
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.gateway import SlackError
from bot.sandbox.errors import SlackError as Trouble
from bot.sandbox.server import SandboxServer
from bot.sockets import SlackSocket
from bot.stage import Stage
from tests.processes.programs import eventually

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@contextmanager
def dead_end() -> Iterator[str]:
    """A WebSocket server that shakes hands and then never says another word, not even to a ping."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            held.append(connection)
            key = re.search(rb"Sec-WebSocket-Key: (\S+)", connection.recv(4096))
            token = base64.b64encode(hashlib.sha1((key[1] if key else b"") + GUID.encode()).digest())
            connection.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + token + b"\r\n\r\n"
            )

    Thread(target=accept, daemon=True).start()
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/link"
    finally:
        listener.close()
        for connection in held:
            connection.close()


@pytest.fixture
def slack(stage: Stage) -> Iterator[SandboxServer]:
    """The stage's workspace, reached over Socket Mode."""
    with SandboxServer(stage.workspace, socket_mode=True) as server:
        yield server


def link_of(stage: Stage, server: SandboxServer, *, token: str = "", **timing: Any) -> SlackSocket:
    app = stage.workspace.app
    client = WebClient(token=app.token, base_url=server.api_url, retry_handlers=[])
    return SlackSocket(stage.bot.app, token or app.app_token, web_client=client, **timing)


def trouble() -> str:
    raise Trouble("internal_error")


def test_a_connection_that_was_dead_from_its_first_second_is_replaced(
    stage: Stage, slack: SandboxServer
) -> None:
    assert slack.sockets is not None
    alive = slack.sockets.new_url
    with dead_end() as nowhere:
        urls = [nowhere]
        stage.workspace.socket_url = lambda: urls.pop() if urls else alive()
        link = link_of(stage, slack, ping=0.2, stale=1.0)
        link.open()
        try:
            assert not link.heard().ok
            eventually(lambda: link.heard().ok, "another connection is opened")
            assert link.heard().restarts == 1
            assert slack.sockets.connected == 1
            answer = stage.workspace.person("U01LEAD").types("/cadence", "help", channel="C01SUPEMEA")
            assert answer.failure is None
        finally:
            link.close()


def test_a_connection_that_is_well_is_left_alone(stage: Stage, slack: SandboxServer) -> None:
    assert slack.sockets is not None
    link = link_of(stage, slack, ping=0.1, stale=1.0)
    link.open()
    try:
        eventually(lambda: link.heard().ok, "Slack is heard")
        time.sleep(1.5)
        assert (link.heard().ok, link.heard().restarts, slack.sockets.connected) == (True, 0, 1)
    finally:
        link.close()


def test_while_no_other_connection_can_be_had_it_is_not_ready_and_goes_on_trying(
    stage: Stage, slack: SandboxServer
) -> None:
    now = [0.0]
    assert slack.sockets is not None
    with dead_end() as nowhere:
        stage.workspace.socket_url = lambda: nowhere
        link = link_of(stage, slack, ping=60, stale=30, timer=lambda: now[0])
        link.open()
        try:
            stage.workspace.socket_url = trouble
            now[0] = 31
            link.look()
            assert (link.heard().ok, link.heard().restarts) == (False, 0)
            stage.workspace.socket_url = slack.sockets.new_url
            now[0] = 60
            link.look()
            assert link.heard().restarts == 0, "it tried a moment ago"
            now[0] = 62
            link.look()
            eventually(lambda: link.heard().ok, "another connection is opened")
            assert link.heard().restarts == 1
        finally:
            link.close()


def test_an_app_token_that_is_not_good_is_said_at_once(stage: Stage, slack: SandboxServer) -> None:
    link = link_of(stage, slack, token="xapp-nobodys")
    with pytest.raises(SlackError):
        link.open()
    link.close()
