"""The end of a cycle: closed by hand, paused after it, resumed, and a number reported late (SPEC §3)."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.messages import Message
from storage.tables import Adoption, AdoptionState, Cycle, CycleState, MessageState
from templates.contexts.checkins import Attested, WhoIsMissing
from templates.contexts.cycles import CycleClosed, CycleShown, CycleStarted
from templates.contexts.exceptions import ExceptionLogged
from templates.contexts.gates import WeekOpens
from templates.contexts.numbers import Recorded
from templates.contexts.overview.home import Home
from templates.contexts.overview.statuses import Status, StatusRow
from templates.ids import Action
from tests.contexts import actions, assert_golden, contexts, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    SOLO_CHANNEL,
    at,
    bot_dms,
    entries,
    ledger,
    posts,
    rows,
    start_cycle,
)

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of week 3, with two readings of 14 min."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY], played=three_weeks) as harness:
        yield harness


def three_weeks(harness: BotHarness) -> None:
    start_cycle(harness)
    harness.play_until(at("2026-03-19 12:00"))
    for week in (2, 3):
        types(harness, f"/kpi 14m week={week}")


def types(harness: BotHarness, text: str, member: str = LEAD) -> Answer:
    said = harness.workspace.person(member).types(text, channel=DESK_CHANNEL)
    harness.tick()
    return said


def stands(harness: BotHarness, which: str = "") -> StatusRow:
    """What the status says about the only playbook that it shows."""
    [row] = shown(types(harness, f"/cadence status {which}"), Status).rows
    return row


def closing_post(harness: BotHarness) -> Message:
    """The team's post on the close of cycle 1."""
    [post] = [one for one in posts(harness, DESK_CHANNEL) if is_shown(one, CycleClosed)]
    assert shown(post, CycleClosed).number == 1
    return post


def buttons(message: Message) -> list[str]:
    return [action for action in actions(message) if action != Action.MENU]


def test_it_is_closed_by_hand_in_its_last_week_only(desk: BotHarness) -> None:
    assert_golden(types(desk, "/cadence cycle close reply"), "too-early-to-close")
    assert_golden(types(desk, "/cadence cycle close"), "too-early-to-close")
    desk.play_until(at("2026-03-24 11:00"))
    assert_golden(types(desk, "/cadence cycle close reply", AGENT), "refused-to-close")
    assert entries(desk, "cycle-closed") == []
    asked = desk.workspace.person(LEAD).types("/cadence cycle close", channel=DESK_CHANNEL)
    assert asked.message is not None
    assert actions(asked.message) == [Action.CLOSE_CYCLE]
    desk.workspace.person(LEAD).clicks(asked.message, "Close Reply, Desk")
    desk.tick()
    assert_golden(types(desk, "/cadence cycle close reply"), "already-closed")
    said = types(desk, "/cadence status")
    assert_golden(said.text, "status-once-closed")
    [row] = shown(said, Status).rows
    assert (row.closed, row.result, row.next_cycle) == (1, "insufficient", date(2026, 3, 30))
    assert row.gate is None
    assert Action.RAN_AS_DECLARED not in actions(types(desk, "/cadence status", AGENT))
    logged = types(desk, "/exception reply send this one came late", AGENT)
    assert shown(logged, ExceptionLogged).step == "Send the reply"
    send = next(step for step in stands(desk).steps if step.key == "send")
    assert send.mode == "ai-led"
    assert send.evidence is not None
    assert (send.evidence.exceptions, send.evidence.known, send.evidence.restarted) == (1, "", False)
    assert send.evidence.assumed > 0
    first, second = rows(desk, Cycle)
    assert (first.state, first.closed_at, first.result) == (
        CycleState.CLOSED,
        at("2026-03-24 11:00"),
        "insufficient",
    )
    assert str(second.starts_on) == "2026-03-30"
    [entry] = entries(desk, "cycle-closed")
    assert (entry.member, entry.after["gates"]["2"]) == (LEAD, False)
    desk.play_until(at("2026-03-30 12:00"))
    assert len(entries(desk, "cycle-closed")) == 1


