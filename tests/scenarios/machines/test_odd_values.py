"""Odd values from tools: each is refused in a sentence of ours or recorded, and none fails a whole request."""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.harness import BotHarness
from storage.tables import LoggedException, MeasuredRuns, Reading
from tests.contexts import assert_golden
from tests.harnesses import bot_harness
from tests.scenarios.machines.asking import Json, Tool, fetch, without_parser
from tests.scenarios.plays import DESK, REPLY, InCycle, changed, rows
from tests.scenarios.tokens.making import made_token

SEND = "{key: send, title: Send the reply, mode: ai-led, fallback: collaborative, exception_cap: 0.10"
RAILS = "window_days: 28, guardrails: [{name: CSAT, unit: score, direction: higher, limit: 4.6}]}"
KNOWN: dict[str, Json] = {
    "runs": {"runs": 1},
    "kpi": {"value": 12},
    "exceptions": {"step": "send", "reason": "wrong price"},
    "rubric": {"step": "send", "samples": 5, "passes": 4},
    "checks": {"step": "send", "check": "policy-lint", "samples": 5, "passes": 4},
}
"""A valid item of each path; its id is added."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of the desk's first week; the step `send` has an automated check."""
    playbook = changed(REPLY, tmp_path, (SEND, f"{SEND}, verify: {{automated: policy-lint}}"))
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[playbook], played=InCycle("2026-03-05 12:00")
    ) as harness:
        yield harness


@pytest.fixture
def railed(tmp_path: Path) -> Iterator[Tool]:
    """A tool of the desk, whose playbook has a guardrail."""
    playbook = changed(REPLY, tmp_path, ("window_days: 28}", RAILS))
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[playbook], played=InCycle("2026-03-05 12:00")
    ) as harness:
        yield Tool(harness, made_token(harness, "U01LEAD", playbook="reply"))


ODD: list[tuple[str, str, str, Any]] = [
    ("half-a-number", "runs", "runs", 1.0),
    ("runs-are-true", "runs", "runs", True),
    ("runs-are-text", "runs", "runs", "5"),
    ("fewer-than-no-runs", "runs", "runs", -1),
    ("far-too-many-runs", "runs", "runs", 10**400),
    ("more-runs-than-the-column-takes", "runs", "runs", 2**63),
    ("empty-id", "runs", "id", ""),
    ("id-with-a-null", "runs", "id", "a\0"),
    ("id-too-long", "runs", "id", "x" * 900_000),
    ("playbook-is-a-picture", "runs", "playbook", "😀"),
    ("team-written-backwards", "runs", "team", "\u202edesk"),
    ("misspelled-field", "runs", "steps", "send"),
    ("field-too-long", "runs", "k" * 900_000, 1),
    ("member-is-a-mention", "runs", "member", "<!channel>"),
    ("time-is-a-number", "runs", "at", 1_772_700_000),
    ("time-is-a-number-as-text", "runs", "at", "1772700000"),
    ("time-is-true", "runs", "at", True),
    ("time-without-an-offset", "runs", "at", "2026-03-05T10:00:00"),
    ("no-such-day", "runs", "at", "2026-02-30T00:00:00Z"),
    ("no-such-offset", "runs", "at", "2026-03-05T10:00:00+25:00"),
    ("leap-second", "runs", "at", "2026-03-05T09:59:60Z"),
    ("first-day-of-all", "runs", "at", "0001-01-01T00:00:00+23:59"),
    ("last-day-of-all", "runs", "at", "9999-12-31T23:59:59-23:59"),
    ("value-is-a-list", "kpi", "value", []),
    ("value-is-false", "kpi", "value", False),
    ("value-too-large", "kpi", "value", 10**400),
    ("value-too-long", "kpi", "value", "1" * 101),
    ("invisible-value", "kpi", "value", "\u200b"),
    ("no-guardrails", "kpi", "guardrail", "CSAT"),
    ("invisible-reason", "exceptions", "reason", "\u202e\u200b"),
    ("critical-is-a-number", "exceptions", "critical", 1),
    ("link-to-nothing", "exceptions", "link", "https://\u200b"),
    ("link-with-a-blank", "exceptions", "link", "https://a.example/\u2800b"),
    ("link-with-a-bar", "exceptions", "link", "https://a.example/|b"),
    ("link-runs-a-script", "checks", "link", "javascript:alert(1)"),
    ("more-passes-than-samples", "rubric", "passes", 6),
    ("passed-is-a-number", "checks", "passed", 1),
]


def test_a_misspelled_field_is_named_rather_than_the_one_it_stands_for(desk: BotHarness, tool: Tool) -> None:
    refused = tool.push("runs", {"id": "odd", "run": 3}).body["results"][0]
    assert_golden(refused["detail"], "refused-misspelled-field")


@pytest.mark.parametrize(("case", "path", "field", "value"), ODD)
def test_an_odd_value_is_refused_in_a_sentence_and_the_next_item_is_recorded(
    desk: BotHarness, tool: Tool, case: str, path: str, field: str, value: Any
) -> None:
    """One that failed only when its part is saved failed all the others."""
    fine = {"id": "fine", **KNOWN[path]}
    answer = tool.push(path, {"id": "odd", **KNOWN[path], field: value}, fine)
    assert [one["outcome"] for one in answer.body["results"]] == ["refused", "recorded"]
    detail = answer.body["results"][0]["detail"]
    assert_golden(detail, f"refused-value:{case}")
    assert len(detail) < 400


