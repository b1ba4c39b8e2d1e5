"""Before a cycle runs, each command says who can start one, and how."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.kinds import words_of
from templates.ids import Shortcut
from tests.contexts import assert_golden
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, SOLO_CHANNEL, TRIAGE, changed

MEMBER, OWNER, CURATOR, OUTSIDER = "U01AGENT1", "U01LEAD", "U01CURATOR", "U01AGENT2"
COMMANDS = ("/exception", "/exception send tone was off", "/kpi", "/kpi 14m", "/attest", "/cadence trend")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """A team and a playbook, but no cycle."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        yield harness


def told(harness: BotHarness, member: str, channel: str = DESK_CHANNEL) -> str:
    """The answers to every command, and to the shortcut of the check-in."""
    person = harness.workspace.person(member)
    answers = []
    for command in (*COMMANDS, "/cadence status"):
        said = person.types(command, channel=channel)
        assert said.message
        answers.append(f"{command}: {' '.join(words_of(said.message.blocks).splitlines())}")
    person.shortcut(Shortcut.CHECK_IN)
    answers.append(f"Check in: {person.form().words}")
    return "\n".join(answers)


@pytest.mark.parametrize(("who", "member"), [("member", MEMBER), ("owner", OWNER), ("curator", CURATOR)])
def test_nobody_is_left_without_a_next_step(desk: BotHarness, who: str, member: str) -> None:
    assert_golden(told(desk, member), who)


def test_a_person_without_a_team_joins_one_first(desk: BotHarness) -> None:
    desk.workspace.person(OUTSIDER).types("/cadence team leave solo", channel=SOLO_CHANNEL)
    assert_golden(told(desk, OUTSIDER, SOLO_CHANNEL), "no-team")


def test_of_several_playbooks_each_is_named_with_its_owner(tmp_path: Path) -> None:
    triage = changed(TRIAGE, tmp_path, ("owner: U01LEAD", f"owner: {CURATOR}"))
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, triage]) as harness:
        assert_golden(told(harness, MEMBER), "several-playbooks")
        assert_golden(told(harness, CURATOR), "several-of-theirs")


def test_without_a_playbook_the_first_one_is_added(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[]) as harness:
        answers = [
            harness.workspace.person(MEMBER).types(command, channel=DESK_CHANNEL).words
            for command in ("/exception", "/kpi", "/attest")
        ]
        assert_golden("\n".join(answers), "no-playbook")
