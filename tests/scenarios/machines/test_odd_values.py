"""Odd values from tools: each is refused in a sentence of ours or recorded, and none fails a whole request."""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.harness import BotHarness
from storage.tables import LoggedException, MeasuredRuns, Reading
from tests.harnesses import bot_harness
from tests.scenarios.machines.asking import Json, Tool, fetch
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


NO_MOMENT = "`at` takes a time with a UTC offset, such as `2026-03-12T10:30:00+01:00`."
NO_SHORT_NAME = "a short name: up to 40 lowercase letters, digits and dashes"
ODD: list[tuple[str, str, Any, str]] = [
    ("runs", "runs", 1.0, "`runs` takes a whole number, such as 19."),
    ("runs", "runs", True, "`runs` takes a whole number, such as 19."),
    ("runs", "runs", "5", "`runs` takes a whole number, such as 19."),
    ("runs", "runs", -1, "`runs` takes a number from 0 on."),
    ("runs", "runs", 10**400, "`runs` takes 100,000 at most."),
    ("runs", "runs", 2**63, "`runs` takes 100,000 at most."),
    ("runs", "id", "", "`id` can't be empty."),
    (
        "runs",
        "id",
        "a\0",
        "`id` takes letters, digits and signs of ASCII, without spaces, such as `ticket-4711`.",
    ),
    ("runs", "id", "x" * 900_000, "`id` takes 120 characters at most."),
    ("runs", "playbook", "😀", f"`playbook` takes {NO_SHORT_NAME}, such as `support-reply`."),
    ("runs", "team", "\u202edesk", f"`team` takes {NO_SHORT_NAME}, such as `support-emea`."),
    ("runs", "steps", "send", "There's no field `steps`. Did you mean `step`?"),
    ("runs", "k" * 900_000, 1, f"There's no field `{'k' * 40}…`. It takes `id`, "),
    ("runs", "member", "<!channel>", "`<!channel>` isn't a member of Desk."),
    ("runs", "at", 1_772_700_000, NO_MOMENT),
    ("runs", "at", "1772700000", NO_MOMENT),
    ("runs", "at", True, NO_MOMENT),
    ("runs", "at", "2026-03-05T10:00:00", NO_MOMENT),
    ("runs", "at", "2026-02-30T00:00:00Z", NO_MOMENT),
    ("runs", "at", "2026-03-05T10:00:00+25:00", NO_MOMENT),
    ("runs", "at", "2026-03-05T09:59:60Z", NO_MOMENT),
    ("runs", "at", "0001-01-01T00:00:00+23:59", "`at` is more than 35 days ago"),
    ("runs", "at", "9999-12-31T23:59:59-23:59", "`at` is more than 5 minutes ahead"),
    ("kpi", "value", [], "`value` takes a number, such as 12.5."),
    ("kpi", "value", False, "`value` takes a number, such as 12.5."),
    ("kpi", "value", 10**400, "`value` takes 1,000,000,000,000 at most."),
    ("kpi", "value", "1" * 101, "`value` takes 100 characters at most."),
    ("kpi", "value", "\u200b", "A number is missing."),
    ("kpi", "guardrail", "CSAT", "Reply has no guardrails. Leave `guardrail` out."),
    ("exceptions", "reason", "\u202e\u200b", "`reason`: add a few words about what happened."),
    ("exceptions", "critical", 1, "`critical` takes true or false."),
    ("exceptions", "link", "https://\u200b", "`link` takes an address that begins with `https://`"),
    (
        "exceptions",
        "link",
        "https://a.example/\u2800b",
        "`link` takes an address that begins with `https://`",
    ),
    ("exceptions", "link", "https://a.example/|b", "`link` takes an address that begins with `https://`"),
    ("checks", "link", "javascript:alert(1)", "`link` takes an address that begins with `https://`"),
    ("rubric", "passes", 6, "6 of 5"),
    ("checks", "passed", 1, "`passed` takes true or false."),
]


