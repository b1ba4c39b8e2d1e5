"""Last week's check-in: how long it is asked for, how to answer it late, how long it can be snoozed (SPEC
§4)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.kinds import elements_of
from bot.sandbox.messages import Message
from bot.sandbox.views import View
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, InCycle, at, bot_dms

LEAD, AGENT = "U01LEAD", "U01AGENT1"
SNOOZE = "checkin.snooze"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of week 1, the check-ins were just sent."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-05 10:05")
    ) as harness:
        yield harness


def types(harness: BotHarness, text: str, member: str = AGENT) -> str:
    said = harness.workspace.person(member).types(text, channel=DESK_CHANNEL)
    harness.tick()
    return said.words


def home(harness: BotHarness) -> View:
    harness.workspace.person(AGENT).opens_home()
    harness.tick()
    return harness.workspace.person(AGENT).home()


def snoozes(where: Message | View) -> list[str]:
    return [
        option["text"]["text"]
        for _, element in elements_of(where.blocks)
        if element["action_id"] == SNOOZE
        for option in element["options"]
    ]


def test_a_closed_check_in_says_how_and_until_when_it_is_reported_late(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-09 09:00"))
    closed = bot_dms(desk, AGENT)[-1].words
    assert (
        "Closed without your answer. You can still report it on the Home tab until Tue 10 Mar, "
        "or with `/attest week=1` until Sun 29 Mar." in closed
    )
    desk.play_until(at("2026-03-09 10:05"))
    [told] = [one for one in bot_dms(desk, LEAD) if "Nudge them once more" in one.buttons]
    desk.workspace.person(LEAD).clicks(told, "Nudge them once more")
    desk.play_until(at("2026-03-11 12:00"))
    nudged = bot_dms(desk, AGENT)[-1]
    assert "As planned" in nudged.buttons
    assert "Check in" in home(desk).buttons, "Home asks as long as the message does"
    assert "Friday" not in snoozes(nudged)
    types(desk, "/cadence cycle pause reply", LEAD)
    desk.play_until(at("2026-03-16 09:00"))
    closed = bot_dms(desk, AGENT)[-1].words
    assert "You can still report it with `/attest week=1` until Sun 29 Mar." in closed
    assert "week 1" in types(desk, "/attest as-declared runs=5 week=1")


def test_the_last_weeks_check_in_closes_without_a_way_to_report_it_late(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-30 09:00"))
    closed = bot_dms(desk, AGENT)[-1].words
    assert "week 4 check-in\nClosed without your answer." in closed
    assert "still report it" not in closed


def test_last_weeks_check_in_is_snoozed_until_tuesday_at_the_latest(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-09 09:00"))
    shown = home(desk)
    assert "Friday" not in snoozes(shown)
    desk.workspace.person(AGENT).chooses(shown, SNOOZE, "tomorrow:2026-03-02")
    desk.tick()
    closed = bot_dms(desk, AGENT)[-1]
    assert "Snoozed until Tue 10 Mar, 10:00. We'll ask again then." in closed.words
    assert "You can still answer now" not in closed.words
    desk.play_until(at("2026-03-10 10:05"))
    assert "As planned" in bot_dms(desk, AGENT)[-1].buttons


def test_a_check_in_snoozed_after_it_came_counts_as_open(desk: BotHarness) -> None:
    [asked] = [one for one in bot_dms(desk, AGENT) if "As planned" in one.buttons]
    desk.workspace.person(AGENT).chooses(asked, SNOOZE, "hour:2026-03-02")
    desk.tick()
    assert "\nCheck in\n" in types(desk, "/cadence status")
