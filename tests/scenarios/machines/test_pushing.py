"""What tools push, from the outside: HTTP in, the built-in workspace's state out."""

from datetime import timedelta
from typing import Any

import pytest

from bot.rehearsal.harness import BotHarness
from storage.tables import CheckResult, LoggedException, MeasuredRuns, Reading, RubricResult, TrailEntry
from templates.contexts.standards import Demoted
from tests.contexts import assert_golden, contexts
from tests.scenarios.machines.asking import Tool
from tests.scenarios.plays import CURATORS, DESK_CHANNEL, at, entries, posts, rows
from tests.scenarios.tokens.making import made_token

LEAD, AGENT, SOLO, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"


def test_exceptions_pushed_by_a_tool_demote_a_step_and_the_channel_hears_of_it(
    desk: BotHarness, tool: Tool
) -> None:
    answer = tool.push(
        "exceptions", {"id": "t-1", "step": "send", "reason": "promised a refund", "critical": True}
    )
    assert answer.outcomes == [("recorded", "")]
    (result,) = answer.body["results"]
    assert (result["id"], result["verdict"]["decision"]) == ("t-1", "demote")
    desk.tick()
    (demoted,) = contexts(posts(desk, DESK_CHANNEL), Demoted)
    assert (demoted.step_key, demoted.line) == ("send", "critical")
    assert demoted.critical_reason == "promised a refund"
    (row,) = rows(desk, LoggedException)
    assert (row.member, row.surface, row.critical, row.happened_at) == (LEAD, "api", True, desk.clock.now())
    (entry,) = entries(desk, "exception")
    assert (entry.surface, entry.member, entry.after["via"]) == ("api", LEAD, "Help desk")
    assert entry.correlation_id.endswith(":t-1")


def test_the_list_of_exceptions_says_which_tool_reported_them(desk: BotHarness, tool: Tool) -> None:
    assert tool.push("exceptions", {"id": "t-1", "step": "send", "reason": "wrong price"}).status == 200
    refused = desk.workspace.person(LEAD).types("/exception undo", channel=DESK_CHANNEL)
    assert_golden(refused, "refused-to-undo-what-a-tool-logged")
    (logged,) = rows(desk, LoggedException)
    assert logged.withdrawn_after is None
    said = desk.workspace.person(LEAD).types("/cadence trace reply send", channel=DESK_CHANNEL)
    assert_golden(said, "trace-with-the-tool")


def test_the_exceptions_of_a_batch_are_judged_once(desk: BotHarness, tool: Tool) -> None:
    items = [{"id": f"t-{at}", "step": "send", "reason": f"wrong price {at}"} for at in range(3)]
    answer = tool.push("exceptions", *items)
    assert answer.outcomes == [("recorded", "")] * 3
    assert {one["verdict"]["exceptions"] for one in answer.body["results"]} == {3}
    verdicts = [one for one in entries(desk, "verdict") if one.surface == "rule"]
    assert len(verdicts) == 1


@pytest.mark.parametrize(("path", "table"), [("runs", MeasuredRuns), ("exceptions", LoggedException)])
def test_rows_of_a_batch_are_in_the_order_of_its_items(
    desk: BotHarness, tool: Tool, path: str, table: type[MeasuredRuns | LoggedException]
) -> None:
    about: dict[str, Any] = {"runs": 1} if path == "runs" else {"step": "send", "reason": "wrong price"}
    names = [f"n-{number * 37 % 120}" for number in range(120)]
    assert tool.push(path, *[{"id": name, **about} for name in names]).status == 200
    assert [row.source.partition(":")[2] for row in rows(desk, table)] == names


def test_a_batch_can_correct_its_own_items(desk: BotHarness, tool: Tool) -> None:
    first, second, third = (
        {"id": "a", "runs": 1},
        {"id": "b", "runs": 2},
        {"id": "c", "runs": 3, "replaces": "a"},
    )
    answer = tool.push("runs", first, second, third, {"id": "d", "runs": 4, "replaces": "c"})
    assert answer.outcomes == [("recorded", "")] * 4
    a, b, c, d = rows(desk, MeasuredRuns)
    assert [row.replaced_by for row in (a, b, c, d)] == [c.id, None, d.id, None]


