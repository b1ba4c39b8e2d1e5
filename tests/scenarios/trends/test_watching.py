"""After its planned cycles a team is watched: its weekly check-in goes on, without gates and closing posts."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from cadence.flows.nudging import forecast
from storage.tables import Adoption, Cycle, CycleKind, CycleState
from templates.contexts.adoption import AdoptionSaved
from templates.contexts.answers import Refused
from templates.contexts.checkins import Attested, CheckinMessage
from templates.contexts.cycles import CycleClosed, CycleShown, CycleStarted
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.statuses import Status, StatusRow
from tests.contexts import assert_golden, is_shown, shown
from tests.harnesses import bot_harness, in_turn
from tests.scenarios.plays import (
    DESK,
    DESK_CHANNEL,
    REPLY,
    Until,
    at,
    bot_dms,
    entries,
    ledger,
    posts,
    rows,
    start_cycle,
)
from tests.scenarios.trends.weeks import AGENT, CURATOR, FOUR_WEEKS, LEAD, asks, report, types

ROLLOUT, WATCH = CycleKind.ROLLOUT, CycleKind.WATCH
CLOSED = in_turn(FOUR_WEEKS, Until("2026-03-27 16:05"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Friday of week 4 after the close, with four weeks reported."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY], played=CLOSED) as harness:
        yield harness


def closing_post(harness: BotHarness) -> Message:
    return next(post for post in reversed(posts(harness, DESK_CHANNEL)) if is_shown(post, CycleClosed))


def status_row(harness: BotHarness) -> StatusRow:
    """The owner's only row of `/cadence status`."""
    [row] = shown(asks(harness, "/cadence status"), Status).rows
    return row


def kinds(harness: BotHarness) -> list[CycleKind]:
    return [cycle.kind for cycle in rows(harness, Cycle)]