def test_closing_a_cycle_by_hand_twice(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-24 11:00"))
    first = types(desk, "/cadence cycle close reply")
    assert_golden(first, "closed-by-hand")
    sent = [one for one in desk.workspace.exchanges() if one.what == "/cadence"][-1]
    desk.play_until(at("2026-03-24 11:20"))
    again = desk.workspace.deliver("slash_commands", sent.request)
    desk.tick()
    assert json.loads(again.body) == sent.answer
    assert rows(desk, Cycle)[0].closed_at == at("2026-03-24 11:00")
    assert len(entries(desk, "cycle-closed")) == 1


def test_a_pause_takes_the_next_cycle_away_and_asks_nothing(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 16:00"))
    post = posts(desk, DESK_CHANNEL)[-1]
    assert buttons(post) == [Action.ADOPT, Action.SUBMIT, Action.LEARN]
    refused = desk.workspace.person(AGENT).chooses(post, "menu", "Pause")
    assert_golden(refused, "refused-to-pause")
    assert entries(desk, "paused") == []
    lead = desk.workspace.person(LEAD)
    lead.chooses(post, "menu", "Pause")
    lead.chooses(post, "menu", "Pause")
    desk.tick()
    assert [cycle.number for cycle in rows(desk, Cycle)] == [1]
    assert len(entries(desk, "paused")) == 1
    post = posts(desk, DESK_CHANNEL)[-1]
    closing = shown(post, CycleClosed)
    assert (closing.paused, closing.next_cycle) == (True, None)
    assert Action.PAUSE not in str(post.blocks)
    assert_golden(types(desk, "/cadence cycle start reply 2026-03-23"), "too-early-to-start")
    before = len(bot_dms(desk, LEAD)), len(posts(desk, DESK_CHANNEL))
    desk.play_until(at("2026-04-10 18:00"))
    assert (len(bot_dms(desk, LEAD)), len(posts(desk, DESK_CHANNEL))) == before
    row = stands(desk)
    assert (row.paused, row.owner) == (True, LEAD)
    assert (row.closed, row.result) == (1, "insufficient")
    started = shown(types(desk, "/cadence cycle start reply"), CycleStarted)
    assert started.starts == date(2026, 4, 13)
    assert rows(desk, Adoption)[0].state is AdoptionState.ACTIVE
    assert [cycle.number for cycle in rows(desk, Cycle)] == [1, 2]
    closing = shown(closing_post(desk), CycleClosed)
    assert (closing.next_cycle, closing.begun, closing.paused) == (date(2026, 4, 13), False, False)
    assert Action.START_CYCLE not in actions(closing_post(desk))


def test_a_retired_playbook_is_not_handed_on_by_its_last_closing_post(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 16:00"))
    assert_golden(types(desk, "/cadence playbook retire reply The desk is gone", CURATOR), "retired")
    closing = shown(closing_post(desk), CycleClosed)
    assert (closing.retired, closing.next_cycle) == (True, None)
    assert buttons(closing_post(desk)) == [Action.LEARN]


def test_an_old_posts_pause_leaves_the_cycle_that_has_begun_alone(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 16:00"))
    post = posts(desk, DESK_CHANNEL)[-1]
    desk.play_until(at("2026-04-09 12:00"))
    refused = desk.workspace.person(LEAD).chooses(post, "menu", "Pause", stale=True)
    assert_golden(refused, "refused-since-the-next-has-begun")
    assert rows(desk, Adoption)[0].state is AdoptionState.ACTIVE


def test_a_champion_is_of_the_team(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.types("/cadence cycle start", channel=DESK_CHANNEL)
    asked = {"playbook": "reply", "team": "solo", "date": "2026-03-23", "champion": AGENT}
    assert_golden(lead.submits(asked).errors["champion"], "champion-of-another-team")
    assert not lead.submits({"champion": "U01AGENT2"}).errors


def test_a_champion_who_left_the_team_waits_for_the_owner_to_name_another(desk: BotHarness) -> None:
    curator = desk.workspace.person(CURATOR)
    curator.types("/cadence team join solo <@U01AGENT1>")
    lead = desk.workspace.person(LEAD)
    lead.types("/cadence cycle start", channel=DESK_CHANNEL)
    assert not lead.submits(
        {"playbook": "reply", "team": "solo", "date": "2026-03-23", "champion": AGENT}
    ).errors
    before = stands(desk, "reply team=solo").standing
    curator.types("/cadence team leave solo <@U01AGENT1>")
    [added] = set(stands(desk, "reply team=solo").standing) - set(before)
    assert_golden(added, "status-without-a-champion")
    cycle = shown(types(desk, "/cadence cycle show reply team=solo"), CycleShown)
    assert (cycle.champion, cycle.champion_left) == (AGENT, True)
    desk.play_until(at("2026-03-23 10:00"))
    opens = shown(posts(desk, SOLO_CHANNEL)[-1], WeekOpens)
    assert_golden("\n".join(check.text for check in opens.checks if not check.met), "open-in-week-1")


def test_a_pause_in_the_middle_asks_nothing_and_can_be_taken_back(desk: BotHarness) -> None:
    assert_golden(types(desk, "/cadence cycle pause reply"), "paused-in-the-middle")
    desk.play_until(at("2026-03-23 12:00"))
    sent = [one.key for one in ledger(desk, "week-opens", MessageState.SENT)]
    assert sent
    assert not any("2026-03-23" in key for key in sent)
    resumed = shown(types(desk, "/cadence cycle start reply"), CycleStarted)
    assert (resumed.playbook, resumed.number, resumed.resumed) == ("Reply", 1, True)
    desk.play_until(at("2026-03-30 12:00"))
    assert len(rows(desk, Cycle)) == 2


def test_a_number_that_comes_late_changes_the_result_and_the_post_says_so(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 17:00"))
    assert rows(desk, Cycle)[0].result == "insufficient"
    assert shown(types(desk, "/kpi 15m week=4"), Recorded).result == "met"
    assert rows(desk, Cycle)[0].result == "met"
    assert shown(closing_post(desk), CycleClosed).result == "met"
    [entry] = entries(desk, "cycle-judged-again")
    assert (entry.before["result"], entry.after["result"]) == ("insufficient", "met")


def test_a_closed_cycles_check_ins_are_asked_for_until_sunday_night(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-30 12:00"))
    assert 4 not in [one.week for one in contexts(bot_dms(desk, LEAD), WhoIsMissing)]
    assert Action.NUDGE_AGAIN not in actions(posts(desk, CURATORS)[-1])
    desk.workspace.person(AGENT).opens_home()
    desk.tick()
    [item] = shown(desk.workspace.person(AGENT).home(), Home).items
    assert item.playbook is not None, "nothing is asked"
    assert item.playbook.week == 1
    [answered] = shown(types(desk, "/attest as-declared runs=5 week=4", AGENT), Attested).rows
    assert answered.week == 4
    types(desk, "/cadence cycle pause reply")
    closed = shown(closing_post(desk), CycleClosed)
    assert (closed.attested, closed.expected) == (0, 8), "it came too late for that cycle"
