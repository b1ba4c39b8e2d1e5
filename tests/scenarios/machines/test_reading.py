"""What tools read: reports with filters and pages, status, verdicts, the registry; nothing that isn't theirs."""

import pytest

from bot.rehearsal.harness import BotHarness
from tests.contexts import assert_golden
from tests.scenarios.machines.asking import Tool
from tests.scenarios.plays import DESK_CHANNEL
from tests.scenarios.tokens.making import made_token

LEAD, AGENT, SOLO, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"


@pytest.fixture
def reader(desk: BotHarness) -> Tool:
    """A token that writes and reads."""
    return Tool(desk, made_token(desk, LEAD, playbook="reply", name="Dashboard", scopes=("write", "read")))


def test_reports_of_tools_and_people_are_read_newest_first(
    desk: BotHarness, tool: Tool, reader: Tool
) -> None:
    tool.push("exceptions", {"id": "t-1", "step": "send", "reason": "wrong price"})
    reader.push("exceptions", {"id": "t-1", "step": "draft", "reason": "wrong tone"})
    desk.workspace.person(AGENT).types("/exception send too long", channel=DESK_CHANNEL)
    answer = reader.read("exceptions")
    assert answer.status == 200
    assert [(one["reason"], one.get("via"), one.get("item")) for one in answer.body["items"]] == [
        ("too long", None, None),
        ("wrong tone", "Dashboard", "t-1"),
        ("wrong price", "Help desk", None),
    ]
    assert "next" not in answer.body
    of_step = reader.read("exceptions?step=draft&playbook=reply&team=desk").body["items"]
    assert [one["reason"] for one in of_step] == ["wrong tone"]
    assert reader.read("exceptions?team=solo").body["items"] == []


def test_pages_follow_each_other(reader: Tool) -> None:
    reader.push("runs", *[{"id": f"r-{number}", "runs": number} for number in range(5)])
    first = reader.read("runs?limit=3").body
    second = reader.read(f"runs?limit=3&cursor={first['next']}").body
    assert [one["runs"] for one in first["items"] + second["items"]] == [4, 3, 2, 1, 0]
    assert "next" not in second


def test_a_week_is_any_of_its_days(reader: Tool) -> None:
    reader.push(
        "kpi",
        {"id": "k-1", "value": 14},
        {"id": "k-2", "value": 2, "guardrail": "x"},
        {"id": "k-3", "value": 13},
    )
    (new, old) = reader.read("kpi?week=2026-03-08").body["items"]
    assert [(one["value"], one["replaced"]) for one in (new, old)] == [(13, False), (14, True)]
    assert reader.read("kpi?week=2026-03-09").body["items"] == []


def test_the_status_has_each_steps_runs_by_kind(reader: Tool) -> None:
    reader.push("runs", {"id": "r-1", "runs": 40})
    reader.push("exceptions", {"id": "t-1", "step": "send", "reason": "wrong price"})
    (status,) = reader.read("status").body["items"]
    assert (status["playbook"], status["team"], status["cycle"], status["week"]) == ("reply", "desk", 1, 1)
    send = next(one for one in status["steps"] if one["step"] == "send")
    assert (send["exceptions"], send["measured"]) == (1, 40)
    (verdict,) = reader.read("verdicts").body["items"]
    assert (verdict["step"], verdict["exceptions"], verdict["measured"]) == ("send", 1, 40)


def test_the_registry_is_read(reader: Tool) -> None:
    answer = reader.read("registry")
    assert (answer.status, answer.body["page"], answer.body["items"]) == (200, 1, [])


@pytest.mark.parametrize(
    "path", ["runs", "kpi", "exceptions", "rubric", "checks", "status", "verdicts", "registry"]
)
def test_a_token_that_only_writes_reads_nothing(tool: Tool, path: str) -> None:
    answer = tool.read(path)
    assert (answer.status, answer.code) == (403, "missing-scope")


@pytest.mark.parametrize(
    "query",
    [
        "cursor=x",
        "limit=0",
        "limit=201",
        "week=monday",
        "week=0001-01-01",
        "week=9999-12-31",
        "step=A%20B",
        "stpe=send",
        "=",
    ],
)
def test_filters_that_cant_be_read_are_a_422(reader: Tool, query: str) -> None:
    answer = reader.read(f"runs?{query}")
    assert (answer.status, answer.code) == (422, "invalid-request")


def test_a_cursor_after_every_row_begins_at_the_newest(reader: Tool) -> None:
    assert reader.push("runs", {"id": "r-1", "runs": 1}).status == 200
    assert len(reader.read(f"runs?cursor={10**15 - 1}").body["items"]) == 1
    assert reader.read(f"verdicts?cursor={10**15 - 1}").status == 200


def test_a_misspelled_filter_is_named(reader: Tool) -> None:
    assert_golden(reader.read("runs?stpe=send").body["detail"], "refused-misspelled-filter")
    assert_golden(reader.read("status?week=2026-03-02").body["detail"], "refused-unknown-filter")


def test_an_assistant_reads_what_its_person_sees(desk: BotHarness, tool: Tool) -> None:
    tool.push("exceptions", {"id": "t-1", "step": "send", "reason": "wrong price"})
    of_team = Tool(desk, made_token(desk, AGENT, use="assistant", name="Claude", scopes=("read",)))
    of_other = Tool(desk, made_token(desk, SOLO, use="assistant", name="Claude", scopes=("read",)))
    assert len(of_team.read("exceptions").body["items"]) == 1
    assert of_other.read("exceptions").body["items"] == []
