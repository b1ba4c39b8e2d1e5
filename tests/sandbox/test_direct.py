"""An app in the workspace's own process calls it without a socket, and gets the same answers."""

from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.error import URLError

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from bot.sandbox import Fault, FaultPlan, FaultRates, SandboxServer, Workspace


class Connected(Exception):
    """A socket was used."""


@pytest.fixture
def near(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    def connect(_connection: HTTPConnection) -> None:
        raise Connected

    with SandboxServer(workspace, in_process=True) as running:
        monkeypatch.setattr(HTTPConnection, "connect", connect)
        yield running


def caller(server: SandboxServer) -> WebClient:
    return WebClient(token=server.workspace.app.token, base_url=server.api_url, retry_handlers=[])


def test_a_message_is_posted_and_read(near: SandboxServer) -> None:
    client = caller(near)
    posted = client.chat_postMessage(channel="C01SUPEMEA", text="Hello & <welcome> 👋")
    assert posted.status_code == 200
    read = client.conversations_history(channel="C01SUPEMEA", limit=1)
    assert read["messages"][0]["ts"] == posted["ts"]
    assert "👋" in read["messages"][0]["text"]


def test_a_file_is_uploaded(near: SandboxServer) -> None:
    told = caller(near).files_upload_v2(channel="C01SUPEMEA", content=b"a,b\n1,2\n", filename="rows.csv")
    assert near.workspace.files.get(told["file"]["id"]).length == 8


def test_a_refusal_is_the_same_error(near: SandboxServer) -> None:
    with pytest.raises(SlackApiError) as refused:
        caller(near).chat_postMessage(channel="C0NOWHERE", text="Hello")
    assert refused.value.response["error"] == "channel_not_found"


def test_an_error_has_its_status(near: SandboxServer) -> None:
    assert WebhookClient(f"{near.url}/hooks/response/nobody").send(text="Hello").status_code == 404


def test_its_other_pages_come_over_http(near: SandboxServer) -> None:
    with pytest.raises(Connected):
        WebhookClient(f"{near.url}/_sandbox/state").send(text="Hello")


def test_faults_concern_connections_so_they_come_over_http(near: SandboxServer) -> None:
    near.faults = FaultPlan({"*": FaultRates({Fault.RESET: 1.0})})
    with pytest.raises(Connected):
        caller(near).auth_test()


def test_once_stopped_it_is_gone(workspace: Workspace) -> None:
    with SandboxServer(workspace, in_process=True) as running:
        client = caller(running)
        assert client.auth_test()["ok"]
    with pytest.raises(URLError):
        client.auth_test()
