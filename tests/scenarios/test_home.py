"""The Home tab: what waits stands there with its buttons, and it changes when something happens (SPEC §7)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.stage import Stage
from storage.tables import CheckIn
from tests.scenarios.plays import DESK, REPLY, at, bot_dms, rows, start_cycle
from tests.staging import on_stage

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Stage]:
    """Thursday of week 1, the check-ins are out: the lead reports the number, the agent doesn't."""
    with on_stage(tmp_path, workspace=DESK, playbooks=[REPLY]) as stage:
        start_cycle(stage)
        stage.play_until(at("2026-03-05 10:42"))
        yield stage


def published(stage: Stage) -> int:
    """How often a Home was published so far."""
    return sum(one.what == "views.publish" for one in stage.workspace.exchanges())


def test_a_check_in_is_answered_on_the_home_and_the_dm_follows(desk: Stage) -> None:
    agent = desk.workspace.person(AGENT)
    home = agent.opens_home()
    assert "*1 thing waits for you.*" in home.words
    agent.clicks(home, "Ran as declared")
    agent.submits({"runs": "14"})
    desk.tick()
    assert [row.runs for row in rows(desk, CheckIn)] == [14]
    assert bot_dms(desk, AGENT)[-1].buttons == ["Change"]
    assert "*Nothing waits for you.* Your next check-in arrives Thu 12 Mar at 10:00." in agent.home().words
    assert "You: ran as declared, 14 runs" in agent.home().words


def test_an_answer_in_the_dm_takes_it_off_the_home_once(desk: Stage) -> None:
    agent = desk.workspace.person(AGENT)
    agent.opens_home()
    before = published(desk)
    agent.clicks(agent.last_dm(), "Didn't run")
    agent.submits({})
    desk.tick()
    desk.tick()
    assert "*Nothing waits for you.*" in agent.home().words
    assert published(desk) == before + 1
