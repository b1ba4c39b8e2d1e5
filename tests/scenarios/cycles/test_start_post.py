"""The team's channel is told when a cycle is started, once and in working hours."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from cadence.nudges import Unless
from storage.tables import MessageState
from templates.contexts.cycles import CycleAnnounced
from templates.contexts.gates import WeekOpens
from tests.contexts import assert_golden, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, at, ledger, posts, start_cycle


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Friday 27 February, 13:00 in Berlin."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        yield harness


def told(harness: BotHarness) -> list[Message]:
    harness.tick()
    return [post for post in posts(harness, DESK_CHANNEL) if is_shown(post, CycleAnnounced)]


def test_the_team_is_told_at_once_with_the_number_the_days_and_what_happens_first(desk: BotHarness) -> None:
    start_cycle(desk)
    [post] = told(desk)
    assert_golden(post, "starts-on-monday")
    announced = shown(post, CycleAnnounced)
    assert (announced.starts, announced.closes) == (date(2026, 3, 2), date(2026, 3, 27))
    assert (announced.opens, announced.first_checkin) == (date(2026, 3, 2), date(2026, 3, 5))
    assert (announced.owner, announced.members) == ("U01LEAD", 2)
    desk.play_until(at("2026-03-02 12:00"))
    assert len(told(desk)) == 1
    assert len(posts(desk, DESK_CHANNEL)) == 2


@pytest.mark.parametrize("moment", ["2026-02-27 19:00", "2026-03-01 12:00", "2026-03-02 08:30"])
def test_on_the_day_it_begins_the_weeks_post_says_it(desk: BotHarness, moment: str) -> None:
    desk.play_until(at(moment))
    start_cycle(desk)
    desk.play_until(at("2026-03-02 12:00"))
    assert told(desk) == []
    assert [row.state for row in ledger(desk, "cycle-started")] == [MessageState.SKIPPED]
    [opened] = posts(desk, DESK_CHANNEL)
    week = shown(opened, WeekOpens)
    assert (week.playbook, week.number, week.week) == ("Reply", 1, 1)


@pytest.mark.parametrize(
    ("moment", "first"),
    [("2026-03-03 11:00", date(2026, 3, 5)), ("2026-03-06 11:00", date(2026, 3, 12))],
    ids=["tuesday", "friday"],
)
def test_a_cycle_started_after_its_first_post_says_so_and_when_the_first_check_in_comes(
    desk: BotHarness, moment: str, first: date
) -> None:
    desk.play_until(at(moment))
    start_cycle(desk)
    [post] = told(desk)
    announced = shown(post, CycleAnnounced)
    assert (announced.playbook, announced.number) == ("Reply", 1)
    assert (announced.opens, announced.first_checkin) == (None, first)
    assert_golden(post, f"has-started:{first}")


def test_nobody_is_told_at_night(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-03 22:00"))
    start_cycle(desk, monday="2026-03-09")
    assert told(desk) == []
    desk.play_until(at("2026-03-04 09:05"))
    assert len(told(desk)) == 1


def test_nothing_is_said_of_a_cycle_paused_before_the_morning(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-03 22:00"))
    start_cycle(desk, monday="2026-03-09")
    desk.workspace.person("U01LEAD").types("/cadence cycle pause reply team=desk")
    desk.play_until(at("2026-03-04 09:00"))
    assert told(desk) == []
    [post] = ledger(desk, "cycle-started")
    assert (post.state, post.reason) == (MessageState.SKIPPED, Unless.PAUSED)
