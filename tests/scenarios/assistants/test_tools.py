"""Assistants over MCP, with the SDK's own client: every tool, for every role."""

import asyncio
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from bot.assistants import tools
from bot.rehearsal.harness import BotHarness
from storage import patience
from storage.queries import tokens as token_rows
from storage.tables import ApiToken, CheckIn, LoggedException, Reading
from templates.contexts.history import Trace
from tests.contexts import assert_golden, shown
from tests.harnesses import bot_harness
from tests.scenarios.failures.test_database_busy import held
from tests.scenarios.machines.asking import without_parser
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, InCycle, entries, rows
from tests.scenarios.tokens.making import made_token

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult

AGENT, OWNER, CURATOR = "U01AGENT1", "U01LEAD", "U01CURATOR"
OTHER_TEAM = "U01AGENT2"
BROADCAST = "<!channel"
"""How a mention of everybody in a channel begins."""
TOOLS: dict[str, dict[str, Any]] = {
    "status": {},
    "why": {"step": "send"},
    "digest": {},
    "check_in": {"answered": "as-planned", "runs": 9},
    "report_kpi": {"value": "12m"},
    "log_exception": {"step": "send", "reason": "tone was off"},
}
REFUSED = {
    AGENT: frozenset({"digest"}),
    OWNER: frozenset({"digest"}),
    CURATOR: frozenset({"check_in"}),
    OTHER_TEAM: frozenset(TOOLS) - {"status"},  # it says that their teams don't run a playbook yet
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of week 1, the check-ins were sent."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-05 12:00")
    ) as harness:
        yield harness


def token(desk: BotHarness, member: str, *scopes: str) -> str:
    """A person's token for their assistant, made in Slack."""
    return made_token(desk, member, use="assistant", scopes=scopes or ("read", "write"))


def talk(desk: BotHarness, sent: str, say: "Callable[[Client], Any]") -> Any:
    """Say something as the SDK's client, over HTTP."""
    from mcp import Client  # slow to import
    from mcp.client.streamable_http import streamable_http_client

    async def spoken() -> Any:
        url = f"{desk.server.url}/mcp"
        http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {sent}"}, timeout=30)
        async with http, Client(streamable_http_client(url, http_client=http)) as client:
            return await say(client)

    with ThreadPoolExecutor(1) as thread:  # a browser keeps a loop running in the main thread of its worker
        return thread.submit(asyncio.run, spoken()).result()


def ask(desk: BotHarness, member: str, tool: str, /, **given: Any) -> "CallToolResult":
    """Call one tool as a person, with a token of its own."""
    number = len(rows(desk, ApiToken))
    made = made_token(desk, member, name=f"Assistant {number}", use="assistant", scopes=("read", "write"))
    result: CallToolResult = talk(desk, made, lambda client: client.call_tool(tool, given))
    return result


def text(result: "CallToolResult") -> str:
    return "\n".join(one.text for one in result.content if one.type == "text")


@pytest.mark.parametrize("member", REFUSED)
def test_every_tool_follows_the_rights_of_its_person(desk: BotHarness, member: str) -> None:

    async def every(client: "Client") -> "dict[str, CallToolResult]":
        return {tool: await client.call_tool(tool, given) for tool, given in TOOLS.items()}

    results = talk(desk, token(desk, member), every)
    assert {tool for tool, result in results.items() if result.is_error} == REFUSED[member]
    assert all(text(result) for result in results.values())
    changed = len(TOOLS) - len({"status", "why", "digest"} | REFUSED[member])
    assert len(rows(desk, CheckIn) + rows(desk, Reading) + rows(desk, LoggedException)) == changed


def test_people_have_names_for_readers_outside_of_slack(desk: BotHarness) -> None:
    refused = text(ask(desk, AGENT, "digest"))
    assert desk.workspace.user(CURATOR).real_name in refused
    assert_golden(refused, "refused-digest")


def test_tools_describe_themselves(desk: BotHarness) -> None:
    listed = talk(desk, token(desk, AGENT), lambda client: client.list_tools()).tools
    assert {tool.name for tool in listed} == set(TOOLS)
    assert {tool.name for tool in listed if tool.annotations.read_only_hint} == {"status", "why", "digest"}
    assert all(tool.description for tool in listed)
    assert all(
        "description" in field for tool in listed for field in tool.input_schema["properties"].values()
    )