def test_the_closing_post_turns_the_next_cycle_into_a_watch_period(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    refused = desk.workspace.person(AGENT).chooses(closing_post(desk), "menu", "Watch weekly instead")
    assert_golden(refused, "refused-not-owner")
    assert kinds(desk) == [ROLLOUT, ROLLOUT]
    said = lead.chooses(closing_post(desk), "menu", "Watch weekly instead")
    assert_golden(said, "watched-from-a-monday")
    desk.tick()
    assert kinds(desk) == [ROLLOUT, WATCH]
    closed = shown(closing_post(desk), CycleClosed)
    assert (closed.watched, closed.next_cycle, closed.begun) == (True, date(2026, 3, 30), False)
    again = lead.chooses(closing_post(desk), "menu", "Pause")
    assert_golden(again, "paused")


def test_four_weeks_follow_four_weeks_without_gates_posts_and_promotions(desk: BotHarness) -> None:
    types(desk, "/cadence cycle watch reply")
    before = len(posts(desk, DESK_CHANNEL))
    for week in range(4, 13):
        report(desk, week, runs=20, number=14)
    desk.play_until(at("2026-06-01 12:00"))
    cycles = rows(desk, Cycle)
    assert [cycle.kind for cycle in cycles] == [ROLLOUT, WATCH, WATCH, WATCH]
    assert [cycle.state for cycle in cycles] == [CycleState.CLOSED] * 3 + [CycleState.RUNNING]
    assert [cycle.result for cycle in cycles] == ["met", None, None, None]
    assert [str(cycle.starts_on) for cycle in cycles[1:]] == ["2026-03-30", "2026-04-27", "2026-05-25"]
    new = posts(desk, DESK_CHANNEL)[before:]
    assert new == [], [post.text for post in new]
    assert len(entries(desk, "cycle-closed")) == 1
    assert len(entries(desk, "month-ended")) == 2
    assert not [one for one in ledger(desk, "week-opens") if one.subject["week"] >= "2026-03-30"]
    assert not [one for one in ledger(desk, "gate-due") if one.subject["week"] >= "2026-03-30"]
    [asked] = shown(bot_dms(desk, AGENT)[-1], CheckinMessage).rows
    assert (asked.playbook, asked.watched) == ("Reply", True)
    row = status_row(desk)
    assert (row.playbook, row.month, row.gate) == ("Reply", 3, None)
    assert shown(asks(desk, "/cadence cycle show reply"), CycleShown).month == 3
    assert shown(asks(desk, "/cadence digest", CURATOR), Digest).watched == 1


def test_the_weekend_after_a_period_is_watched_too(desk: BotHarness) -> None:
    types(desk, "/cadence cycle watch reply")
    report(desk, 7, runs=20, number=14)
    desk.play_until(at("2026-04-25 12:00"))
    assert status_row(desk).month == 1
    [row] = shown(asks(desk, "/attest reply as-planned runs=12", AGENT), Attested).rows
    assert row.answer.runs == 12
    assert [str(cycle.starts_on) for cycle in rows(desk, Cycle)][-1] == "2026-04-27"


def test_exceptions_and_demotions_go_on(desk: BotHarness) -> None:
    types(desk, "/cadence cycle watch reply")
    desk.play_until(at("2026-04-01 12:00"))
    desk.workspace.person(AGENT).types(
        "/exception reply send critical it promised a refund", channel=DESK_CHANNEL
    )
    desk.workspace.person(AGENT).submits()
    desk.tick()
    assert len(entries(desk, "demotion")) == 1


def test_a_cycle_is_planned_to_be_the_last_in_the_settings(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.types("/cadence settings reply", channel=DESK_CHANNEL)
    done = lead.submits({"planned_cycles": "1"})
    assert shown(done, AdoptionSaved).cycles == 1
    assert_golden(done, "one-cycle-then-watched")
    lead.closes()
    assert kinds(desk) == [ROLLOUT, WATCH]
    lead.types("/cadence settings reply", channel=DESK_CHANNEL)
    lead.submits({"planned_cycles": "2"})
    lead.closes()
    assert kinds(desk) == [ROLLOUT, ROLLOUT]
    desk.play_until(at("2026-04-27 12:00"))
    assert kinds(desk) == [ROLLOUT, ROLLOUT, WATCH]


def test_a_new_cycle_ends_the_watch(desk: BotHarness) -> None:
    types(desk, "/cadence cycle watch reply")
    desk.play_until(at("2026-04-08 12:00"))
    refused = asks(desk, "/cadence cycle start reply 2026-04-06 team=desk")
    assert_golden(refused, "refused-in-a-watched-week")
    assert kinds(desk) == [ROLLOUT, WATCH]
    started = shown(asks(desk, "/cadence cycle start reply team=desk"), CycleStarted)
    assert started.starts == date(2026, 4, 13)
    first, watched, second = rows(desk, Cycle)
    assert (first.kind, watched.kind, second.kind) == (ROLLOUT, WATCH, ROLLOUT)
    assert watched.closes_on == date(2026, 4, 10)
    desk.play_until(at("2026-04-14 12:00"))
    assert rows(desk, Cycle)[1].state is CycleState.CLOSED
    row = status_row(desk)
    assert (row.playbook, row.week, row.month, row.starts) == ("Reply", 1, None, None)
    assert ledger(desk, "week-opens")[-1].subject["week"] == "2026-04-13"
    desk.play_until(at("2026-05-12 12:00"))
    assert kinds(desk) == [ROLLOUT, WATCH, ROLLOUT, WATCH]


def test_a_running_cycle_is_finished_first(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        assert_golden(asks(harness, "/cadence cycle watch reply"), "refused-before-a-cycle")
        harness.play_until(at("2026-03-10 12:00"))
        assert_golden(asks(harness, "/cadence cycle watch reply"), "watched-after-the-running-cycle")
        assert rows(harness, Adoption)[0].planned_cycles == 1
        harness.play_until(at("2026-03-31 12:00"))
        assert kinds(harness) == [ROLLOUT, WATCH]
        assert_golden(asks(harness, "/cadence cycle close reply"), "refused-no-cycle-to-close")
        choice = harness.workspace.person(LEAD).types("/cadence cycle watch", channel=DESK_CHANNEL)
        assert is_shown(choice, Refused)
        assert_golden(choice, "refused-nothing-to-watch")


def test_a_paused_team_is_watched_again(desk: BotHarness) -> None:
    types(desk, "/cadence cycle pause reply")
    desk.play_until(at("2026-04-15 12:00"))
    assert kinds(desk) == [ROLLOUT]
    assert_golden(asks(desk, "/cadence cycle watch reply"), "watched-from-now-on")
    assert [str(cycle.starts_on) for cycle in rows(desk, Cycle)] == ["2026-03-02", "2026-04-13"]
    desk.play_until(at("2026-04-16 12:00"))
    checkin = shown(bot_dms(desk, AGENT)[-1], CheckinMessage)
    assert [(row.playbook, row.week_start, row.answer) for row in checkin.rows] == [
        ("Reply", "2026-04-13", None)
    ]
    assert (checkin.last_week, checkin.closed) == (False, False)


def test_the_plan_lists_no_gates(desk: BotHarness) -> None:
    types(desk, "/cadence cycle watch reply")
    now = desk.clock.now()
    planned = forecast(desk.bot.db, now=now, until=now + timedelta(weeks=9))
    found = {one.slot.kind for one in planned}
    assert {"checkin", "kpi-missing", "digest"} <= found
    assert not found & {"week-opens", "gate-due"}
