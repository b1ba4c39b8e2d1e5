"""A workspace with three members and two channels, served, with a tiny app in it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from slack_sdk import WebClient

from bot.sandbox import AppIdentity, InProcess, SandboxClock, SandboxServer, Workspace, build_workspace
from tests.sandbox.fake_app import FakeApp

START = datetime(2026, 12, 3, 9, 0, tzinfo=UTC)


@pytest.fixture
def workspace() -> Workspace:
    return build_workspace(
        clock=SandboxClock(START, frozen=True),
        app=AppIdentity(name="Cadence"),
        members=[
            {
                "id": "U01LEAD",
                "name": "lead",
                "real_name": "Lea Lead",
                "tz": "Europe/Berlin",
                "is_admin": True,
            },
            {"id": "U01AGENT1", "name": "agent.one", "tz": "America/New_York"},
            {"id": "U01GONE", "name": "gone", "deleted": True},
        ],
        channels=[
            {"id": "C01SUPEMEA", "name": "support-emea", "members": ["U01LEAD", "U01AGENT1"]},
            {"id": "C01PRIV", "name": "private", "members": ["U01LEAD"], "private": True, "bot": False},
            {"id": "C01OPEN", "name": "open", "members": ["U01LEAD"], "bot": False},
            {"id": "C01OLD", "name": "old", "members": ["U01LEAD"], "archived": True},
        ],
    )


@pytest.fixture
def server(workspace: Workspace) -> Iterator[SandboxServer]:
    with SandboxServer(workspace) as running:
        yield running


@pytest.fixture
def client(server: SandboxServer) -> WebClient:
    return WebClient(token=server.workspace.app.token, base_url=server.api_url, retry_handlers=[])


@pytest.fixture
def app(workspace: Workspace, client: WebClient) -> FakeApp:
    fake = FakeApp(client, workspace.app.signing_secret)
    workspace.connect(InProcess(fake, workspace.app.signing_secret))
    return fake