def test_a_report_is_the_person_s_own(desk: BotHarness) -> None:
    result = ask(
        desk, AGENT, "check_in", answered="changed", steps={"send": "human-led"}, runs=4, note="slow"
    )
    assert not result.is_error, text(result)
    (row,) = rows(desk, CheckIn)
    assert (row.member, row.surface, row.runs, row.note) == (AGENT, "mcp", 4, "slow")


def test_every_call_is_in_the_trail(desk: BotHarness) -> None:
    ask(desk, AGENT, "status")
    ask(desk, AGENT, "log_exception", step="sned", reason="tone was off")
    ask(desk, AGENT, "log_exception", step="send", reason="tone was off")
    calls = entries(desk, "assistant-called")
    assert [(one.member, one.surface, one.subject, one.after["outcome"]) for one in calls] == [
        (AGENT, "mcp", "tool:status", "answered"),
        (AGENT, "mcp", "tool:log_exception", "refused"),
        (AGENT, "mcp", "tool:log_exception", "answered"),
    ]
    assert [one.surface for one in entries(desk, "exception")] == ["mcp"]


def test_a_curator_reads_in_the_trail_that_an_assistant_asked(desk: BotHarness) -> None:
    ask(desk, AGENT, "status")
    answer = desk.workspace.person(CURATOR).types("/cadence trace", channel=DESK_CHANNEL)
    row = shown(answer, Trace).rows[0]
    assert row.member == AGENT
    assert_golden(f"{row.what}: {row.about} ({row.surface})", "asked-by-an-assistant")


def test_a_critical_exception_is_confirmed_first(desk: BotHarness) -> None:
    given = {"step": "send", "reason": "wrong customer", "critical": True}
    first = ask(desk, AGENT, "log_exception", **given)
    assert first.is_error
    assert rows(desk, LoggedException) == []
    (word,) = [word for word in text(first).split("'") if word.startswith("critical:")]
    second = ask(desk, AGENT, "log_exception", **given, confirm=[word])
    assert not second.is_error, text(second)
    assert [row.critical for row in rows(desk, LoggedException)] == [True]


def test_what_an_assistant_sends_is_checked(desk: BotHarness) -> None:
    wrong: dict[str, tuple[str, dict[str, Any]]] = {
        "unknown-answer": ("check_in", {"answered": "perfectly"}),
        "fewer-than-no-runs": ("check_in", {"answered": "as-planned", "runs": -1}),
        "too-many-runs": ("check_in", {"answered": "as-planned", "runs": 10**400}),
        "runs-are-true": ("check_in", {"answered": "as-planned", "runs": True}),
        "half-a-week": ("check_in", {"answered": "as-planned", "week": 1.5}),
        "unknown-mode": ("check_in", {"answered": "changed", "steps": {"send": "robot-led"}}),
        "steps-are-a-list": ("check_in", {"answered": "changed", "steps": []}),
        "value-is-a-number": ("report_kpi", {"value": 12}),
        "value-too-long": ("report_kpi", {"value": "1" * 41}),
        "misspelled-field": ("report_kpi", {"value": "12m", "nota": "x"}),
        "empty-reason": ("log_exception", {"step": "send", "reason": ""}),
        "reason-too-long": ("log_exception", {"step": "send", "reason": "x" * 2_001}),
        "critical-is-a-list": ("log_exception", {"step": "send", "reason": "x", "critical": []}),
        "confirm-is-text": ("log_exception", {"step": "send", "reason": "x", "confirm": "no"}),
        "field-of-a-tool-without-any": ("digest", {"page": 1}),
        "no-step": ("why", {}),
        "playbook-too-long": ("status", {"playbook": "x" * 1_000_000}),
    }

    async def every(client: "Client") -> "list[CallToolResult]":
        return [await client.call_tool(tool, given) for tool, given in wrong.values()]

    results = talk(desk, token(desk, AGENT), every)
    assert all(result.is_error for result in results)
    for case, result in zip(wrong, results, strict=True):
        assert_golden(text(result), f"refused-argument:{case}")  # and not in the SDK's words
    assert not rows(desk, CheckIn) + rows(desk, LoggedException)
    calls = entries(desk, "assistant-called")
    assert [(one.after["tool"], one.after["outcome"], one.surface) for one in calls] == [
        (tool, "refused", "mcp") for tool, _ in wrong.values()
    ]


