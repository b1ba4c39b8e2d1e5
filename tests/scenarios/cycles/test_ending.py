"""The end of a cycle: closed by hand, paused after it, resumed, and a number reported late (SPEC §3)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from storage.tables import Adoption, AdoptionState, Cycle, CycleState, MessageState
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
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


def types(harness: BotHarness, text: str, member: str = LEAD) -> str:
    said = harness.workspace.person(member).types(text, channel=DESK_CHANNEL)
    harness.tick()
    return said.words


def test_it_is_closed_by_hand_in_its_last_week_only(desk: BotHarness) -> None:
    told = types(desk, "/cadence cycle close reply")
    assert "from Monday 23 March. It closes by itself on Friday 27 March at 16:00" in told
    desk.play_until(at("2026-03-24 11:00"))
    assert f"Only the owner (<@{LEAD}>) or a curator" in types(desk, "/cadence cycle close reply", AGENT)
    asked = desk.workspace.person(LEAD).types("/cadence cycle close", channel=DESK_CHANNEL)
    assert asked.message is not None
    assert asked.message.buttons == ["Close Reply, Desk"]
    desk.workspace.person(LEAD).clicks(asked.message, "Close Reply, Desk")
    desk.tick()
    assert "is already closed" in types(desk, "/cadence cycle close reply")
    stands = types(desk, "/cadence status")
    assert "Reply · cycle 1 closed: not enough data" in stands
    assert "Cycle 2 starts Mon 30 Mar." in stands
    assert "week 4 of 4" not in stands
    assert "gate" not in stands
    assert "\nCheck in\n" not in types(desk, "/cadence status", AGENT)
    assert "Exception logged" in types(desk, "/exception reply send this one came late", AGENT)
    assert "Send the reply\nAI-led\n1, no runs reported yet (+" in types(desk, "/cadence status")
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
    assert "Cycle 1 of Reply is closed: insufficient" in first
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
    assert post.buttons == ["Bring it to another team", "Submit to the registry", "Add a lesson"]
    refused = desk.workspace.person(AGENT).chooses(post, "menu", "Pause")
    assert "or a curator can pause a team" in refused.words
    lead = desk.workspace.person(LEAD)
    lead.chooses(post, "menu", "Pause")
    lead.chooses(post, "menu", "Pause")
    desk.tick()
    assert [cycle.number for cycle in rows(desk, Cycle)] == [1]
    assert len(entries(desk, "paused")) == 1
    post = posts(desk, DESK_CHANNEL)[-1]
    assert "Paused until a cycle is started again" in post.words
    assert "cycle.pause" not in str(post.blocks)
    too_early = types(desk, "/cadence cycle start reply 2026-03-23")
    assert "Start one for 2026-03-30 or later" in too_early
    before = len(bot_dms(desk, LEAD)), len(posts(desk, DESK_CHANNEL))
    desk.play_until(at("2026-04-10 18:00"))
    assert (len(bot_dms(desk, LEAD)), len(posts(desk, DESK_CHANNEL))) == before
    stands = types(desk, "/cadence status")
    assert f"No check-ins until <@{LEAD}> or a curator resumes it: `/cadence cycle start" in stands
    assert "Reply · cycle 1 closed: not enough data · paused" in stands
    assert "starts Mon 13 Apr" in types(desk, "/cadence cycle start reply")
    assert rows(desk, Adoption)[0].state is AdoptionState.ACTIVE
    assert [cycle.number for cycle in rows(desk, Cycle)] == [1, 2]
    post = next(post for post in posts(desk, DESK_CHANNEL) if "in cycle 1: " in post.text)
    assert "Next cycle starts Mon 13 Apr" in post.words
    assert "Start a cycle" not in post.buttons


def test_a_retired_playbook_is_not_handed_on_by_its_last_closing_post(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 16:00"))
    assert "is retired" in types(desk, "/cadence playbook retire reply The desk is gone", CURATOR)
    [post] = [post for post in posts(desk, DESK_CHANNEL) if "in cycle 1: " in post.text]
    assert "The playbook is retired, so no cycle follows" in post.words
    assert "Next cycle starts" not in post.words
    assert post.buttons == ["Add a lesson"]


def test_an_old_posts_pause_leaves_the_cycle_that_has_begun_alone(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 16:00"))
    post = posts(desk, DESK_CHANNEL)[-1]
    desk.play_until(at("2026-04-09 12:00"))
    refused = desk.workspace.person(LEAD).chooses(post, "menu", "Pause", stale=True).words
    assert (
        "Cycle 2 of Reply has started since. To pause it anyway, type `/cadence cycle pause reply team=desk`"
        in refused
    )
    assert rows(desk, Adoption)[0].state is AdoptionState.ACTIVE


def test_a_champion_is_of_the_team(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.types("/cadence cycle start", channel=DESK_CHANNEL)
    asked = {"playbook": "reply", "team": "solo", "date": "2026-03-23", "champion": AGENT}
    assert "The champion must be in Solo" in lead.submits(asked).errors["champion"]
    assert not lead.submits({"champion": "U01AGENT2"}).errors


def test_a_champion_who_left_the_team_waits_for_the_owner_to_name_another(desk: BotHarness) -> None:
    curator = desk.workspace.person(CURATOR)
    curator.types("/cadence team join solo <@U01AGENT1>")
    lead = desk.workspace.person(LEAD)
    lead.types("/cadence cycle start", channel=DESK_CHANNEL)
    assert not lead.submits(
        {"playbook": "reply", "team": "solo", "date": "2026-03-23", "champion": AGENT}
    ).errors
    assert "Its champion" not in types(desk, "/cadence status reply team=solo")
    curator.types("/cadence team leave solo <@U01AGENT1>")
    stands = types(desk, "/cadence status reply team=solo")
    assert f"Its champion, <@{AGENT}>, has left the team. <@{LEAD}> or a curator can name" in stands
    shown = types(desk, "/cadence cycle show reply team=solo")
    assert f"*Champion*\n<@{AGENT}> (no longer on the team)" in shown
    desk.play_until(at("2026-03-23 10:00"))
    assert "☐ Name a champion" in posts(desk, "C02SOLO")[-1].words


def test_a_pause_in_the_middle_asks_nothing_and_can_be_taken_back(desk: BotHarness) -> None:
    assert "Cycle 1 closes on Friday 27 March" in types(desk, "/cadence cycle pause reply")
    desk.play_until(at("2026-03-23 12:00"))
    sent = [one.key for one in ledger(desk, "week-opens", MessageState.SENT)]
    assert sent
    assert not any("2026-03-23" in key for key in sent)
    assert "Reply is running again · cycle 1" in types(desk, "/cadence cycle start reply")
    desk.play_until(at("2026-03-30 12:00"))
    assert len(rows(desk, Cycle)) == 2


def test_a_number_that_comes_late_changes_the_result_and_the_post_says_so(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 17:00"))
    assert rows(desk, Cycle)[0].result == "insufficient"
    assert "Its result is now *target hit*" in types(desk, "/kpi 15m week=4")
    assert rows(desk, Cycle)[0].result == "met"
    [closing] = [post for post in posts(desk, DESK_CHANNEL) if "in cycle 1: " in post.text]
    assert closing.text.startswith("🎉 Reply hit its target in cycle 1")
    [entry] = entries(desk, "cycle-judged-again")
    assert (entry.before["result"], entry.after["result"]) == ("insufficient", "met")


def test_a_closed_cycles_check_ins_are_asked_for_until_sunday_night(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-30 12:00"))
    assert not [one for one in bot_dms(desk, LEAD) if "missing" in one.words and "week 4" in one.words]
    digest = posts(desk, CURATORS)[-1]
    assert "Nudge again" not in digest.buttons
    desk.workspace.person(AGENT).opens_home()
    desk.tick()
    assert "week 4" not in desk.workspace.person(AGENT).home().words
    answered = types(desk, "/attest as-declared runs=5 week=4", AGENT)
    assert "week 4" in answered, answered
    types(desk, "/cadence cycle pause reply")
    closed = next(post for post in posts(desk, DESK_CHANNEL) if "in cycle 1: " in post.text)
    assert "Check-ins*\n0 of 8" in closed.words, "it came too late for that cycle"