def test_a_guardrail_takes_a_number(railed: Tool) -> None:
    empty = railed.push("kpi", {"id": "a", "guardrail": "CSAT", "value": "\u200b"})
    assert empty.status == 422
    assert_golden(empty.body["detail"], "refused-guardrail-without-a-number")
    unknown = railed.push("kpi", {"id": "b", "guardrail": "CSTA", "value": 4})
    assert unknown.status == 422
    assert_golden(unknown.body["detail"], "refused-unknown-guardrail")
    assert railed.push("kpi", {"id": "c", "guardrail": "CSAT", "value": 4}).status == 200


@pytest.mark.parametrize(
    ("case", "body"),
    [
        ("blank", b" \n"),
        ("byte-order-mark", codecs.BOM_UTF8 + b'{"id": "a", "runs": 1}'),
        ("utf-16", '{"id": "a", "runs": 1}'.encode("utf-16")),
        ("utf-32", '{"id": "a", "runs": 1}'.encode("utf-32")),
        ("latin-1", b'{"id": "\xe9", "runs": 1}'),
        ("half-a-character", b'{"id": "\\ud800", "runs": 1}'),
        ("number-too-long", b'{"id": "a", "runs": 1' + b"0" * 5_000 + b"}"),
        ("too-deep", b'{"items": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
        ("two-objects", b'{"id": "a"}{"id": "b"}'),
    ],
)
def test_a_body_that_cannot_be_read_says_why(tool: Tool, case: str, body: bytes) -> None:
    answer = tool.send("runs", body)
    assert (answer.status, answer.code) == (422, "invalid-request")
    assert_golden(without_parser(answer.body["detail"]), f"refused-body:{case}")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip"])
def test_a_packed_body_is_refused(tool: Tool, encoding: str) -> None:
    answer = tool.send("runs", b'{"id": "a", "runs": 1}', Content_Encoding=encoding)
    assert (answer.status, answer.code) == (415, "unsupported-media-type")
    assert_golden(answer.body["detail"], "refused-packed-body")
    assert tool.send("runs", b'{"id": "a", "runs": 1}', Content_Encoding="identity").status == 200


@pytest.mark.parametrize("path", ["api/v1/runs/", "api/v1//runs", "otlp/v1/logs/"])
def test_an_address_with_another_slash_leads_nowhere(desk: BotHarness, tool: Tool, path: str) -> None:
    """A redirect would name the request's own host, and plain HTTP behind a proxy."""
    answer = fetch(
        f"{desk.server.url}/{path}",
        b"{}",
        Authorization=f"Bearer {tool.token}",
        Content_Type="application/json",
    )
    assert (answer.status, answer.code) == (404, "not-found")


@pytest.mark.parametrize(
    ("case", "query"),
    [
        ("nothing-asked", "limit=0"),
        ("limit-in-powers", "limit=1e9"),
        ("limit-too-large", f"limit={10**400}"),
        ("cursor-below-zero", "cursor=-1"),
        ("cursor-with-a-null", "cursor=1%00"),
        ("cursor-too-long", f"cursor={'9' * 16}"),
        ("title-of-a-team", "team=Desk"),
        ("no-such-day", "week=2026-02-30"),
        ("first-day-of-all", "week=0001-01-01"),
        ("week-by-number", "week=0"),
        ("misspelled", "weak=2026-03-02"),
    ],
)
def test_an_odd_parameter_is_refused_in_a_sentence(desk: BotHarness, case: str, query: str) -> None:
    reading = Tool(desk, made_token(desk, "U01LEAD", playbook="reply", scopes=("read",)))
    answer = reading.read(f"runs?{query}")
    assert (answer.status, answer.code) == (422, "invalid-request")
    assert_golden(answer.body["detail"], f"refused-parameter:{case}")


CALLS = ("<!channel>", "<!here|x>", "<@U01AGENT1>", "<https://evil.example|here>", "<!subteam^S1>")


def test_nothing_that_a_tool_sends_calls_anybody_in_slack(desk: BotHarness, tool: Tool) -> None:
    for number, call in enumerate(CALLS):
        known = {"id": call, "step": "send"}
        tool.push("runs", {"id": f"{call}-runs", "runs": 1, "member": "U01AGENT1"})
        tool.push("kpi", {"id": f"{call}-kpi", "value": 10 + number, "note": f"note {call}"})
        tool.push("exceptions", {**known, "reason": f"reason {call}", "critical": not number})
        tool.push("rubric", {**known, "id": f"{call}-rubric", "samples": 5, "passes": 1, "note": call})
    assert len(rows(desk, LoggedException)) == len(rows(desk, Reading)) == len(rows(desk, MeasuredRuns)) == 5
    desk.tick()
    owner, curator = desk.workspace.person("U01LEAD"), desk.workspace.person("U01CURATOR")
    shown = [
        owner.types("/cadence status", channel="C01DESK"),
        owner.types("/cadence cycle", channel="C01DESK"),
        owner.types("/cadence why send", channel="C01DESK"),
        curator.types("/cadence trace", channel="C01DESK"),
    ]
    messages = [one.message for one in shown if one.message is not None]
    messages += [one for channel in ("C01DESK", "C01CURATORS") for one in desk.workspace.history(channel)]
    messages += [one for member in ("U01LEAD", "U01CURATOR") for one in desk.workspace.dm(member)]
    blocks = [one.blocks for one in messages]
    marked = [one.text for one in messages] + list(_marked(blocks))
    assert "&lt;!channel&gt;" in json.dumps(blocks)
    assert '"broadcast"' not in json.dumps(blocks)
    assert [one for one in marked for call in CALLS if call in one and "<@U01AGENT1>" not in one] == []


def _marked(part: Any) -> Iterator[str]:
    """Every text that Slack reads as its markup."""
    if isinstance(part, dict):
        if part.get("type") == "mrkdwn":
            yield str(part["text"])
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from _marked(one)