def test_a_tool_that_does_not_exist_is_refused_and_in_the_trail(desk: BotHarness) -> None:
    for case, tool in (("misspelled", "check-in"), ("too-long", f"{BROADCAST}>\0" * 99)):
        answer = ask(desk, AGENT, tool)
        assert answer.is_error
        assert_golden(text(answer), f"refused-tool:{case}")
        assert len(text(answer)) < 200
    calls = entries(desk, "assistant-called")
    assert [(one.subject, one.after["outcome"], one.surface) for one in calls] == [
        ("tool:unknown", "refused", "mcp")
    ] * 2
    said = desk.workspace.person(CURATOR).types("/cadence trace", channel=DESK_CHANNEL)
    assert len(shown(said, Trace).rows) >= 2
    assert BROADCAST not in said.words


def test_an_optional_argument_can_be_null(desk: BotHarness) -> None:
    answer = ask(desk, AGENT, "log_exception", step="send", reason="tone was off", link=None, playbook=None)
    assert not answer.is_error, text(answer)
    answer = ask(desk, AGENT, "check_in", answered="as-planned", runs=None, steps=None, team=None, week=None)
    assert not answer.is_error, text(answer)


def test_invisible_characters_are_removed(desk: BotHarness) -> None:
    empty = ask(desk, AGENT, "log_exception", step="send", reason="\x00\u200b")
    assert empty.is_error
    assert_golden(text(empty), "refused-invisible-reason")
    assert not ask(
        desk, AGENT, "log_exception", step="send\x00", playbook="rep\x00ly", reason="to\x00ne"
    ).is_error
    assert not ask(desk, AGENT, "report_kpi", value="12m\x00", note="a\x00 fix").is_error
    assert [row.reason for row in rows(desk, LoggedException)] == ["tone"]
    assert [row.note for row in rows(desk, Reading)] == ["a fix"]


def test_an_error_says_nothing_of_the_rows(desk: BotHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_args: Any, **_given: Any) -> None:
        raise ValueError("INSERT INTO exception VALUES ('secret')")

    with monkeypatch.context() as patched:
        patched.setattr(tools, "log_exception", fails)
        answer = ask(desk, AGENT, "log_exception", step="send", reason="tone was off")
    assert answer.is_error
    words, codes = re.subn(r"E-[0-9A-F]{6}", "E-000000", text(answer))
    assert codes == 1
    assert_golden(words, "error-with-a-code")
    assert [one.after["outcome"] for one in entries(desk, "assistant-called")] == ["refused"]


def test_a_busy_database_is_said_and_changes_nothing(desk: BotHarness) -> None:
    made = token(desk, AGENT)
    with held(desk):
        answer = talk(desk, made, lambda client: client.call_tool("report_kpi", {"value": "12m"}))
        read = talk(desk, made, lambda client: client.call_tool("status", {}))
    assert answer.is_error
    assert_golden(text(answer), "refused-while-busy")
    assert not read.is_error
    assert rows(desk, Reading) == []
    again = talk(desk, made, lambda client: client.call_tool("report_kpi", {"value": "12m"}))
    assert not again.is_error
    assert len(rows(desk, Reading)) == 1


def test_no_answer_waits_until_the_use_of_a_token_can_be_saved(
    desk: BotHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    save = token_rows.note_use

    def watched(*args: Any, **given: Any) -> None:
        asked.append(patience.current())
        save(*args, **given)

    monkeypatch.setattr(token_rows, "note_use", watched)
    made = token(desk, AGENT)
    assert not talk(desk, made, lambda client: client.call_tool("status", {})).is_error
    assert set(asked) == {patience.BRIEF}
    assert patience.BRIEF.lock < patience.REQUEST.lock


def test_a_token_that_only_reads_reports_nothing(desk: BotHarness) -> None:
    reading = token(desk, AGENT, "read")
    refused = talk(desk, reading, lambda client: client.call_tool("report_kpi", {"value": "12m"}))
    assert refused.is_error
    assert_golden(text(refused), "refused-to-a-token-that-reads")
    assert [one.after["outcome"] for one in entries(desk, "assistant-called")] == ["refused"]
    assert not talk(desk, reading, lambda client: client.call_tool("status", {})).is_error
    assert rows(desk, Reading) == []


def test_a_token_that_only_writes_reads_nothing(desk: BotHarness) -> None:
    writing = token(desk, AGENT, "write")
    assert talk(desk, writing, lambda client: client.call_tool("status", {})).is_error


def post(desk: BotHarness, body: bytes, **headers: str) -> httpx2.Response:
    """One request as it travels."""
    return httpx2.post(f"{desk.server.url}/mcp", content=body, headers=headers, timeout=30)


def called(tool: str, given: dict[str, Any], **slack: str) -> bytes:
    """A tool's call as Slackbot sends it."""
    meta = {"_meta": {"slack": slack}} if slack else {}
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": tool, "arguments": given, **meta},
    }
    return json.dumps(call).encode()


