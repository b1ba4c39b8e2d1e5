"""Nobody is nudged at night, on a day off, or more often than promised; skipped nudges are reported (SPEC
§4)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.capabilities import Capabilities
from storage.tables import MessageState
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    InCycle,
    at,
    bot_dms,
    ledger,
    local_times,
    posts,
    start_cycle,
)

LEAD, AGENT, NEWCOMER = "U01LEAD", "U01AGENT1", "U01AGENT2"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Monday morning of week 1, nothing sent yet."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-02 09:00")
    ) as harness:
        yield harness


def types(harness: BotHarness, member: str, text: str) -> str:
    channel = DESK_CHANNEL if member in harness.workspace.channel(DESK_CHANNEL).members else None
    said = harness.workspace.person(member).types(text, channel=channel)
    harness.tick()
    return said.words


def nudged(harness: BotHarness, member: str, zone: str = "Europe/Berlin") -> list[str]:
    """The times of somebody's DMs, in a local zone."""
    return local_times(bot_dms(harness, member), zone)


def digest(harness: BotHarness) -> str:
    return posts(harness, CURATORS)[-1].words


def down_until(harness: BotHarness, moment: str) -> None:
    """The bot was down, and is running again."""
    harness.clock.set(at(moment))
    harness.tick()


def test_an_ordinary_week(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-09 12:00"))
    assert nudged(desk, AGENT) == ["Thu 10:00", "Fri 10:00"]
    assert nudged(desk, LEAD) == ["Thu 10:00", "Fri 10:00", "Fri 14:00", "Mon 10:00"]
    assert "Not sent" not in digest(desk)


def test_nobody_is_nudged_while_away(desk: BotHarness) -> None:
    said = types(desk, AGENT, "/cadence away 2026-03-02..2026-03-10")
    assert "You're away Mon 2 – Tue 10 Mar" in said
    desk.play_until(at("2026-03-09 12:00"))
    assert nudged(desk, AGENT) == []
    assert "Not sent: check-in × 1 (away), check-in reminder × 1 (away)" in digest(desk)
    missing = bot_dms(desk, LEAD)[-1].words
    assert "1 of 1 check-in missing: Reply, week 1\nOnly yours is missing." in missing
    assert f"Away: <@{AGENT}>." in missing
    desk.play_until(at("2026-03-12 10:00"))
    assert nudged(desk, AGENT) == ["Thu 10:00"]


def test_a_day_away_moves_the_check_in_to_the_next_day(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence away 2026-03-05..2026-03-05")
    desk.play_until(at("2026-03-08 23:00"))
    assert nudged(desk, AGENT) == ["Fri 10:00"]


def test_back_early_the_check_in_comes_once(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence away 2026-03-05..2026-03-05")
    desk.play_until(at("2026-03-05 13:00"))
    assert "You're back" in types(desk, AGENT, "/cadence away off")
    desk.play_until(at("2026-03-08 23:00"))
    assert nudged(desk, AGENT) == ["Thu 13:00", "Fri 10:00"]


def test_back_on_the_morning_after_the_check_in_comes_at_its_hour(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence away 2026-03-05..2026-03-08")
    desk.play_until(at("2026-03-06 08:15"))
    types(desk, AGENT, "/cadence away off")
    desk.play_until(at("2026-03-08 23:00"))
    assert nudged(desk, AGENT) == ["Fri 10:00"]


@pytest.mark.parametrize(
    ("monday", "until", "agents", "leads", "not_sent"),
    [
        ("2026-05-11", "2026-05-18 12:00", ["Fri 10:00"], ["Fri 10:00", "Fri 14:00", "Mon 10:00"], ""),
        (
            "2026-04-27",
            "2026-05-04 12:00",
            ["Thu 10:00"],
            ["Thu 10:00", "Mon 10:00"],
            "check-in reminder × 2 (public holiday), gate due × 1 (public holiday), "
            "missing number × 1 (public holiday)",
        ),
        ("2026-03-30", "2026-04-07 12:00", ["Thu 10:00"], ["Thu 10:00", "Tue 10:00"], "(public holiday)"),
    ],
    ids=["ascension thursday", "labour day friday", "easter"],
)
def test_a_public_holiday_moves_a_nudge_or_drops_it(
    tmp_path: Path, monday: str, until: str, agents: list[str], leads: list[str], not_sent: str
) -> None:
    with bot_harness(tmp_path, start=at(f"{monday} 07:00"), workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness, monday=monday)
        harness.play_until(at(until))
        assert nudged(harness, AGENT) == agents
        assert nudged(harness, LEAD) == leads
        assert (not_sent in digest(harness)) if not_sent else ("Not sent" not in digest(harness))


@pytest.mark.parametrize(
    ("choice", "comes"),
    [
        ("Later today", ["Thu 10:00", "Thu 11:20", "Fri 10:00"]),
        ("Tomorrow", ["Thu 10:00", "Fri 10:00"]),
    ],
)
def test_a_snoozed_check_in_comes_back_once(desk: BotHarness, choice: str, comes: list[str]) -> None:
    desk.play_until(at("2026-03-05 10:20"))
    agent = desk.workspace.person(AGENT)
    said = agent.chooses(agent.last_dm(), "checkin.snooze", choice)
    assert "Snoozed until" in said.text
    desk.play_until(at("2026-03-08 23:00"))
    assert nudged(desk, AGENT) == comes


def test_the_last_snooze_counts(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-05 10:20"))
    types(desk, AGENT, "/cadence snooze hour")
    types(desk, AGENT, "/cadence snooze friday")
    desk.play_until(at("2026-03-08 23:00"))
    assert nudged(desk, AGENT) == ["Thu 10:00", "Fri 10:00"]


def test_a_check_in_can_be_snoozed_before_it_comes(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence snooze friday")
    desk.play_until(at("2026-03-08 23:00"))
    assert nudged(desk, AGENT) == ["Fri 10:00"]


def test_a_snoozed_check_in_that_is_answered_stays_away(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-05 10:20"))
    types(desk, AGENT, "/cadence snooze tomorrow")
    types(desk, AGENT, "/attest as-declared runs=9")
    desk.play_until(at("2026-03-08 23:00"))
    assert nudged(desk, AGENT) == ["Thu 10:00"]
    assert "You don't have an open check-in this week" in types(desk, AGENT, "/cadence snooze tomorrow")


def test_mute_stops_reminders_not_the_check_in(desk: BotHarness) -> None:
    assert "Reminders are off" in types(desk, AGENT, "/cadence mute")
    desk.play_until(at("2026-03-09 12:00"))
    assert nudged(desk, AGENT) == ["Thu 10:00"]
    assert "Not sent" not in digest(desk)
    types(desk, AGENT, "/cadence mute off")
    desk.play_until(at("2026-03-15 23:00"))
    assert nudged(desk, AGENT) == ["Thu 10:00", "Thu 10:00", "Fri 10:00"]


def test_down_from_wednesday_to_friday_evening(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-04 17:00"))
    down_until(desk, "2026-03-06 19:00")
    assert nudged(desk, AGENT) == nudged(desk, LEAD) == []  # nobody is nudged on a Friday evening
    desk.play_until(at("2026-03-09 12:00"))
    assert nudged(desk, AGENT) == []
    assert nudged(desk, LEAD) == ["Mon 10:00"]
    for counted in ("check-in × 2 (", "check-in reminder × 2 (", "missing number × 1 ("):
        assert counted in digest(desk)


def test_down_until_friday_afternoon_each_gets_one_message(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-04 17:00"))
    down_until(desk, "2026-03-06 15:00")
    assert nudged(desk, AGENT) == ["Fri 15:00"]
    assert nudged(desk, LEAD) == ["Fri 15:00"]
    assert "Did this week run as planned?" in bot_dms(desk, LEAD)[-1].words
    [reminder] = [one for one in ledger(desk, "checkin-reminder") if one.recipient == AGENT]
    assert (reminder.state, reminder.reason) == (MessageState.SKIPPED, "the check-in came today")
    desk.play_until(at("2026-03-08 23:00"))
    assert nudged(desk, LEAD) == ["Fri 15:00", "Fri 17:00"]
    assert "What was “First response time”" in bot_dms(desk, LEAD)[-1].words


def test_down_for_two_weeks_only_the_newest_is_sent(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-04 17:00"))
    down_until(desk, "2026-03-19 11:00")
    assert nudged(desk, AGENT) == ["Thu 11:00"]
    assert "week 3 check-in" in bot_dms(desk, AGENT)[-1].words
    old = [one for one in ledger(desk, "checkin") if one.recipient == AGENT]
    assert [one.state for one in old] == [MessageState.SKIPPED, MessageState.SKIPPED, MessageState.SENT]
    desk.play_until(at("2026-03-23 12:00"))
    assert len(posts(desk, CURATORS)) == 1  # no digest of a week long past


def test_a_member_who_joins_mid_week_is_asked_from_then_on(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-04 15:00"))
    desk.workspace.invite(DESK_CHANNEL, NEWCOMER)
    types(desk, NEWCOMER, "/cadence team join desk")
    desk.play_until(at("2026-03-05 12:00"))
    assert nudged(desk, NEWCOMER) == ["Thu 10:00"]
    assert "checked in · 9 runs" in types(desk, NEWCOMER, "/attest as-declared runs=9")


def test_a_member_who_joins_after_the_check_in_is_still_asked_once(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-05 15:00"))
    desk.workspace.invite(DESK_CHANNEL, NEWCOMER)
    types(desk, NEWCOMER, "/cadence team join desk")
    desk.play_until(at("2026-03-08 23:00"))
    assert nudged(desk, NEWCOMER) == ["Thu 15:00", "Fri 10:00"]


def test_a_member_who_leaves_mid_week_gets_nothing_more(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-04 15:00"))
    types(desk, AGENT, "/cadence team leave desk")
    desk.play_until(at("2026-03-09 12:00"))
    assert nudged(desk, AGENT) == []
    assert "1 of 1 check-in missing" in bot_dms(desk, LEAD)[-1].words


def test_a_deactivated_member_gets_nothing_more(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-05 11:00"))
    desk.workspace.change_user(AGENT, deleted=True)
    desk.play_until(at("2026-03-09 12:00"))
    assert nudged(desk, AGENT) == ["Thu 10:00"]
    assert f"<@{AGENT}>" not in bot_dms(desk, LEAD)[-1].words


@pytest.mark.parametrize(
    ("moves_at", "zone", "comes"),
    [
        ("2026-03-05 09:30", "America/New_York", ["Thu 10:00", "Fri 10:00"]),
        ("2026-03-05 10:30", "America/New_York", ["Thu 04:00", "Fri 10:00"]),
        ("2026-03-05 09:30", "Asia/Kolkata", ["Thu 14:00", "Fri 10:00"]),
        ("2026-03-05 07:30", "Australia/Sydney", ["Thu 17:30", "Fri 10:00"]),
        ("2026-03-05 09:30", "Australia/Sydney", ["Fri 09:00"]),
        ("2026-03-05 10:30", "Australia/Sydney", ["Thu 20:00", "Fri 10:00"]),
    ],
    ids=[
        "west before",
        "west after",
        "east before",
        "far east in time",
        "far east in the evening",
        "east after",
    ],
)
def test_a_member_who_changes_zone_gets_each_nudge_once(
    desk: BotHarness, moves_at: str, zone: str, comes: list[str]
) -> None:
    desk.play_until(at(moves_at))
    desk.workspace.change_user(AGENT, tz=zone)
    desk.tick()
    desk.play_until(at("2026-03-08 23:00"))
    assert nudged(desk, AGENT, zone) == comes


def test_on_a_server_without_time_zones_the_teams_counts(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        harness.workspace.change_user(AGENT, tz="Asia/Tokyo", tell=False)
        harness.workspace.capabilities = Capabilities(time_zones=False)
        harness.bot.worker.refresh()
        start_cycle(harness)
        harness.play_until(at("2026-03-08 23:00"))
        assert nudged(harness, AGENT, "Europe/Berlin") == ["Thu 10:00", "Fri 10:00"]


def test_nudged_once_more_means_in_their_own_working_hours(desk: BotHarness) -> None:
    desk.workspace.change_user(AGENT, tz="Australia/Sydney")
    types(desk, LEAD, "/attest as-declared runs=9")
    desk.play_until(at("2026-03-09 10:30"))
    lead = desk.workspace.person(LEAD)
    said = lead.clicks(lead.last_dm(), "Nudge them once more")
    desk.tick()
    assert f"one more reminder in working hours to <@{AGENT}>" in said.words
    assert lead.last_dm().buttons == ["They're away"]
    assert "Reminded again Mon 10:30" in lead.last_dm().words
    desk.play_until(at("2026-03-10 12:00"))
    assert nudged(desk, AGENT, "Australia/Sydney") == ["Thu 10:00", "Fri 10:00", "Tue 09:00"]
    again = bot_dms(desk, AGENT)[-1]
    assert "week 1 check-in" in again.words
    agent = desk.workspace.person(AGENT)
    agent.clicks(again, "Didn't run it")
    assert agent.submits().closed


def test_a_member_away_when_asked_is_not_listed_as_missing(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence away 2026-03-04..2026-03-06")
    types(desk, LEAD, "/attest as-declared runs=9")
    desk.play_until(at("2026-03-09 12:00"))
    assert nudged(desk, AGENT) == []
    assert nudged(desk, LEAD) == ["Fri 14:00"]
    shown = types(desk, LEAD, "/cadence status")
    assert "Draft the reply\ncollaborative\n" in shown
    # Their runs of Monday and Tuesday still count as typical ones: 9 attested, 20 assumed, and this week's 29.
    assert "\n0 in 9 reported runs (+49 estimated)" in shown


def test_those_who_were_away_are_said_to_be(desk: BotHarness) -> None:
    types(desk, LEAD, "/attest as-declared runs=9")
    desk.play_until(at("2026-03-09 10:30"))
    lead = desk.workspace.person(LEAD)
    lead.clicks(lead.last_dm(), "They're away")
    lead.submits()
    desk.tick()
    assert "All check-ins are in" in lead.last_dm().words
    assert f"Away: <@{AGENT}>" in lead.last_dm().words


def test_last_weeks_check_in_can_be_snoozed_without_this_weeks(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-09 10:00"))
    agent = desk.workspace.person(AGENT)
    agent.chooses(agent.opens_home(), "checkin.snooze", "Tomorrow")
    desk.tick()
    assert "Last week's check-in is snoozed until Tue 10 Mar at 10:00" in agent.home().words
    desk.play_until(at("2026-03-13 10:01"))
    weeks = [
        "week 1 check-in",
        "week 2 check-in",
        "week 2 check-in",
    ]  # last week's back, Thursday's, Friday's reminder
    came = [one.words for one in bot_dms(desk, AGENT)[2:]]
    assert nudged(desk, AGENT)[2] == "Tue 10:00"
    assert sorted(weeks) == sorted(week for text in came for week in set(weeks) if week in text)
    assert "2 items need you" in agent.opens_home().words


def test_home_shows_when_a_snoozed_check_in_returns(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    types(desk, AGENT, "/cadence snooze friday")
    assert "Your next check-in comes Fri 6 Mar at 10:00" in agent.opens_home().words
    for moment in ("2026-03-05 10:30", "2026-03-06 10:30"):
        desk.play_until(at(moment))
        assert "1 item needs you" in agent.opens_home().words


def test_only_what_can_be_kept_is_offered(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-06 10:00"))
    reminder = str(bot_dms(desk, AGENT)[-1].blocks)
    assert "Later today" in reminder
    assert "Tomorrow" not in reminder
    assert "Friday" not in reminder
    assert "snooze it for an hour" in types(desk, AGENT, "/cadence snooze tomorrow")
    desk.play_until(at("2026-03-06 17:30"))
    assert "Please check in now" in types(desk, AGENT, "/cadence snooze friday")


def test_home_shows_quiet_periods_with_a_button_to_end_them(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    types(desk, AGENT, "/cadence mute")
    types(desk, AGENT, "/cadence away 2026-03-02..2026-03-04")
    home = agent.opens_home()
    assert "You're away until Wed 4 Mar" in home.words
    agent.clicks(home, "I'm back")
    agent.clicks(agent.home(), "Turn reminders on")
    desk.tick()
    assert "away until" not in agent.home().words
    assert "Reminders are off" not in agent.home().words
