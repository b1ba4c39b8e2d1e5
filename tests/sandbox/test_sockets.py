"""Sockets: what the workspace does with a client that leaves at the worst moment."""

from collections.abc import Iterator

import pytest
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection

from bot.sandbox.sockets import Sockets
from tests.processes.programs import eventually


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    """Sockets that listen."""
    listening = Sockets("A1")
    listening.start()
    yield listening
    listening.stop()


def test_a_client_that_leaves_before_the_hello_is_not_counted(
    sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, attempts = ServerConnection.send, []

    def send_once_it_left(connection: ServerConnection, text: str) -> None:
        connection.recv_events_thread.join(10)
        attempts.append(text)
        send(connection, text)

    monkeypatch.setattr(ServerConnection, "send", send_once_it_left)
    with connect(sockets.new_url()):
        eventually(lambda: sockets.connected == 1, "the workspace admits the client")
    eventually(lambda: bool(attempts), "the workspace tries to send its hello")
    eventually(lambda: sockets.connected == 0, "the workspace forgets the client")