def signed(desk: BotHarness, body: bytes, *, secret: str = "", ago: int = 0) -> dict[str, str]:
    stamp = str(int(time.time()) - ago)
    key = secret or desk.workspace.app.signing_secret
    mac = hmac.new(key.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "X-Slack-Signature": f"v0={mac}",
        "X-Slack-Request-Timestamp": stamp,
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
    }


def test_slackbot_acts_for_the_person_slack_names(desk: BotHarness) -> None:
    body = called("report_kpi", {"value": "12m"}, team_id=desk.bot.identity.team_id, user_id=AGENT)
    response = post(desk, body, **signed(desk, body))
    assert response.status_code == 200
    assert not response.json()["result"].get("isError")
    assert [(row.member, row.surface) for row in rows(desk, Reading)] == [(AGENT, "mcp")]


def test_what_slackbot_sends_again_is_carried_out_once(desk: BotHarness) -> None:
    given = {"step": "send", "reason": "tone was off"}
    body = called("log_exception", given, team_id=desk.bot.identity.team_id, user_id=AGENT)
    headers = signed(desk, body)
    first = post(desk, body, **headers)
    desk.clock.advance(timedelta(minutes=4))
    again = post(desk, body, **headers)
    assert again.json()["result"] == first.json()["result"]
    assert len(rows(desk, LoggedException)) == 1


@pytest.mark.parametrize(
    ("how", "slack"),
    [
        ("not signed", {"team_id": "T", "user_id": AGENT}),
        ("with another secret", {"team_id": "T", "user_id": AGENT}),
        ("an hour ago", {"team_id": "T", "user_id": AGENT}),
        ("signed", {"team_id": "T0ELSEWHERE", "user_id": AGENT}),
        ("signed", {"team_id": "T", "user_id": "<!channel>"}),
        ("signed", {}),
    ],
)
def test_a_request_that_is_not_slacks_changes_nothing(
    desk: BotHarness, how: str, slack: dict[str, str]
) -> None:
    team = desk.bot.identity.team_id
    body = called("report_kpi", {"value": "12m"}, **{k: team if v == "T" else v for k, v in slack.items()})
    headers = {
        "not signed": {},
        "with another secret": signed(desk, body, secret="other"),
        "an hour ago": signed(desk, body, ago=3_600),
        "signed": signed(desk, body),
    }[how]
    response = post(desk, body, **headers)
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"]
    assert rows(desk, Reading) == []


def test_slackbot_lists_the_tools_without_naming_a_person(desk: BotHarness) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}).encode()
    response = post(desk, body, **signed(desk, body))
    assert {tool["name"] for tool in response.json()["result"]["tools"]} == set(TOOLS)


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer wrong", "Basic eDp5", "Bearer a b"])
def test_without_a_token_nothing_is_answered(desk: BotHarness, sent: str) -> None:
    body = called("status", {})
    headers = {"Authorization": sent} if sent else {}
    response = post(desk, body, **headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"[" * 10_000,
        b'{"method": 7, "params": []}',
        b'{"jsonrpc": "2.0", "id": 1, "method": ["tools/list"]}',
    ],
)
def test_what_is_not_json_rpc_is_refused(desk: BotHarness, body: bytes) -> None:
    sent = {"Authorization": f"Bearer {token(desk, AGENT)}", "Content-Type": "application/json"}
    assert 400 <= post(desk, body, **sent).status_code < 500
    assert 400 <= post(desk, body, **signed(desk, body)).status_code < 500