def test_a_number_becomes_the_weeks_reading(desk: BotHarness, tool: Tool) -> None:
    assert tool.push("kpi", {"id": "k-1", "value": 14}).status == 200
    assert tool.push("kpi", {"id": "k-2", "value": "13m", "note": "after the fix"}).status == 200
    old, new = rows(desk, Reading)
    assert (old.value, old.replaced_at is not None, new.value, new.note) == (14, True, 13, "after the fix")
    assert new.happened_at == desk.clock.now()
    late = tool.push("kpi", {"id": "k-3", "value": 20, "at": "2026-03-05T08:00:00+01:00"})
    assert (late.status, late.code, late.body["results"][0]["code"]) == (
        422,
        "all-refused",
        "older-than-current",
    )
    assert_golden(late.body["detail"], "refused-older-number")
    assert len(rows(desk, Reading)) == 2


def test_items_of_a_team_keep_their_order_whether_or_not_they_name_it(desk: BotHarness, tool: Tool) -> None:
    answer = tool.push("kpi", {"id": "k-1", "value": 14, "team": "desk"}, {"id": "k-2", "value": 13})
    assert answer.outcomes == [("recorded", "")] * 2
    assert [(row.value, row.replaced_at is None) for row in rows(desk, Reading)] == [(14, False), (13, True)]
    first = {"id": "r-1", "runs": 12, "team": "desk", "playbook": "reply"}
    assert (
        tool.push("runs", first, {"id": "r-2", "runs": 10, "replaces": "r-1"}).outcomes
        == [("recorded", "")] * 2
    )


def test_a_number_in_words_that_are_none_is_refused_with_what_would_be_right(
    desk: BotHarness, tool: Tool
) -> None:
    answer = tool.push("kpi", {"id": "k-1", "value": "fast"})
    assert answer.status == 422
    assert_golden(answer.body["detail"], "refused-no-number")
    assert rows(desk, Reading) == []


def test_counted_runs_are_kept_with_their_week_and_member(desk: BotHarness, tool: Tool) -> None:
    answer = tool.push(
        "runs",
        {"id": "r-1", "runs": 12, "member": AGENT},
        {"id": "r-2", "step": "send", "runs": 7, "at": "2026-03-02T09:00:00+01:00"},
        {"id": "r-3", "runs": 1, "member": "U0NOBODY"},
    )
    assert answer.outcomes == [("recorded", ""), ("recorded", ""), ("refused", "unknown-member")]
    first, second = rows(desk, MeasuredRuns)
    assert (first.runs, first.member, first.step, first.week, first.happened_at) == (
        12,
        AGENT,
        "",
        1,
        desk.clock.now(),
    )
    assert (second.runs, second.step, second.happened_at) == (7, "send", at("2026-03-02 09:00"))
    (entry,) = entries(desk, "runs-measured")
    assert (entry.after["runs"], entry.after["via"]) == (19, "Help desk")


def test_runs_are_corrected_by_a_newer_item(desk: BotHarness, tool: Tool) -> None:
    tool.push("runs", {"id": "r-1", "runs": 12})
    assert tool.push("runs", {"id": "r-2", "runs": 10, "replaces": "r-1"}).outcomes == [("recorded", "")]
    old, new = rows(desk, MeasuredRuns)
    assert old.replaced_by == new.id
    again = tool.push("runs", {"id": "r-3", "runs": 9, "replaces": "r-1"})
    assert again.body["results"][0]["code"] == "already-replaced"
    unknown = tool.push("runs", {"id": "r-4", "runs": 9, "replaces": "r-9"})
    assert unknown.body["results"][0]["code"] == "unknown-item"


def test_a_correction_counts_in_the_week_of_what_it_corrects(desk: BotHarness, tool: Tool) -> None:
    assert tool.push("runs", {"id": "r-1", "runs": 12}).status == 200
    desk.play_until(at("2026-03-10 12:00"))
    assert tool.push("runs", {"id": "r-2", "runs": 10, "replaces": "r-1"}).status == 200
    moved = {"id": "r-3", "runs": 9, "replaces": "r-2", "at": "2026-03-10T09:00:00+01:00"}
    assert tool.push("runs", moved).status == 200
    known = [(row.runs, row.week, row.happened_at) for row in rows(desk, MeasuredRuns)]
    then = at("2026-03-05 12:00")
    assert known == [(12, 1, then), (10, 1, then), (9, 2, at("2026-03-10 09:00"))]


