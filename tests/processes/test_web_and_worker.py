"""`cadence web` and `cadence worker` as processes of their own on one SQLite file."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_sdk.signature import SignatureVerifier

from bot.sandbox.delivery import SignedHttp
from bot.sandbox.server import SandboxServer
from cadence.rules.tokens import parse_token
from templates.ids import Callback
from tests.contexts import assert_golden
from tests.processes import places
from tests.processes.places import CURATORS, ROOM, counted, posted, slack, tokens
from tests.processes.programs import Program, eventually, fetch, free_port, run, started
from tests.scenarios.machines.asking import Tool
from tests.scenarios.plays import says
from tests.scenarios.tokens.making import made_token

PUSHED = 'cadence_pushes_total{outcome="recorded",path="exceptions"} 1.0'
"""The counter of a pushed exception."""


@dataclass
class Running:
    """A web process that answers, and the settings it has in common with the workers."""

    folder: Path
    server: SandboxServer
    web: Program
    url: str
    settings: dict[str, str]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder, port = tmp_path_factory.mktemp("http"), free_port()
    places.database(folder).close()
    with slack(socket_mode=False) as server:
        secret = server.workspace.app.signing_secret
        settings = tokens(server) | {"SLACK_SIGNING_SECRET": secret, "PORT": str(port)}
        settings["CADENCE_LOG_FORMAT"] = "json"
        with started(folder, "web", **settings) as web:
            url = f"http://127.0.0.1:{port}"
            eventually(lambda: fetch(f"{url}/healthz")[0] == 200, "the web process answers", web)
            server.workspace.connect(SignedHttp(f"{url}/slack/events", secret))
            yield Running(folder, server, web, url, settings)


def status_command(running: Running, *, secret: str, at: int) -> int:
    """The HTTP status of a slash command signed with a secret at an instant."""
    fields = {"command": "/cadence", "text": "status", "user_id": "U01LEAD", "channel_id": ROOM}
    body = urlencode(fields | {"team_id": running.server.workspace.team_id, "trigger_id": f"t{at}"})
    signature = SignatureVerifier(secret).generate_signature(timestamp=str(at), body=body)
    return fetch(
        f"{running.url}/slack/events",
        body.encode(),
        Content_Type="application/x-www-form-urlencoded",
        X_Slack_Request_Timestamp=str(at),
        X_Slack_Signature=signature or "",
    )[0]


def test_only_requests_that_slack_signed_just_now_are_taken(running: Running) -> None:
    now, secret = int(time.time()), running.settings["SLACK_SIGNING_SECRET"]
    assert status_command(running, secret=secret, at=now) == 200
    assert status_command(running, secret="somebody else's", at=now) == 401
    assert status_command(running, secret=secret, at=now - 600) == 401
    assert fetch(f"{running.url}/slack/events", b"{}")[0] == 401
    assert fetch(f"{running.url}/slack/events")[0] == 405


def test_health_readiness_and_figures(running: Running) -> None:
    assert fetch(f"{running.url}/healthz") == (200, "ok\n")
    status, body = fetch(f"{running.url}/readyz")
    assert (status, body.splitlines()[0]) == (200, "database: ok"), body
    running.server.workspace.person("U01LEAD").types("/cadence", "help", channel=ROOM)
    figures = fetch(f"{running.url}/metrics")[1]
    assert 'kind="/cadence",outcome="ok"' in figures
    assert fetch(f"{running.url}/nothing/here")[0] == 404


def sent(folder: Path) -> int:
    """How many alerts the ledger says were sent."""
    return counted(folder, "SELECT count(*) FROM ledger WHERE kind = 'demoted' AND state = 'sent'")


def lines(program: Program) -> list[dict[str, Any]]:
    """What a process logged, a line of JSON each; nothing that anybody wrote, and no secret, is in it."""
    for private in ("price was made up", "name was wrong", "xoxb-", "xapp-"):
        assert private not in program.err
    return [json.loads(line) for line in program.err.splitlines()]


def _headline(answer: str) -> str:
    """The line with the mark, which doesn't depend on the day."""
    [line] = [line for line in answer.splitlines() if line.startswith("🔴")]
    return line


def traced(web: Program, worker: Program, kind: str) -> int:
    """How many messages the worker's log says were sent because of what the web's log says was answered."""
    answered = [one for one in lines(web) if one["event"] == "answered" and one["kind"] == kind]
    assert [(one["outcome"], one["level"]) for one in answered] == [("ok", "info")]
    assert answered[0]["milliseconds"] > 0
    cause = answered[0]["correlation_id"]
    sent = [one for one in lines(worker) if one["event"] == "message sent"]
    return len([one for one in sent if one["correlation_id"] == cause and one["key"] and one["kind"]])