def test_a_misspelled_field_is_named_rather_than_the_one_it_stands_for(desk: BotHarness, tool: Tool) -> None:
    refused = tool.push("runs", {"id": "odd", "run": 3}).body["results"][0]
    assert refused["detail"] == "There's no field `run`. Did you mean `runs`?"


@pytest.mark.parametrize(("path", "field", "value", "sentence"), ODD)
def test_an_odd_value_is_refused_in_a_sentence_and_the_next_item_is_recorded(
    desk: BotHarness, tool: Tool, path: str, field: str, value: Any, sentence: str
) -> None:
    """One that failed only when its part is saved failed all the others."""
    fine = {"id": "fine", **KNOWN[path]}
    answer = tool.push(path, {"id": "odd", **KNOWN[path], field: value}, fine)
    assert [one["outcome"] for one in answer.body["results"]] == ["refused", "recorded"]
    detail = answer.body["results"][0]["detail"]
    assert sentence in detail
    assert len(detail) < 400


def test_a_guardrail_takes_a_number(railed: Tool) -> None:
    empty = railed.push("kpi", {"id": "a", "guardrail": "CSAT", "value": "\u200b"})
    assert (empty.status, empty.body["detail"]) == (
        422,
        "`value` is empty. It takes a number in the guardrail's unit.",
    )
    unknown = railed.push("kpi", {"id": "b", "guardrail": "CSTA", "value": 4})
    assert "csat" in unknown.body["detail"]
    assert railed.push("kpi", {"id": "c", "guardrail": "CSAT", "value": 4}).status == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b" \n", "is empty"),
        (codecs.BOM_UTF8 + b'{"id": "a", "runs": 1}', "without a byte order mark"),
        ('{"id": "a", "runs": 1}'.encode("utf-16"), "without a byte order mark"),
        ('{"id": "a", "runs": 1}'.encode("utf-32"), "without a byte order mark"),
        (b'{"id": "\xe9", "runs": 1}', "isn't valid JSON"),
        (b'{"id": "\\ud800", "runs": 1}', "isn't valid JSON"),
        (b'{"id": "a", "runs": 1' + b"0" * 5_000 + b"}", "isn't valid JSON"),
        (b'{"items": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "isn't valid JSON"),
        (b'{"id": "a"}{"id": "b"}', "isn't valid JSON"),
    ],
)
def test_a_body_that_cannot_be_read_says_why(tool: Tool, body: bytes, words: str) -> None:
    answer = tool.send("runs", body)
    assert (answer.status, answer.code) == (422, "invalid-request")
    assert words in answer.body["detail"]


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip"])
def test_a_packed_body_is_refused(tool: Tool, encoding: str) -> None:
    answer = tool.send("runs", b'{"id": "a", "runs": 1}', Content_Encoding=encoding)
    assert (answer.status, answer.code) == (415, "unsupported-media-type")
    assert "Content-Encoding" in answer.body["detail"]
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
    ("query", "sentence"),
    [
        ("limit=0", "`limit` takes a number from 1 on."),
        ("limit=1e9", "`limit` takes a whole number."),
        (f"limit={10**400}", "`limit` takes 200 at most."),
        ("cursor=-1", "`cursor` takes `next` of the page before."),
        ("cursor=1%00", "`cursor` takes `next` of the page before."),
        (f"cursor={'9' * 16}", "`cursor` takes `next` of the page before."),
        ("team=Desk", f"`team` takes {NO_SHORT_NAME}."),
        ("week=2026-02-30", "`week` takes a day, such as `2026-03-12`."),
        ("week=0001-01-01", "`week` takes a day"),
        ("week=0", "`week` takes a day"),
        ("weak=2026-03-02", "This address takes no parameter `weak`. Did you mean `week`?"),
    ],
)
def test_an_odd_parameter_is_refused_in_a_sentence(desk: BotHarness, query: str, sentence: str) -> None:
    reading = Tool(desk, made_token(desk, "U01LEAD", playbook="reply", scopes=("read",)))
    answer = reading.read(f"runs?{query}")
    assert (answer.status, answer.code) == (422, "invalid-request")
    assert answer.body["detail"].startswith(sentence)


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