def test_grades_are_kept(desk: BotHarness, tool: Tool) -> None:
    answer = tool.push(
        "rubric", {"id": "g-1", "step": "draft", "samples": 20, "passes": 19, "note": "by the judge"}
    )
    assert answer.outcomes == [("recorded", "")]
    (row,) = rows(desk, RubricResult)
    assert (row.samples, row.passes, row.note, row.surface) == (20, 19, "by the judge", "api")
    wrong = tool.push("rubric", {"id": "g-2", "step": "draft", "samples": 2, "passes": 3})
    assert_golden(wrong.body["detail"], "refused-more-passes-than-samples")
    assert len(rows(desk, RubricResult)) == 1


def test_an_automated_check_must_be_the_steps(desk: BotHarness, tool: Tool) -> None:
    wrong = tool.push("checks", {"id": "c-1", "step": "send", "check": "spelling", "passed": True})
    assert wrong.body["results"][0]["code"] in ("no-check", "unknown-check")
    assert rows(desk, CheckResult) == []


@pytest.mark.parametrize(
    "link", ["https://x.example/" + "a" * 983, "https://x.example/a\x1eb", "ftp://x.example"]
)
def test_a_link_that_people_couldnt_give_either_is_refused(desk: BotHarness, tool: Tool, link: str) -> None:
    item = {"step": "send", "reason": "wrong price"}
    answer = tool.push("exceptions", {"id": "a", "link": link, **item}, {"id": "b", **item})
    assert answer.outcomes == [("refused", "invalid-item"), ("recorded", "")]
    assert len(rows(desk, LoggedException)) == 1


def test_an_item_counts_once_however_often_it_is_sent(desk: BotHarness, tool: Tool) -> None:
    item = {"id": "t-1", "step": "send", "reason": "wrong price"}
    first = tool.push("exceptions", item)
    again = tool.push("exceptions", item)
    assert again.outcomes == [("repeated", "")]
    assert again.body["results"][0]["verdict"] == first.body["results"][0]["verdict"]
    other = tool.push("exceptions", item | {"reason": "another"})
    assert (other.status, other.code) == (409, "id-reused")
    twice = tool.push("exceptions", *[{"id": "t-2", "step": "send", "reason": "late"}] * 2)
    assert twice.outcomes == [("recorded", ""), ("repeated", "")]
    desk.play_until(desk.clock.now() + timedelta(days=4))
    assert tool.push("exceptions", item).outcomes == [("repeated", "")]
    assert len(rows(desk, LoggedException)) == 2


def test_a_number_counts_once_however_late_it_is_sent_again(desk: BotHarness, tool: Tool) -> None:
    item = {"id": "k-1", "value": 14}
    assert tool.push("kpi", item).outcomes == [("recorded", "")]
    desk.play_until(desk.clock.now() + timedelta(days=7))
    assert tool.push("kpi", item).outcomes == [("repeated", "")]
    assert len(rows(desk, Reading)) == 1


def test_a_message_is_logged_once_in_a_batch(desk: BotHarness, tool: Tool) -> None:
    link = "https://acme.slack.com/archives/C01DESK/p1772700000000100"
    item = {"step": "draft", "reason": "wrong price", "link": link}
    answer = tool.push(
        "exceptions", {"id": "a", **item}, {"id": "b", **item}, {"id": "c", **item, "step": "send"}
    )
    assert answer.outcomes == [("recorded", ""), ("refused", "already-logged"), ("recorded", "")]
    assert len(rows(desk, LoggedException)) == 2


def test_invisible_characters_are_removed(desk: BotHarness, tool: Tool) -> None:
    pushed = tool.push("exceptions", {"id": "t-1", "step": "send", "reason": "wrong\x00 \u202eprice"})
    assert pushed.outcomes == [("recorded", "")]
    assert tool.push("kpi", {"id": "k-1", "value": "14m\x00", "note": "after\u200b a fix\x00"}).status == 200
    assert (
        tool.push("rubric", {"id": "g-1", "step": "draft", "samples": 2, "passes": 1, "note": "a\x00"}).status
        == 200
    )
    assert [row.reason for row in rows(desk, LoggedException)] == ["wrong price"]
    assert [(row.value, row.note) for row in rows(desk, Reading)] == [(14, "after a fix")]
    assert [row.note for row in rows(desk, RubricResult)] == ["a"]
    for reason in ("\x00", "\u200b\u202e", " "):
        empty = tool.push("exceptions", {"id": "t-2", "step": "send", "reason": reason})
        assert (empty.status, empty.body["results"][0]["code"]) == (422, "invalid-item")