def test_the_web_process_answers_the_worker_sends_and_a_second_worker_takes_over(running: Running) -> None:
    owner, server, port = running.server.workspace.person("U01LEAD"), running.server, str(free_port())
    with (
        started(running.folder, "worker", **running.settings, CADENCE_WORKER_PORT=port) as first,
        started(running.folder, "worker", **running.settings) as second,
    ):
        eventually(lambda: "working" in first.err + second.err, "one of them works", first)
        eventually(lambda: "waiting" in first.err + second.err, "the other waits", second)
        eventually(lambda: fetch(f"http://127.0.0.1:{port}/readyz")[0] == 200, "its health is told", first)
        assert "cadence_ledger_messages" in fetch(f"http://127.0.0.1:{port}/metrics")[1]
        working, waiting = (second, first) if "waiting" in first.err else (first, second)
        answer = says(owner, "/exception send critical a price was made up", channel=ROOM)
        assert_golden(_headline(answer), "critical:send")
        eventually(lambda: sent(running.folder) == 2, "the alerts are sent", working)
        assert [len(posted(server, room, "demoted")) for room in (ROOM, CURATORS)] == [1, 1]
        assert "working" not in waiting.err
        eventually(
            lambda: traced(running.web, working, Callback.EXCEPTION) == 2, "its log says so too", working
        )

        working.kill()
        answer = says(owner, "/exception draft critical a name was wrong", channel=ROOM)
        assert_golden(_headline(answer), "critical:draft")
        eventually(lambda: sent(running.folder) == 4, "the next alerts are sent", waiting)
        assert [len(posted(server, room, "demoted")) for room in (ROOM, CURATORS)] == [2, 2]
        assert waiting.stop() == 0
        assert "Traceback" not in waiting.err


def too_large(running: Running, tool: Tool) -> tuple[int, str]:
    """The status and type of the answer to a body that is announced as too large; it is answered unread."""
    connection = HTTPConnection(running.url.removeprefix("http://"), timeout=30)
    headers = {"Authorization": f"Bearer {tool.token}", "Content-Length": "2000001"}
    with closing(connection):
        connection.request("POST", "/api/v1/runs", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers["content-type"]


def api_answers(running: Running) -> None:
    """Wait until the process has loaded the API, which takes a while on a busy machine."""
    eventually(lambda: fetch(f"{running.url}/api/v1/openapi.json")[0] == 200, "the API answers", running.web)


def test_a_tool_reports_to_the_web_process_with_a_token_made_in_slack(running: Running) -> None:
    api_answers(running)
    running.server.workspace.person("U01LEAD").types(
        "/cadence", "help", channel=ROOM
    )  # what is slow the first time
    tool = Tool(running.url, made_token(running.server, "U01LEAD", playbook="support-reply"))
    answer = tool.push("exceptions", {"id": "t-1", "step": "draft", "reason": "a price was made up"})
    assert answer.outcomes == [("recorded", "")]
    assert fetch(f"{running.url}/api/v1/openapi.json")[0] == 200
    assert PUSHED in fetch(f"{running.url}/metrics")[1].splitlines()
    assert too_large(running, tool) == (413, "application/problem+json")
    held = parse_token(tool.token)
    assert held
    assert held.secret not in running.web.err + running.web.out


def _about_the_api(told: str, running: Running) -> str:
    """The doctor's findings on the API."""
    lines = told.replace(running.url, "URL").splitlines()
    return "\n".join(line for line in lines if "API" in line)


def test_the_doctor_reads_the_api_at_the_public_address(running: Running) -> None:
    api_answers(running)
    told = run(running.folder, "doctor", **running.settings, CADENCE_PUBLIC_URL=running.url).stdout
    assert_golden(_about_the_api(told, running), "doctor:reached")
    nobody = run(
        running.folder, "doctor", **running.settings, CADENCE_PUBLIC_URL=f"{running.url}/elsewhere"
    ).stdout
    assert_golden(_about_the_api(nobody, running), "doctor:not-there")


def test_the_web_process_stops_when_asked(running: Running) -> None:
    assert running.web.stop() == 0
    assert "Traceback" not in running.web.err
    assert running.settings["SLACK_BOT_TOKEN"] not in running.web.err
    assert fetch(f"{running.url}/healthz")[0] == 0
