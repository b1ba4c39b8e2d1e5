"""Results of automated checks are shown next to people's grades, and don't count as graded samples."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from storage.tables import CheckResult, RubricResult
from templates.contexts.overview.statuses import Why
from tests.contexts import assert_golden, shown
from tests.harnesses import bot_harness
from tests.scenarios.machines.asking import Tool
from tests.scenarios.plays import at, rows
from tests.scenarios.tokens.making import made_token

LEAD = "U01LEAD"


@pytest.fixture
def support(tmp_path: Path) -> Iterator[BotHarness]:
    """Support EMEA in its first week; its draft has the automated check policy-check."""
    with bot_harness(tmp_path) as harness:
        harness.workspace.person(LEAD).types(
            "/cadence cycle start support-reply 2026-03-02 team=support-emea", channel="C01SUPEMEA"
        )
        harness.play_until(at("2026-03-05 12:00"))
        yield harness


def test_the_results_of_a_cycle_are_added_up(support: BotHarness) -> None:
    tool = Tool(support, made_token(support, LEAD, playbook="support-reply", scopes=("write", "read")))
    answer = tool.push(
        "checks",
        {"id": "c-1", "step": "draft", "check": "policy-check", "samples": 213, "passes": 211},
        {"id": "c-2", "step": "draft", "check": "policy-check", "passed": False, "note": "an old price"},
        {"id": "c-3", "step": "draft", "check": "spelling", "passed": True},
        {"id": "c-4", "step": "draft", "check": "policy-check", "passed": True, "samples": 2, "passes": 1},
        {"id": "c-5", "step": "draft", "check": "policy-check", "samples": 2, "passes": 3},
    )
    assert answer.outcomes == [
        ("recorded", ""),
        ("recorded", ""),
        ("refused", "unknown-check"),
        ("refused", "invalid-item"),
        ("refused", "invalid-item"),
    ]
    said = support.workspace.person(LEAD).types("/cadence why support-reply draft", channel="C01SUPEMEA")
    assert_golden(shown(said, Why).check, "results-of-the-check")
    assert len(rows(support, CheckResult)) == 2
    assert rows(support, RubricResult) == []
    assert [one["passes"] for one in tool.read("checks").body["items"]] == [0, 211]