@pytest.mark.parametrize(
    "link", ["https://a.example/\x00b", "https://a.example/" + "b" * 1_000, "ftp://a.example"]
)
def test_a_link_that_cant_be_kept_is_refused(desk: BotHarness, tool: Tool, link: str) -> None:
    answer = tool.push("exceptions", {"id": "t-1", "step": "send", "reason": "wrong price", "link": link})
    assert (answer.status, answer.body["results"][0]["code"]) == (422, "invalid-item")
    assert rows(desk, LoggedException) == []


@pytest.mark.parametrize("value", ["true", "false", "1" + "0" * 400, "1e400", "-1e13", "null", "[14]"])
def test_what_is_no_number_is_refused(desk: BotHarness, tool: Tool, value: str) -> None:
    answer = tool.send("kpi", f'{{"id": "k-1", "value": {value}}}'.encode())
    assert (answer.status, answer.body["results"][0]["code"]) == (422, "invalid-item")
    assert rows(desk, Reading) == []


def test_a_number_keeps_its_digits(desk: BotHarness, tool: Tool) -> None:
    for number, value in enumerate(("1e-7", "12.123456789", "100", "1e3")):
        assert tool.send("kpi", f'{{"id": "k-{number}", "value": {value}}}'.encode()).status == 200
    known = [(row.value, row.typed) for row in rows(desk, Reading)]
    assert known == [(1e-7, "0.0000001"), (12.123456789, "12.123456789"), (100, "100"), (1_000, "1000")]


def test_items_without_ids_get_one_from_the_requests_key(desk: BotHarness, tool: Tool) -> None:
    items = [{"runs": 3}, {"runs": 4}]
    assert tool.push("runs", *items, Idempotency_Key="job-7").outcomes == [("recorded", "")] * 2
    again = tool.push("runs", *items, Idempotency_Key="job-7")
    assert again.outcomes == [("repeated", "")] * 2
    assert [one["id"] for one in again.body["results"]] == ["job-7:0", "job-7:1"]
    assert tool.push("runs", {"runs": 3}).body["results"][0]["code"] == "no-id"
    assert len(rows(desk, MeasuredRuns)) == 2


def test_each_item_of_a_batch_is_judged_alone(desk: BotHarness, tool: Tool) -> None:
    answer = tool.push(
        "exceptions",
        {"id": "a", "step": "send", "reason": "wrong price"},
        {"id": "b", "step": "sent", "reason": "wrong price"},
        {"id": "c", "step": "send"},
        {"id": "d", "step": "send", "reason": "wrong price", "team": "desks"},
        {"id": "e", "step": "send", "reason": "wrong price", "colour": "red"},
    )
    assert answer.status == 200
    assert answer.outcomes == [
        ("recorded", ""),
        ("refused", "unknown-step"),
        ("refused", "invalid-item"),
        ("refused", "unknown-team"),
        ("refused", "invalid-item"),
    ]
    for result in answer.body["results"][1:]:
        assert_golden(result["detail"], f"refused-in-a-batch:{result['id']}")
    assert len(rows(desk, LoggedException)) == 1


def test_a_thousand_items_are_recorded_and_one_more_is_too_many(desk: BotHarness, tool: Tool) -> None:
    items = [{"id": f"r-{number}", "runs": 1} for number in range(1_001)]
    assert tool.push("runs", *items).code == "too-many-items"
    assert rows(desk, MeasuredRuns) == []
    answer = tool.push("runs", *items[:1_000])
    assert set(answer.outcomes) == {("recorded", "")}
    assert len(rows(desk, MeasuredRuns)) == 1_000


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ("2026-03-05T12:06:00+01:00", "in-the-future"),
        ("2026-01-28T12:00:00+01:00", "too-late"),
        ("2026-02-20T12:00:00+01:00", "no-cycle"),
    ],
)
def test_when_it_happened_is_bounded(desk: BotHarness, tool: Tool, when: str, code: str) -> None:
    answer = tool.push("exceptions", {"id": "t-1", "step": "send", "reason": "late", "at": when})
    assert answer.body["results"][0]["code"] == code
    assert rows(desk, LoggedException) == []


def test_a_clock_a_little_ahead_is_no_matter(tool: Tool) -> None:
    item = {"id": "t-1", "runs": 1, "at": "2026-03-05T12:04:59+01:00"}
    assert tool.push("runs", item).status == 200


