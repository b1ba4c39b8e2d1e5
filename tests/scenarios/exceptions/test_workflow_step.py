"""The step "Log an exception" of a workflow: it acts for the person it names, and tells them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.steps import Step
from storage.tables import LoggedException, MessageState
from templates.contexts.exceptions import LoggedForYou
from templates.ids import Action
from tests.contexts import actions, assert_golden, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, REPLY, InCycle, entries, ledger, rows

AGENT, OTHER_TEAM = "U01AGENT1", "U01AGENT2"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of week 1, the check-ins were sent."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-05 12:00")
    ) as harness:
        yield harness


def log(desk: BotHarness, **inputs: object) -> Step:
    given = {"person": AGENT, "playbook": "reply", "step": "send", "reason": "tone was off", **inputs}
    return desk.workspace.run_step("log_exception", given)


def test_it_logs_for_the_person_and_says_what_was_recorded(desk: BotHarness) -> None:
    step = log(desk)
    assert step.error is None
    assert step.outputs is not None
    assert_golden(step.outputs["answer"], "answer")
    assert [(row.member, row.surface) for row in rows(desk, LoggedException)] == [(AGENT, "workflow")]
    assert [one.surface for one in entries(desk, "exception")] == ["workflow"]


def test_the_person_is_told_and_can_undo_it(desk: BotHarness) -> None:
    log(desk)
    desk.bot.worker.tick()
    message = desk.workspace.dm(AGENT)[-1]
    told = shown(message, LoggedForYou)
    assert (told.step, told.reason) == ("Send the reply", "tone was off")
    assert Action.UNDO_EXCEPTION in actions(message)
    desk.workspace.person(AGENT).clicks(message, "Undo")
    assert [row.withdrawn_at is not None for row in rows(desk, LoggedException)] == [True]
    desk.bot.worker.tick()
    assert_golden(desk.workspace.dm(AGENT)[-1], "told-undone")
    assert shown(desk.workspace.dm(AGENT)[-1], LoggedForYou).undo is None
    assert [one.state for one in ledger(desk, "logged-for-you")] == [MessageState.SENT]


@pytest.mark.parametrize(
    ("case", "inputs"),
    [
        ("other-team", {"person": OTHER_TEAM}),
        ("no-person", {"person": ""}),
        ("unknown-person", {"person": "U0NOBODY"}),
        ("mistyped-playbook", {"playbook": "repyl"}),
        ("mistyped-step", {"step": "sned"}),
        ("blank-reason", {"reason": " "}),
        ("invisible-reason", {"reason": "\x00\u200b"}),
        ("invisible-person", {"person": "U0\x00NOBODY"}),
        ("long-reason", {"reason": "x" * 2_001}),
    ],
)
def test_a_refused_step_fails_with_the_sentence(desk: BotHarness, case: str, inputs: dict[str, str]) -> None:
    step = log(desk, **inputs)
    assert step.outputs is None
    assert step.error is not None
    assert_golden(step.error, f"refused:{case}")
    assert rows(desk, LoggedException) == []


def test_invisible_characters_are_removed(desk: BotHarness) -> None:
    assert log(desk, reason="to\x00ne \u202ewas off", step="send\x00").error is None
    assert [row.reason for row in rows(desk, LoggedException)] == ["tone was off"]


def test_a_repeated_event_logs_nothing_twice(desk: BotHarness) -> None:
    step = log(desk)
    desk.clock.advance(timedelta(minutes=1))
    again = desk.workspace.run_step_again(step)
    assert again.outputs == step.outputs
    assert len(rows(desk, LoggedException)) == 1
