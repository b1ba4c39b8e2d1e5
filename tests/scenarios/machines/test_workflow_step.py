"""The step "Report runs" of a workflow: it counts runs of the person it names."""

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.steps import Step
from storage.tables import MeasuredRuns
from templates.contexts.exceptions import ExceptionLogged
from tests.contexts import assert_golden, shown
from tests.scenarios.plays import DESK_CHANNEL, entries, rows

AGENT, OTHER_TEAM = "U01AGENT1", "U01AGENT2"


def report(desk: BotHarness, **inputs: object) -> Step:
    return desk.workspace.run_step("report_runs", {"person": AGENT, "playbook": "reply", "runs": 7, **inputs})


def test_it_counts_runs_of_the_person_and_says_so(desk: BotHarness) -> None:
    step = report(desk)
    assert step.outputs is not None
    assert list(step.outputs) == ["answer"]
    assert_golden(step.outputs["answer"], "runs-counted")
    (row,) = rows(desk, MeasuredRuns)
    assert (row.member, row.runs, row.step, row.surface, row.token_id) == (AGENT, 7, "", "workflow", None)
    assert [one.after["via"] for one in entries(desk, "runs-measured")] == ["a workflow"]


def test_the_runs_are_in_the_evidence_on_its_step(desk: BotHarness) -> None:
    report(desk, runs=30, step="send")
    answer = desk.workspace.person(AGENT).types("/exception send tone was off", channel=DESK_CHANNEL)
    evidence = shown(answer, ExceptionLogged).evidence
    assert (evidence.exceptions, evidence.measured, evidence.assumed) == (1, 30, 20)


@pytest.mark.parametrize(
    ("case", "inputs"),
    [
        ("person-of-another-team", {"person": OTHER_TEAM}),
        ("nobody", {"person": ""}),
        ("person-is-a-mention", {"person": "<!channel>"}),
        ("person-is-a-list", {"person": ["U01AGENT1"]}),
        ("person-is-too-long", {"person": "U" * 100_000}),
        ("misspelled-playbook", {"playbook": "repyl"}),
        ("misspelled-step", {"step": "sned"}),
        ("other-team", {"team": "solo"}),
        ("fewer-than-no-runs", {"runs": -1}),
        ("runs-in-words", {"runs": "many"}),
        ("no-runs", {"runs": None}),
        ("runs-are-true", {"runs": True}),
        ("half-a-run", {"runs": 1.5}),
        ("too-many-runs", {"runs": 10**400}),
        ("step-is-a-mention", {"step": "<!channel>"}),
        ("team-is-too-long", {"team": "d\0" * 1_500}),
    ],
)
def test_a_refused_step_fails_with_the_sentence(
    desk: BotHarness, case: str, inputs: dict[str, object]
) -> None:
    step = report(desk, **inputs)
    assert step.outputs is None
    assert step.error is not None
    assert_golden(step.error, f"refused:{case}")
    assert rows(desk, MeasuredRuns) == []


def test_a_repeated_event_counts_nothing_twice(desk: BotHarness) -> None:
    step = report(desk)
    desk.workspace.run_step_again(step)
    assert len(rows(desk, MeasuredRuns)) == 1
