"""The step "Report runs" of a workflow: it counts runs of the person it names."""

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.steps import Step
from storage.tables import MeasuredRuns
from tests.scenarios.plays import DESK_CHANNEL, entries, rows

AGENT, OTHER_TEAM = "U01AGENT1", "U01AGENT2"


def report(desk: BotHarness, **inputs: object) -> Step:
    return desk.workspace.run_step("report_runs", {"person": AGENT, "playbook": "reply", "runs": 7, **inputs})


def test_it_counts_runs_of_the_person_and_says_so(desk: BotHarness) -> None:
    step = report(desk)
    assert step.outputs == {"answer": "7 runs counted for Reply in Desk."}
    (row,) = rows(desk, MeasuredRuns)
    assert (row.member, row.runs, row.step, row.surface, row.token_id) == (AGENT, 7, "", "workflow", None)
    assert [one.after["via"] for one in entries(desk, "runs-measured")] == ["a workflow"]


def test_the_runs_are_in_the_evidence_on_its_step(desk: BotHarness) -> None:
    report(desk, runs=30, step="send")
    answer = desk.workspace.person(AGENT).types("/exception send tone was off", channel=DESK_CHANNEL)
    assert "1 exception in 30 measured runs" in answer.words


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"person": OTHER_TEAM}, "run"),
        ({"person": ""}, "members of this workspace"),
        ({"person": "<!channel>"}, "members of this workspace"),
        ({"person": ["U01AGENT1"]}, "members of this workspace"),
        ({"person": "U" * 100_000}, "members of this workspace"),
        ({"playbook": "repyl"}, "reply"),
        ({"step": "sned"}, "send"),
        ({"team": "solo"}, "solo"),
        ({"runs": -1}, "runs"),
        ({"runs": "many"}, "runs"),
        ({"runs": None}, "`runs` takes a whole number"),
        ({"runs": True}, "`runs` takes a whole number"),
        ({"runs": 1.5}, "`runs` takes a whole number"),
        ({"runs": 10**400}, "`runs` takes 100,000 at most"),
        ({"step": "<!channel>"}, "`step` takes a short name"),
        ({"team": "d\0" * 1_500}, "`team` takes a short name"),
    ],
)
def test_a_refused_step_fails_with_the_sentence(
    desk: BotHarness, inputs: dict[str, object], why: str
) -> None:
    step = report(desk, **inputs)
    assert step.outputs is None
    assert step.error is not None
    assert why in step.error
    assert rows(desk, MeasuredRuns) == []


def test_a_repeated_event_counts_nothing_twice(desk: BotHarness) -> None:
    step = report(desk)
    desk.workspace.run_step_again(step)
    assert len(rows(desk, MeasuredRuns)) == 1
