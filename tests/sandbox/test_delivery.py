"""Three ways to the app, and faults on the way back."""

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from threading import Event
from typing import Any
from urllib.error import URLError
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.sandbox import Fault, FaultPlan, FaultRates, SandboxServer, SignedHttp, Workspace, build_workspace
from tests.sandbox.fake_app import FakeApp

CHANNEL = "C01SUPEMEA"


class Listener:
    """A Socket Mode client that acks at once, with a payload for commands."""

    def __init__(self, server: SandboxServer) -> None:
        self.workspace = server.workspace
        app = server.workspace.app
        web = WebClient(token=app.token, base_url=server.api_url)
        self.seen: list[SocketModeRequest] = []
        self.silent = False
        quiet = logging.getLogger("quiet")
        quiet.disabled = True
        self.client = SocketModeClient(app.app_token, web_client=web, logger=quiet, ping_interval=0.2)
        self.client.socket_mode_request_listeners.append(self._take)

    def _take(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        self.seen.append(request)
        if not self.silent:
            payload = {"text": f"got {request.payload['text']}"} if request.type == "slash_commands" else None
            client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload))


@pytest.fixture(scope="module")
def linked() -> Iterator[Listener]:
    """One connected client for all tests: the SDK takes a second to hang up."""
    workspace = build_workspace(members=[{"id": "U01LEAD"}])
    with SandboxServer(workspace, socket_mode=True) as server:
        found = Listener(server)
        connected = Event()
        assert server.sockets is not None
        server.sockets.on_connect = connected.set
        found.client.connect()
        assert connected.wait(5)
        yield found
        # The client waits up to 3 s for a last word when it hangs up first: so the server does.
        found.client.auto_reconnect_enabled = False
        server.sockets.disconnect(reason=None)
        with suppress(AttributeError):  # the SDK races with itself when both ends hang up
            found.client.disconnect()
        found.client.close()


@pytest.fixture
def listener(linked: Listener) -> Listener:
    linked.seen.clear()
    linked.silent = False
    return linked


def test_socket_mode_there_and_back(listener: Listener) -> None:
    answer = listener.workspace.person("U01LEAD").types("/kpi 14m")
    assert (answer.text, answer.failure) == ("got 14m", None)
    listener.workspace.change_user("U01LEAD", tz="Asia/Tokyo")
    assert [request.type for request in listener.seen] == ["slash_commands", "events_api"]
    assert listener.seen[1].payload["event"]["type"] == "user_change"


def test_socket_mode_times_out(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    listener.silent = True
    monkeypatch.setattr(listener.workspace.delivery, "seconds", 0.05)
    answer = listener.workspace.person("U01LEAD").types("/kpi 14m")
    assert answer.text == '/kpi failed with the error "operation_timeout"'


def test_socket_mode_asks_to_reconnect(listener: Listener) -> None:
    sockets: Any = listener.workspace.delivery
    again = Event()
    sockets.on_connect = again.set
    sockets.disconnect()
    assert again.wait(5)
    assert listener.workspace.person("U01LEAD").types("/kpi 2").text == "got 2"


def test_a_ticket_is_good_for_one_connection(workspace: Workspace) -> None:
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    with SandboxServer(workspace, socket_mode=True) as server:
        assert server.sockets is not None
        url = server.sockets.new_url()
        with connect(url, proxy=None) as first:
            assert json.loads(first.recv())["type"] == "hello"
            with connect(url, proxy=None) as second, pytest.raises(ConnectionClosed):
                second.recv()
        assert workspace.person("U01LEAD").types("/kpi").failure == "dispatch_failed"


def test_signed_http(workspace: Workspace, app: FakeApp, server: SandboxServer) -> None:
    def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
        headers = {
            key[5:].lower().replace("_", "-"): value
            for key, value in environ.items()
            if key.startswith("HTTP_")
        }
        status, said = app(body, headers | {"content-type": environ["CONTENT_TYPE"]})
        start_response(f"{status} x", [("content-type", "text/plain")])
        return [said.encode()]

    app.on["/kpi"] = lambda payload: "over HTTP"
    with SandboxServer(workspace, fallback=wsgi) as bot:
        workspace.connect(SignedHttp(f"{bot.url}/slack/events", workspace.app.signing_secret))
        assert workspace.person("U01LEAD").types("/kpi").text == "over HTTP"
        app.status = 503
        assert workspace.person("U01LEAD").types("/kpi").failure == "dispatch_failed"
        held = Event()
        app.on["/slow"] = lambda payload: held.wait(2) and None
        workspace.connect(SignedHttp(f"{bot.url}/slack/events", workspace.app.signing_secret, seconds=0.05))
        assert workspace.person("U01LEAD").types("/slow").failure == "operation_timeout"
        held.set()
    workspace.connect(SignedHttp("http://127.0.0.1:9/slack/events", workspace.app.signing_secret))
    assert workspace.person("U01LEAD").types("/kpi").failure == "dispatch_failed"
    with pytest.raises(ValueError, match="http"):
        SignedHttp("file:///etc/passwd", "x")


def plan(fault: Fault, rate: float = 1.0) -> FaultPlan:
    return FaultPlan(
        {"chat.postMessage": FaultRates({fault: rate})}, seed=1, slow_seconds=0.01, late_seconds=0.01
    )


@pytest.mark.parametrize(
    ("fault", "error", "posted"),
    [
        (Fault.RATE_LIMIT, SlackApiError, 0),
        (Fault.SERVER_ERROR, SlackApiError, 0),
        (Fault.BAD_GATEWAY, SlackApiError, 0),
        (Fault.DROPPED, (URLError, ConnectionError), 1),
        (Fault.RESET, (URLError, ConnectionError), 0),
        (Fault.SLOW, None, 1),
        (Fault.LATE, (URLError, ConnectionError), 1),
    ],
)
def test_faults(
    workspace: Workspace, server: SandboxServer, client: WebClient, fault: Fault, error: Any, posted: int
) -> None:
    server.faults = plan(fault)
    if error is None:
        client.chat_postMessage(channel=CHANNEL, text="a")
    else:
        with pytest.raises(error):
            client.chat_postMessage(channel=CHANNEL, text="a")
    assert workspace.wait_until(lambda: len(workspace.history(CHANNEL)) == posted, 60)
    assert client.auth_test()["ok"]
    assert server.faults.struck == [("chat.postMessage", fault)]


def test_the_same_seed_gives_the_same_faults() -> None:
    drawn = [
        [plan.draw("chat.postMessage") for _ in range(50)]
        for plan in (plan(Fault.RESET, 0.4), plan(Fault.RESET, 0.4))
    ]
    assert drawn[0] == drawn[1]
    assert {None, Fault.RESET} == set(drawn[0])
    with pytest.raises(ValueError, match="add up to 1"):
        FaultRates({Fault.RESET: 0.7, Fault.SLOW: 0.7})
