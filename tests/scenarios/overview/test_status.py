"""`/cadence status`: what it offers beside the numbers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.kinds import elements_of
from bot.sandbox.messages import Message
from templates.contexts.exceptions import ExceptionList
from templates.contexts.overview.statuses import WhyForm
from templates.ids import Action
from tests.contexts import actions, assert_golden, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, InCycle

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
    before = status(desk)
    assert actions(before) == [Action.RAN_AS_DECLARED, Action.MENU]
    [button] = [one for _, one in elements_of(before.blocks) if one["type"] == "button"]
    assert button["style"] == "primary"
    form = agent.clicks(before, action_id=Action.RAN_AS_DECLARED).view
    assert form is not None
    agent.submits({"runs": "9"})
    assert actions(status(desk)) == [Action.MENU]


def test_its_menu_asks_which_step_why_is_about(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    [group] = shown(agent.chooses(status(desk), "menu", "Why"), WhyForm).groups
    assert [one.value for one in group.choices] == ["1:draft", "1:send"]
    assert_golden("\n".join(one.label for one in group.choices), "steps-with-modes")


def test_its_menu_shows_the_exceptions_of_a_step_that_has_some(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    agent.types("/exception send tone was off", channel=DESK_CHANNEL)
    listed = shown(agent.chooses(status(desk), "menu", "Exceptions: Send the reply"), ExceptionList)
    assert (listed.step, listed.evidence.exceptions) == ("Send the reply", 1)
    assert [one.reason for one in listed.items] == ["tone was off"]
