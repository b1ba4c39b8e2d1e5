"""Last week's check-in: how long it is asked for, how to answer it late, how long it can be snoozed (SPEC
§4)."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.kinds import elements_of
from bot.sandbox.messages import Message
from bot.sandbox.views import View
from templates.contexts.checkins import Attested, CheckinForm, CheckinMessage, CheckinRow, WhoIsMissing
from templates.contexts.overview.statuses import Status
from templates.ids import Action, Shortcut
from tests.contexts import actions, assert_golden, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, InCycle, at, bot_dms

LEAD, AGENT = "U01LEAD", "U01AGENT1"
LAST_DAY = date(2026, 3, 29)
"""The Sunday until which an answer of the cycle is taken."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of week 1, the check-ins were just sent."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-05 10:05")
    ) as harness:
        yield harness


def types(harness: BotHarness, text: str, member: str = AGENT) -> Answer:
    said = harness.workspace.person(member).types(text, channel=DESK_CHANNEL)
    harness.tick()
    return said


def home(harness: BotHarness) -> View:
    harness.workspace.person(AGENT).opens_home()
    harness.tick()
    return harness.workspace.person(AGENT).home()


def snoozes(where: Message | View) -> list[str]:
    """The choices of the menu: `hour`, `tomorrow`, `friday` and the like."""
    return [
        option["value"].partition(":")[0]
        for _, element in elements_of(where.blocks)
        if element["action_id"] == Action.SNOOZE
        for option in element["options"]
    ]


def closed_in(message: Message) -> CheckinRow:
    """The only check-in of a message, which is closed without an answer."""
    context = shown(message, CheckinMessage)
    [row] = context.rows
    assert (context.closed, row.answer) == (True, None)
    return row


def test_a_closed_check_in_says_how_and_until_when_it_is_reported_late(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-09 09:00"))
    message = bot_dms(desk, AGENT)[-1]
    closed = closed_in(message)
    assert (closed.week, closed.home_until, closed.late_until) == (1, date(2026, 3, 10), LAST_DAY)
    assert_golden(message, "closed-with-home-and-command")
    desk.play_until(at("2026-03-09 10:05"))
    [told] = [one for one in bot_dms(desk, LEAD) if is_shown(one, WhoIsMissing)]
    desk.workspace.person(LEAD).clicks(told, action_id=Action.NUDGE_AGAIN)
    desk.play_until(at("2026-03-11 12:00"))
    nudged = bot_dms(desk, AGENT)[-1]
    assert Action.RAN_AS_DECLARED in actions(nudged)
    assert Action.RAN_AS_DECLARED in actions(home(desk)), "Home asks as long as the message does"
    assert "friday" not in snoozes(nudged)
    assert "hour" in snoozes(nudged)
    types(desk, "/cadence cycle pause reply", LEAD)
    desk.play_until(at("2026-03-16 09:00"))
    message = bot_dms(desk, AGENT)[-1]
    closed = closed_in(message)
    assert (closed.week, closed.home_until, closed.late_until) == (1, None, LAST_DAY)
    assert_golden(message, "closed-with-command")
    [row] = shown(types(desk, "/attest as-declared runs=5 week=1"), Attested).rows
    assert (row.week, row.answer.runs) == (1, 5)


def test_the_last_weeks_check_in_closes_without_a_way_to_report_it_late(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-30 09:00"))
    message = bot_dms(desk, AGENT)[-1]
    closed = closed_in(message)
    assert (closed.week, closed.home_until, closed.late_until) == (4, None, None)
    assert_golden(message, "closed-for-good")


def test_last_weeks_check_in_is_snoozed_until_tuesday_at_the_latest(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-09 09:00"))
    page = home(desk)
    assert "friday" not in snoozes(page)
    assert "tomorrow" in snoozes(page)
    desk.workspace.person(AGENT).chooses(page, Action.SNOOZE, "tomorrow:2026-03-02")
    desk.tick()
    message = bot_dms(desk, AGENT)[-1]
    closed_in(message)
    assert shown(message, CheckinMessage).snoozed_until == at("2026-03-10 10:00")
    assert_golden(message, "closed-and-snoozed")
    desk.play_until(at("2026-03-10 10:05"))
    assert Action.RAN_AS_DECLARED in actions(bot_dms(desk, AGENT)[-1])


def test_a_check_in_snoozed_after_it_came_counts_as_open(desk: BotHarness) -> None:
    [asked] = [one for one in bot_dms(desk, AGENT) if Action.RAN_AS_DECLARED in actions(one)]
    desk.workspace.person(AGENT).chooses(asked, Action.SNOOZE, "hour:2026-03-02")
    desk.tick()
    said = types(desk, "/cadence status")
    [row] = shown(said, Status).rows
    assert (row.own_answer_due, row.own_answer_comes) == (True, None)
    assert Action.RAN_AS_DECLARED in actions(said)


def test_after_a_paused_cycle_is_over_every_way_to_answer_means_its_last_week(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 12:00"))
    types(desk, "/cadence cycle pause reply", LEAD)
    desk.play_until(at("2026-03-30 12:00"))
    agent, lead = desk.workspace.person(AGENT), desk.workspace.person(LEAD)
    types(desk, "/attest")
    assert shown(agent.form(), CheckinForm).week == 4
    agent.closes()
    agent.shortcut(Shortcut.CHECK_IN)
    assert shown(agent.form(), CheckinForm).week == 4
    agent.submits()
    agent.closes()
    assert not is_shown(types(desk, "/attest"), Attested), "answered, so there's nothing left to answer"
    types(desk, "/attest as-planned", LEAD)
    assert not is_shown(lead.types("/attest as-planned", channel=DESK_CHANNEL), Attested)
