"""The team's channel is told when a cycle is started, once and in working hours."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from storage.tables import MessageState
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, at, ledger, posts, start_cycle


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Friday 27 February, 13:00 in Berlin."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        yield harness


def told(harness: BotHarness) -> list[str]:
    harness.tick()
    return [post.words for post in posts(harness, DESK_CHANNEL) if post.text.startswith("Cycle 1 of Reply")]


def test_the_team_is_told_at_once_with_the_number_the_days_and_what_happens_first(desk: BotHarness) -> None:
    start_cycle(desk)
    [post] = told(desk)
    assert "Cycle 1 of Reply starts Mon 2 Mar" in post
    assert "First response time, 42 min → 15 min" in post
    assert "Mon 2 – Fri 27 Mar" in post
    assert "<@U01LEAD>" in post
    assert "Mon 2 Mar: what to do in week 1" in post
    assert "Thu 5 Mar: the first check-in, a DM to 2 members" in post
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
    assert "Reply · week 1" in opened.text


@pytest.mark.parametrize(
    ("moment", "first"), [("2026-03-03 11:00", "Thu 5 Mar"), ("2026-03-06 11:00", "Thu 12 Mar")]
)
def test_a_cycle_started_after_its_first_post_says_so_and_when_the_first_check_in_comes(
    desk: BotHarness, moment: str, first: str
) -> None:
    desk.play_until(at(moment))
    start_cycle(desk)
    [post] = told(desk)
    assert "Cycle 1 of Reply has started" in post
    assert "what to do in week 1" not in post
    assert f"{first}: the first check-in" in post


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