def test_what_happened_in_a_closed_cycle_stays_in_it(desk: BotHarness, tool: Tool) -> None:
    desk.play_until(at("2026-03-30 12:00"))
    desk.workspace.person(LEAD).types("/cadence cycle start reply 2026-03-30 team=desk", channel=DESK_CHANNEL)
    desk.play_until(at("2026-03-31 12:00"))
    before = len(entries(desk, "verdict"))
    late: dict[str, Any] = {"at": "2026-03-25T12:00:00+01:00"}
    answer = tool.push(
        "exceptions", {"id": "t-1", "step": "send", "reason": "price", "critical": True, **late}
    )
    assert answer.outcomes == [("recorded", "")]
    assert "verdict" not in answer.body["results"][0]
    assert len(entries(desk, "verdict")) == before
    assert tool.push("kpi", {"id": "k-1", "value": 11, **late}).outcomes == [("recorded", "")]
    assert tool.push("runs", {"id": "r-1", "runs": 5, **late}).outcomes == [("recorded", "")]
    (exception,) = rows(desk, LoggedException)
    (reading,) = rows(desk, Reading)
    (runs,) = rows(desk, MeasuredRuns)
    assert {exception.cycle_id, reading.cycle_id, runs.cycle_id} == {1}
    assert (reading.week, runs.week) == (4, 4)
    assert len(entries(desk, "cycle-judged-again")) == 1


def test_a_token_of_another_team_or_playbook_reaches_nothing(desk: BotHarness) -> None:
    tool = Tool(desk, made_token(desk, CURATOR, team="solo"))
    answer = tool.push("runs", {"id": "r-1", "runs": 1, "playbook": "reply", "team": "desk"})
    assert (answer.status, answer.code) == (422, "all-refused")
    assert_golden(answer.body["detail"], "refused-other-team")
    assert rows(desk, MeasuredRuns) == []


def test_an_assistant_can_do_what_its_person_can(desk: BotHarness) -> None:
    tool = Tool(desk, made_token(desk, AGENT, use="assistant", name="Claude", scopes=("write", "read")))
    assert tool.push("exceptions", {"id": "t-1", "step": "send", "reason": "wrong price"}).status == 200
    grade = tool.push("rubric", {"id": "g-1", "step": "draft", "samples": 2, "passes": 2})
    assert grade.body["results"][0]["code"] == "not-allowed"
    assert_golden(grade.body["detail"], "refused-grades-of-a-member")
    assert rows(desk, RubricResult) == []
    (row,) = rows(desk, LoggedException)
    assert row.member == AGENT


def test_only_the_owners_assistant_reports_what_tools_count(desk: BotHarness) -> None:
    counted: dict[str, dict[str, Any]] = {
        "runs": {"id": "r-1", "runs": 5_000, "member": SOLO},
        "checks": {"id": "c-1", "step": "draft", "check": "policy-lint", "passed": True},
        "rubric": {"id": "g-1", "step": "draft", "samples": 2, "passes": 2},
    }
    of_member = Tool(desk, made_token(desk, AGENT, use="assistant", name="Claude"))
    for path, item in counted.items():
        answer = of_member.push(path, item)
        assert answer.body["results"][0]["code"] == "not-allowed"
        assert_golden(answer.body["detail"], f"refused-counts-of-a-member:{path}")
    assert rows(desk, MeasuredRuns) == []
    of_owner = Tool(desk, made_token(desk, LEAD, use="assistant", name="Claude"))
    assert of_owner.push("runs", {"id": "r-1", "runs": 12}).outcomes == [("recorded", "")]


def test_everything_a_tool_does_is_in_the_trail(desk: BotHarness, tool: Tool) -> None:
    tool.push("kpi", {"id": "k-1", "value": 14})
    tool.push("rubric", {"id": "g-1", "step": "draft", "samples": 2, "passes": 2})
    found = [one for one in rows(desk, TrailEntry) if one.surface == "api"]
    assert [(one.action, one.member) for one in found] == [("reading", LEAD), ("rubric-result", LEAD)]
    assert [one.correlation_id.partition(":")[2] for one in found] == ["k-1", "g-1"]


def test_curators_are_told_as_if_a_person_had_logged_it(desk: BotHarness, tool: Tool) -> None:
    tool.push("exceptions", {"id": "t-1", "step": "send", "reason": "promised a refund", "critical": True})
    desk.tick()
    assert posts(desk, CURATORS)
