"""After its planned cycles a team is watched: its weekly check-in goes on, without gates and closing posts."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from cadence.flows.nudging import forecast
from storage.tables import Adoption, Cycle, CycleKind, CycleState
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
from tests.scenarios.trends.weeks import AGENT, CURATOR, FOUR_WEEKS, LEAD, report, types

ROLLOUT, WATCH = CycleKind.ROLLOUT, CycleKind.WATCH
CLOSED = in_turn(FOUR_WEEKS, Until("2026-03-27 16:05"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Friday of week 4 after the close, with four weeks reported."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY], played=CLOSED) as harness:
        yield harness


def closing_post(harness: BotHarness) -> Message:
    return next(post for post in reversed(posts(harness, DESK_CHANNEL)) if "hit its target" in post.text)


def kinds(harness: BotHarness) -> list[CycleKind]:
    return [cycle.kind for cycle in rows(harness, Cycle)]


def test_the_closing_post_turns_the_next_cycle_into_a_watch_period(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    refused = desk.workspace.person(AGENT).chooses(closing_post(desk), "menu", "Watch weekly instead")
    assert "or a curator can watch a team" in refused.words
    said = lead.chooses(closing_post(desk), "menu", "Watch weekly instead")
    assert "watched weekly in Desk from Monday 30 March" in said.words
    desk.tick()
    assert kinds(desk) == [ROLLOUT, WATCH]
    assert "Watched weekly from Mon 30 Mar" in closing_post(desk).words
    again = lead.chooses(closing_post(desk), "menu", "Pause")
    assert "is paused" in again.words


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
    assert "Reply · weekly check-in" in bot_dms(desk, AGENT)[-1].words
    status = types(desk, "/cadence status")
    assert "Reply · watched weekly · month 3" in status
    assert "gate" not in status
    assert "watched weekly, month 3" in types(desk, "/cadence cycle show reply")
    assert "1 watched weekly" in types(desk, "/cadence digest", CURATOR)


def test_the_weekend_after_a_period_is_watched_too(desk: BotHarness) -> None:
    types(desk, "/cadence cycle watch reply")
    report(desk, 7, runs=20, number=14)
    desk.play_until(at("2026-04-25 12:00"))
    assert "watched weekly · month 1" in types(desk, "/cadence status")
    assert "12 runs" in types(desk, "/attest reply as-planned runs=12", AGENT)
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
    assert done.view is not None
    assert "1, then watched weekly" in done.view.words
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
    assert "already watched" in types(desk, "/cadence cycle start reply 2026-04-06 team=desk")
    assert "starts Mon 13 Apr" in types(desk, "/cadence cycle start reply team=desk")
    first, watched, second = rows(desk, Cycle)
    assert (first.kind, watched.kind, second.kind) == (ROLLOUT, WATCH, ROLLOUT)
    assert watched.closes_on == date(2026, 4, 10)
    desk.play_until(at("2026-04-14 12:00"))
    assert rows(desk, Cycle)[1].state is CycleState.CLOSED
    assert "Reply · week 1 of 4" in types(desk, "/cadence status")
    assert ledger(desk, "week-opens")[-1].subject["week"] == "2026-04-13"
    desk.play_until(at("2026-05-12 12:00"))
    assert kinds(desk) == [ROLLOUT, WATCH, ROLLOUT, WATCH]


def test_a_running_cycle_is_finished_first(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        assert "hasn't run a cycle" in types(harness, "/cadence cycle watch reply")
        harness.play_until(at("2026-03-10 12:00"))
        assert "once cycle 1 closes on Friday 27 March" in types(harness, "/cadence cycle watch reply")
        assert rows(harness, Adoption)[0].planned_cycles == 1
        harness.play_until(at("2026-03-31 12:00"))
        assert kinds(harness) == [ROLLOUT, WATCH]
        assert "there's no cycle to close" in types(harness, "/cadence cycle close reply")
        choice = harness.workspace.person(LEAD).types("/cadence cycle watch", channel=DESK_CHANNEL)
        assert "You don't own a running cycle to watch" in choice.words


def test_a_paused_team_is_watched_again(desk: BotHarness) -> None:
    types(desk, "/cadence cycle pause reply")
    desk.play_until(at("2026-04-15 12:00"))
    assert kinds(desk) == [ROLLOUT]
    assert "watched weekly in Desk from now on" in types(desk, "/cadence cycle watch reply")
    assert [str(cycle.starts_on) for cycle in rows(desk, Cycle)] == ["2026-03-02", "2026-04-13"]
    desk.play_until(at("2026-04-16 12:00"))
    assert "Reply: did this week run as planned?" in bot_dms(desk, AGENT)[-1].text


def test_the_plan_lists_no_gates(desk: BotHarness) -> None:
    types(desk, "/cadence cycle watch reply")
    now = desk.clock.now()
    planned = forecast(desk.bot.db, now=now, until=now + timedelta(weeks=9))
    found = {one.slot.kind for one in planned}
    assert {"checkin", "kpi-missing", "digest"} <= found
    assert not found & {"week-opens", "gate-due"}