@pytest.mark.parametrize(
    ("case", "body"),
    [
        ("empty", b""),
        ("byte-order-mark", b"\xef\xbb\xbf{}"),
        ("other-encoding", "{}".encode("utf-16")),
        ("too-deep", b"[" * 10_000 + b"]" * 10_000),
        ("half-a-character", b'{"jsonrpc": "2.0", "id": 1, "method": "\\ud800"}'),
        ("null", b"null"),
        ("other-version", b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}'),
        ("batch", b"[" + b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}' + b"]"),
        ("id-is-null", b'{"jsonrpc": "2.0", "id": null, "method": "ping"}'),
        ("id-is-true", b'{"jsonrpc": "2.0", "id": true, "method": "ping"}'),
        ("id-is-a-fraction", b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}'),
        ("method-is-a-list", b'{"jsonrpc": "2.0", "id": 1, "method": ["tools/list"]}'),
        ("no-tool", b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call"}'),
        (
            "arguments-are-a-list",
            b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "digest", "arguments": []}}',
        ),
        (
            "other-method",
            b'{"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": {"name": "x"}}',
        ),
    ],
)
def test_the_answer_says_how_a_request_looks(desk: BotHarness, case: str, body: bytes) -> None:
    sent = {"Authorization": f"Bearer {token(desk, AGENT)}", "Content-Type": "application/json"}
    answer = post(desk, body, **sent)
    assert answer.status_code == 400
    told = answer.json()
    assert (set(told), set(told["error"])) == ({"jsonrpc", "id", "error"}, {"code", "message"})
    assert_golden(without_parser(told["error"]["message"]), f"refused-request:{case}")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": ""},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_a_body_is_json_as_it_is(desk: BotHarness, headers: dict[str, str]) -> None:
    answer = post(desk, called("status", {}), Authorization=f"Bearer {token(desk, AGENT)}", **headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "HEAD"])
@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
def test_nobody_waits_for_a_stream_that_says_nothing(desk: BotHarness, method: str, path: str) -> None:
    """It would stay open, and after 64 of them nobody else would be answered."""
    headers = {"Authorization": f"Bearer {token(desk, AGENT)}", "Accept": "text/event-stream"}
    answer = httpx2.request(method, f"{desk.server.url}{path}", headers=headers, timeout=5)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_there_is_nothing_to_subscribe_to(desk: BotHarness) -> None:
    meta = {
        "protocolVersion": "2026-07-28",
        "clientCapabilities": {},
        "clientInfo": {"name": "x", "version": "1"},
    }
    params = {
        "notifications": {"toolsListChanged": True},
        "_meta": {f"io.modelcontextprotocol/{name}": value for name, value in meta.items()},
    }
    call = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}
    headers = {
        "Authorization": f"Bearer {token(desk, AGENT)}",
        "Accept": "application/json, text/event-stream",
        "Mcp-Protocol-Version": "2026-07-28",
        "Mcp-Method": "subscriptions/listen",
    }
    answer = httpx2.post(f"{desk.server.url}/mcp", json=call, headers=headers, timeout=5)
    assert answer.status_code == 404


def test_the_address_may_end_with_a_slash(desk: BotHarness) -> None:
    headers = {"Authorization": f"Bearer {token(desk, AGENT)}", "Accept": "application/json"}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    answer = httpx2.post(f"{desk.server.url}/mcp/", json=call, headers=headers)
    assert {tool["name"] for tool in answer.json()["result"]["tools"]} == set(TOOLS)


@pytest.mark.parametrize(
    ("body", "signature"),
    [(b"\xff", b"v0=" + b"0" * 64), (b"{}", b"\xff\xff"), (b"{}", b"v0="), (b"{}", b"")],
)
def test_a_signature_of_any_kind_is_a_401(desk: BotHarness, body: bytes, signature: bytes) -> None:
    stamp = str(int(time.time())).encode()
    headers = {b"X-Slack-Signature": signature, b"X-Slack-Request-Timestamp": stamp}
    answer = httpx2.post(f"{desk.server.url}/mcp", content=body, headers=headers)
    assert answer.status_code == 401


def test_a_tool_s_token_is_not_a_person_s(desk: BotHarness) -> None:
    made = made_token(desk, OWNER, playbook="reply", scopes=("read", "write"))
    response = post(desk, called("status", {}), Authorization=f"Bearer {made}")
    assert response.status_code == 401
    assert_golden(response.json()["detail"], "refused-token-of-a-tool")


def test_the_token_of_somebody_who_left_is_worth_nothing(desk: BotHarness) -> None:
    made = token(desk, AGENT)
    desk.workspace.change_user(AGENT, deleted=True)
    response = post(desk, called("report_kpi", {"value": "12m"}), Authorization=f"Bearer {made}")
    assert response.status_code == 401
    assert_golden(response.json()["detail"], "refused-token-of-somebody-who-left")
    assert rows(desk, Reading) == []


def test_somebody_slack_does_not_know_here_gets_no_answer(desk: BotHarness) -> None:
    body = called("report_kpi", {"value": "12m"}, team_id=desk.bot.identity.team_id, user_id="U0STRANGER")
    response = post(desk, body, **signed(desk, body))
    assert response.json()["result"]["isError"]
    assert rows(desk, Reading) == []
