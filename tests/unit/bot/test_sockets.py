"""Socket Mode: a connection that is open and dead is noticed, and another one is opened."""

import base64
import hashlib
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.delivery.gateway import SlackError
from bot.rehearsal.harness import BotHarness
from bot.runtime.socket_mode import SlackSocket
from bot.sandbox.errors import SlackError as Trouble
from bot.sandbox.server import SandboxServer
from tests.processes.programs import eventually

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@contextmanager
def dead_end() -> Iterator[str]:
    """A WebSocket server that shakes hands and then is silent, even after a ping."""
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
def slack(harness: BotHarness) -> Iterator[SandboxServer]:
    """The harness's workspace, reached over Socket Mode."""
    with SandboxServer(harness.workspace, socket_mode=True) as server:
        yield server


def link_of(harness: BotHarness, server: SandboxServer, *, token: str = "", **timing: Any) -> SlackSocket:
    app = harness.workspace.app
    client = WebClient(token=app.token, base_url=server.api_url, retry_handlers=[])
    return SlackSocket(harness.bot.app, token or app.app_token, web_client=client, **timing)


def trouble() -> str:
    raise Trouble("internal_error")


def test_a_connection_that_was_dead_from_its_first_second_is_replaced(
    harness: BotHarness, slack: SandboxServer
) -> None:
    assert slack.sockets is not None
    alive = slack.sockets.new_url
    with dead_end() as nowhere:
        urls = [nowhere]
        harness.workspace.socket_url = lambda: urls.pop() if urls else alive()
        link = link_of(harness, slack, ping=0.2, stale=1.0)
        link.open()
        try:
            assert not link.heard().ok
            eventually(lambda: link.heard().ok, "another connection is opened")
            assert link.heard().restarts == 1
            assert slack.sockets.connected == 1
            answer = harness.workspace.person("U01LEAD").types("/cadence", "help", channel="C01SUPEMEA")
            assert answer.failure is None
        finally:
            link.close()


def test_a_connection_that_is_well_is_left_alone(harness: BotHarness, slack: SandboxServer) -> None:
    assert slack.sockets is not None
    link = link_of(harness, slack, ping=0.1, stale=1.0)
    link.open()
    try:
        eventually(lambda: link.heard().ok, "Slack is heard")
        time.sleep(1.5)
        assert (link.heard().ok, link.heard().restarts, slack.sockets.connected) == (True, 0, 1)
    finally:
        link.close()


def test_while_no_other_connection_can_be_had_it_is_not_ready_and_goes_on_trying(
    harness: BotHarness, slack: SandboxServer
) -> None:
    now = [0.0]
    assert slack.sockets is not None
    with dead_end() as nowhere:
        harness.workspace.socket_url = lambda: nowhere
        link = link_of(harness, slack, ping=60, stale=30, timer=lambda: now[0])
        link.open()
        try:
            harness.workspace.socket_url = trouble
            now[0] = 31
            link.look()
            assert (link.heard().ok, link.heard().restarts) == (False, 0)
            harness.workspace.socket_url = slack.sockets.new_url
            now[0] = 60
            link.look()
            assert link.heard().restarts == 0, "it tried a moment ago"
            now[0] = 62
            link.look()
            eventually(lambda: link.heard().ok, "another connection is opened")
            assert link.heard().restarts == 1
        finally:
            link.close()


def test_an_app_token_that_is_not_good_is_said_at_once(harness: BotHarness, slack: SandboxServer) -> None:
    link = link_of(harness, slack, token="xapp-nobodys")
    with pytest.raises(SlackError):
        link.open()
    link.close()


class Overtaken:
    """The lock of a session, taken just after another thread closed the same socket."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.waited = 0

    def __enter__(self) -> None:
        self.waited += 1
        if self._session.sock is not None:
            self._session.sock.close()
            self._session.sock = None

    def __exit__(self, *_: object) -> None:
        pass


def test_a_stop_while_the_sdk_drops_a_stale_socket_is_quiet(
    harness: BotHarness, slack: SandboxServer
) -> None:
    assert slack.sockets is not None
    link = link_of(harness, slack)
    link.open()
    assert link.handler is not None
    client = link.handler.client
    lock = client.current_session.sock_send_lock = Overtaken(client.current_session)  # type: ignore[union-attr]
    link.close()
    assert lock.waited
    assert not client.current_app_monitor.is_alive(), "every thread of the connection has ended"
    assert not client.message_processor.is_alive()
    assert not client.current_session_runner.is_alive()
    eventually(lambda: slack.sockets is not None and slack.sockets.connected == 0, "Slack sees it leave")


def test_a_reconnect_that_is_under_way_does_not_outlive_the_stop(
    harness: BotHarness, slack: SandboxServer
) -> None:
    assert slack.sockets is not None
    link = link_of(harness, slack)
    link.open()
    assert link.handler is not None
    client = link.handler.client
    asked, go_on = Event(), Event()
    alive = slack.sockets.new_url

    def slowly() -> str:
        asked.set()
        assert go_on.wait(5)
        return alive()

    harness.workspace.socket_url = slowly
    Thread(target=client.connect_to_new_endpoint, kwargs={"force": True}, daemon=True).start()
    assert asked.wait(5)
    closing = Thread(target=link.close)
    closing.start()
    go_on.set()
    closing.join(10)
    assert not closing.is_alive()
    assert not client.is_connected()
    eventually(lambda: slack.sockets is not None and slack.sockets.connected == 0, "no connection is left")
