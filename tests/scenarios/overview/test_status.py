"""`/cadence status`: what it offers beside the numbers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, InCycle
from tests.templates.seen import texts

AGENT = "U01AGENT1"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of week 1, the check-ins were sent."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-05 12:00")
    ) as harness:
        yield harness


def status(desk: BotHarness) -> Message:
    answer = desk.workspace.person(AGENT).types("/cadence status", channel=DESK_CHANNEL)
    assert answer.message is not None
    return answer.message


def test_an_open_check_in_is_the_one_primary_button(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    form = agent.clicks(status(desk), "Check in").view
    assert form is not None
    agent.submits({"runs": "9"})
    assert status(desk).buttons == []


def test_its_menu_asks_which_step_why_is_about(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    form = agent.chooses(status(desk), "menu", "Why").view
    assert form is not None
    assert {"Draft the reply (collaborative)", "Send the reply (AI-led)"} <= set(texts(form.blocks))


def test_its_menu_shows_the_exceptions_of_a_step_that_has_some(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    agent.types("/exception send tone was off", channel=DESK_CHANNEL)
    shown = agent.chooses(status(desk), "menu", "Exceptions: Send the reply").view
    assert shown is not None
    assert "tone was off" in "".join(texts(shown.blocks))
