"""Whole requests of tools that can't be carried out: each is a problem that says what would be right."""

from itertools import count

import pytest
from starlette.testclient import TestClient

from bot.api.app import build_app
from bot.api.evidence import Pushes
from bot.api.guard import Guard
from bot.api.limits import FAILURES_A_MINUTE, RequestLimits
from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from storage.queries import people
from storage.tables import ApiToken, MeasuredRuns
from storage.work import UnitOfWork
from tests.contexts import assert_golden
from tests.scenarios.machines.asking import Tool, fetch, without_parser
from tests.scenarios.plays import DESK_CHANNEL, rows
from tests.scenarios.tokens.making import made_token

LEAD, AGENT = "U01LEAD", "U01AGENT1"
RUNS = {"id": "r-1", "runs": 1}


@pytest.mark.parametrize(
    "token", ["", "secret", "rc_T01SANDBOX_aaaaaaaaaa_" + "a" * 43, "rc_T02OTHER_aaaaaaaaaa_" + "a" * 43]
)
def test_a_wrong_token_is_a_401(desk: BotHarness, token: str) -> None:
    answer = Tool(desk, token).push("runs", RUNS)
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_counts_in_the_header_only(desk: BotHarness, tool: Tool) -> None:
    url = f"{desk.server.url}/api/v1/runs"
    for answer in (
        fetch(f"{url}?access_token={tool.token}", b"{}"),
        fetch(url, b"{}", Cookie=f"token={tool.token}"),
        fetch(url, b"{}", Authorization=f"Basic {tool.token}"),
    ):
        assert (answer.status, answer.code) == (401, "unauthorized")


def test_a_token_of_another_workspace_opens_nothing_here(desk: BotHarness, tool: Tool) -> None:
    foreign = tool.token.replace("T01SANDBOX", "T02OTHER")
    assert Tool(desk, foreign).push("runs", RUNS).code == "unauthorized"


def test_a_revoked_token_is_a_401(desk: BotHarness, tool: Tool) -> None:
    assert tool.push("runs", RUNS).status == 200
    desk.workspace.person(LEAD).types("/cadence token revoke Help desk", channel=DESK_CHANNEL)
    answer = tool.push("runs", RUNS)
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert_golden(answer.body["detail"], "refused-revoked-token")


def test_a_token_that_only_reads_writes_nothing(desk: BotHarness) -> None:
    tool = Tool(desk, made_token(desk, LEAD, playbook="reply", scopes=("read",)))
    answer = tool.push("runs", RUNS)
    assert (answer.status, answer.code) == (403, "missing-scope")
    assert rows(desk, MeasuredRuns) == []


def test_the_assistant_of_somebody_who_left_is_refused(desk: BotHarness) -> None:
    tool = Tool(desk, made_token(desk, AGENT, use="assistant", name="Claude"))
    assert tool.push("kpi", {"id": "k-1", "value": 14}).status == 200
    with desk.bot.db.write() as session:
        person = people.member(UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM)), member_id=AGENT)
        assert person is not None
        person.deleted = True
        session.add(person)
    answer = tool.push("runs", {"id": "r-2", "runs": 1})
    assert (answer.status, answer.code) == (403, "not-allowed")


@pytest.mark.parametrize(
    ("case", "body"),
    [
        ("empty", b""),
        ("unfinished", b"{"),
        ("list", b"[]"),
        ("number", b"7"),
        ("no-items", b'{"items": []}'),
        ("items-are-a-number", b'{"items": 7}'),
        ("items-and-an-id", b'{"items": [{}], "id": "x"}'),
        ("not-a-number", b'{"id": "r-1", "runs": NaN}'),
        ("only-a-byte-order-mark", b"\xff\xfe"),
        ("too-deep", b"[" * 100_000),
    ],
)
def test_a_body_that_cant_be_read_is_a_422(tool: Tool, case: str, body: bytes) -> None:
    answer = tool.send("runs", body)
    assert (answer.status, answer.code) == (422, "invalid-request")
    assert_golden(without_parser(answer.body["detail"]), f"refused-body:{case}")


def test_other_media_types_are_a_415(tool: Tool) -> None:
    answer = tool.send("runs", b"runs=1", Content_Type="application/x-www-form-urlencoded")
    assert (answer.status, answer.code) == (415, "unsupported-media-type")


def test_unknown_addresses_and_methods_are_problems(desk: BotHarness, tool: Tool) -> None:
    assert tool.push("walks", RUNS).code == "not-found"
    answer = fetch(
        f"{desk.server.url}/api/v1/runs", b"{}", method="PATCH", Authorization=f"Bearer {tool.token}"
    )
    assert (answer.status, answer.code) == (405, "method-not-allowed")


def test_an_idempotency_key_has_a_limit(tool: Tool) -> None:
    answer = tool.push("runs", {"runs": 1}, Idempotency_Key="k" * 101)
    assert (answer.status, answer.code) == (422, "invalid-request")


def test_a_token_has_a_number_of_requests_a_minute(desk: BotHarness, tool: Tool) -> None:
    answers = [tool.push("runs", RUNS)]
    while answers[-1].status == 200 and len(answers) < 150:  # the minute may turn meanwhile
        answers.append(tool.push("runs", RUNS))
    assert answers[0].headers["ratelimit-limit"] == "60"
    assert int(answers[0].headers["ratelimit-remaining"]) == 59
    last = answers[-1]
    assert (last.status, last.code) == (429, "too-many-requests")
    assert 1 <= int(last.headers["retry-after"]) <= 60
    other = Tool(desk, made_token(desk, LEAD, playbook="reply", name="CI"))
    assert other.push("runs", RUNS).status == 200


def test_requests_without_a_valid_token_are_limited_but_never_those_with_one(
    desk: BotHarness, tool: Tool
) -> None:
    limits = RequestLimits(60)  # no proxy: the loopback address is a client like any other

    def asked(token: str) -> tuple[int, str]:
        guard = Guard(build_app(Pushes(desk.bot.db, desk.clock.now)), desk.bot.db, desk.clock.now, limits)
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": f"203.0.113.{next(clients)}"}
        answer = TestClient(guard, client=("198.51.100.7", 1)).post(
            "/api/v1/runs", json=RUNS, headers=headers
        )
        return answer.status_code, answer.json().get("code", "")

    clients = count(1)
    refused = [asked(f"{tool.token[:-3]}xyz") for _ in range(2 * FAILURES_A_MINUTE + 1)]
    assert refused[:FAILURES_A_MINUTE] == [(401, "unauthorized")] * FAILURES_A_MINUTE
    assert (429, "too-many-requests") in refused, "another X-Forwarded-For is no other client"
    assert asked(tool.token)[0] == 200, "who shares the address with a bad client isn't refused"


def test_the_last_use_is_kept(desk: BotHarness, tool: Tool) -> None:
    tool.push("runs", {"id": "r-1"})
    assert [one.last_used_at for one in rows(desk, ApiToken)] == [None]
    tool.push("runs", RUNS)
    assert [one.last_used_at for one in rows(desk, ApiToken)] == [desk.clock.now()]


def test_anybody_can_read_the_document_and_its_page(desk: BotHarness) -> None:
    document = fetch(f"{desk.server.url}/api/v1/openapi.json")
    assert document.status == 200
    assert "/api/v1/runs" in document.body["paths"]
    page = fetch(f"{desk.server.url}/api/docs")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "https://" not in page.body
