"""Nobody is nudged at night, on a day off, or more often than promised; skipped nudges are reported (SPEC
§4)."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.capabilities import Capabilities
from bot.sandbox.messages import Message
from bot.sandbox.views import View
from cadence.nudges import Unless, title_of
from storage.tables import MessageState
from templates.contexts.checkins import (
    Attested,
    CheckinMessage,
    CheckinMoved,
    CheckinReminder,
    KpiMissing,
    Snoozed,
    WhoIsMissing,
)
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.home import Home
from templates.contexts.overview.statuses import Status
from templates.contexts.people import AwaySet, BackAgain, Muted
from templates.ids import Action
from tests.contexts import actions, assert_golden, is_shown, shown
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


def types(harness: BotHarness, member: str, text: str) -> Answer:
    channel = DESK_CHANNEL if member in harness.workspace.channel(DESK_CHANNEL).members else None
    said = harness.workspace.person(member).types(text, channel=channel)
    harness.tick()
    return said


def nudged(harness: BotHarness, member: str, zone: str = "Europe/Berlin") -> list[str]:
    """The times of somebody's DMs, in a local zone."""
    return local_times(bot_dms(harness, member), zone)


def not_sent(harness: BotHarness) -> dict[tuple[str, str], int]:
    """What the newest digest says wasn't sent: how many by nudge and reason."""
    skipped = shown(posts(harness, CURATORS)[-1], Digest).skipped
    return {(one.nudge, one.reason): one.count for one in skipped}


def weeks(message: Message) -> list[int | None]:
    """The weeks whose check-ins a message asks for, or asked for before it was moved."""
    if is_shown(message, CheckinMoved):
        return [shown(message, CheckinMoved).week]
    if is_shown(message, CheckinReminder):
        return [row.week for row in shown(message, CheckinReminder).rows]
    return [row.week for row in shown(message, CheckinMessage).rows]


def missing(harness: BotHarness) -> WhoIsMissing:
    """What the owner was told last about missing check-ins."""
    return shown(bot_dms(harness, LEAD)[-1], WhoIsMissing)


def quiet(home: View) -> list[str]:
    """What a Home says about when nudges come again."""
    return [need.text for need in shown(home, Home).quiet]


def down_until(harness: BotHarness, moment: str) -> None:
    """The bot was down, and is running again."""
    harness.clock.set(at(moment))
    harness.tick()


def test_an_ordinary_week(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-09 12:00"))
    assert nudged(desk, AGENT) == ["Thu 10:00", "Fri 10:00"]
    assert nudged(desk, LEAD) == ["Thu 10:00", "Fri 10:00", "Fri 14:00", "Mon 10:00"]
    assert not_sent(desk) == {}


def test_nobody_is_nudged_while_away(desk: BotHarness) -> None:
    away = shown(types(desk, AGENT, "/cadence away 2026-03-02..2026-03-10"), AwaySet)
    assert (away.since, away.until, away.is_guess) == (date(2026, 3, 2), date(2026, 3, 10), False)
    desk.play_until(at("2026-03-09 12:00"))
    assert nudged(desk, AGENT) == []
    assert not_sent(desk) == {
        (title_of("checkin"), Unless.AWAY): 1,
        (title_of("checkin-reminder"), Unless.AWAY): 1,
    }
    told = missing(desk)
    assert (told.playbook, told.week, told.expected, told.missing, told.own) == ("Reply", 1, 1, (), True)
    assert told.away == (AGENT,)
    desk.play_until(at("2026-03-12 10:00"))
    assert nudged(desk, AGENT) == ["Thu 10:00"]


def test_a_day_away_moves_the_check_in_to_the_next_day(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence away 2026-03-05..2026-03-05")
    desk.play_until(at("2026-03-08 23:00"))
    assert nudged(desk, AGENT) == ["Fri 10:00"]


def test_back_early_the_check_in_comes_once(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence away 2026-03-05..2026-03-05")
    desk.play_until(at("2026-03-05 13:00"))
    assert shown(types(desk, AGENT, "/cadence away off"), BackAgain).was_away
    desk.play_until(at("2026-03-08 23:00"))
    assert nudged(desk, AGENT) == ["Thu 13:00", "Fri 10:00"]


def test_back_on_the_morning_after_the_check_in_comes_at_its_hour(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence away 2026-03-05..2026-03-08")
    desk.play_until(at("2026-03-06 08:15"))
    types(desk, AGENT, "/cadence away off")
    desk.play_until(at("2026-03-08 23:00"))
    assert nudged(desk, AGENT) == ["Fri 10:00"]


@pytest.mark.parametrize(
    ("monday", "until", "agents", "leads", "dropped"),
    [
        ("2026-05-11", "2026-05-18 12:00", ["Fri 10:00"], ["Fri 10:00", "Fri 14:00", "Mon 10:00"], {}),
        (
            "2026-04-27",
            "2026-05-04 12:00",
            ["Thu 10:00"],
            ["Thu 10:00", "Mon 10:00"],
            {"checkin-reminder": 2, "gate-due": 1, "kpi-missing": 1},
        ),
        (
            "2026-03-30",
            "2026-04-07 12:00",
            ["Thu 10:00"],
            ["Thu 10:00", "Tue 10:00"],
            {"checkin-reminder": 2, "gate-due": 1, "kpi-missing": 1},
        ),
    ],
    ids=["ascension thursday", "labour day friday", "easter"],
)
def test_a_public_holiday_moves_a_nudge_or_drops_it(
    tmp_path: Path, monday: str, until: str, agents: list[str], leads: list[str], dropped: dict[str, int]
) -> None:
    with bot_harness(tmp_path, start=at(f"{monday} 07:00"), workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness, monday=monday)
        harness.play_until(at(until))
        assert nudged(harness, AGENT) == agents
        assert nudged(harness, LEAD) == leads
        assert not_sent(harness) == {
            (title_of(kind), Unless.HOLIDAY): count for kind, count in dropped.items()
        }


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
    assert is_shown(said, Snoozed)
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
    assert_golden(types(desk, AGENT, "/cadence snooze tomorrow"), "refused-nothing-to-snooze")


def test_mute_stops_reminders_not_the_check_in(desk: BotHarness) -> None:
    assert shown(types(desk, AGENT, "/cadence mute"), Muted).muted
    desk.play_until(at("2026-03-09 12:00"))
    assert nudged(desk, AGENT) == ["Thu 10:00"]
    assert not_sent(desk) == {}
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
    lost = {"checkin": 2, "checkin-reminder": 2, "kpi-missing": 1, "gate-due": 1}
    assert not_sent(desk) == {(title_of(kind), Unless.NO_HOURS): count for kind, count in lost.items()}


def test_down_until_friday_afternoon_each_gets_one_message(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-04 17:00"))
    down_until(desk, "2026-03-06 15:00")
    assert nudged(desk, AGENT) == ["Fri 15:00"]
    assert nudged(desk, LEAD) == ["Fri 15:00"]
    assert is_shown(bot_dms(desk, LEAD)[-1], CheckinMessage)
    [reminder] = [one for one in ledger(desk, "checkin-reminder") if one.recipient == AGENT]
    assert (reminder.state, reminder.reason) == (MessageState.SKIPPED, Unless.CAME_TODAY)
    desk.play_until(at("2026-03-08 23:00"))
    assert nudged(desk, LEAD) == ["Fri 15:00", "Fri 17:00"]
    number = shown(bot_dms(desk, LEAD)[-1], KpiMissing)
    assert (number.kpi.name, number.week, number.reported) == ("First response time", 1, None)


def test_down_for_two_weeks_only_the_newest_is_sent(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-04 17:00"))
    down_until(desk, "2026-03-19 11:00")
    assert nudged(desk, AGENT) == ["Thu 11:00"]
    assert weeks(bot_dms(desk, AGENT)[-1]) == [3]
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
    [attested] = shown(types(desk, NEWCOMER, "/attest as-declared runs=9"), Attested).rows
    assert (attested.answer.attestation, attested.answer.runs) == ("as-declared", 9)


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
    assert (missing(desk).expected, missing(desk).missing, missing(desk).own) == (1, (), True)


def test_a_deactivated_member_gets_nothing_more(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-05 11:00"))
    desk.workspace.change_user(AGENT, deleted=True)
    desk.play_until(at("2026-03-09 12:00"))
    assert nudged(desk, AGENT) == ["Thu 10:00"]
    assert AGENT not in missing(desk).missing
    assert AGENT not in bot_dms(desk, LEAD)[-1].words


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
    said = lead.clicks(lead.last_dm(), "Nudge once more")
    desk.tick()
    assert_golden(said.words, "nudged-once-more")
    assert actions(lead.last_dm()) == [Action.THEY_ARE_AWAY]
    assert f"{missing(desk).nudged_at:%a %H:%M}" == "Mon 10:30"
    desk.play_until(at("2026-03-10 12:00"))
    assert nudged(desk, AGENT, "Australia/Sydney") == ["Thu 10:00", "Fri 10:00", "Tue 09:00"]
    again = bot_dms(desk, AGENT)[-1]
    assert weeks(again) == [1]
    agent = desk.workspace.person(AGENT)
    agent.clicks(again, "Didn't run it")
    assert agent.submits().closed


def test_a_member_away_when_asked_is_not_listed_as_missing(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence away 2026-03-04..2026-03-06")
    types(desk, LEAD, "/attest as-declared runs=9")
    desk.play_until(at("2026-03-09 12:00"))
    assert nudged(desk, AGENT) == []
    assert nudged(desk, LEAD) == ["Fri 14:00"]
    [row] = shown(types(desk, LEAD, "/cadence status"), Status).rows
    [draft] = [step for step in row.steps if step.title == "Draft the reply"]
    assert draft.mode == "collaborative"
    # Their runs of Monday and Tuesday still count as typical ones: 9 attested, 20 assumed, and this week's 29.
    assert draft.evidence is not None
    assert (draft.evidence.exceptions, draft.evidence.attested, draft.evidence.assumed) == (0, 9, 49)


def test_those_who_were_away_are_said_to_be(desk: BotHarness) -> None:
    types(desk, LEAD, "/attest as-declared runs=9")
    desk.play_until(at("2026-03-09 10:30"))
    lead = desk.workspace.person(LEAD)
    lead.clicks(lead.last_dm(), "They're away")
    lead.submits()
    desk.tick()
    assert (missing(desk).missing, missing(desk).own, missing(desk).away) == ((), False, (AGENT,))
    assert_golden(lead.last_dm(), "all-in-but-who-was-away")


def test_last_weeks_check_in_can_be_snoozed_without_this_weeks(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-09 10:00"))
    agent = desk.workspace.person(AGENT)
    agent.chooses(agent.opens_home(), "checkin.snooze", "Tomorrow")
    desk.tick()
    [text] = quiet(agent.home())
    assert_golden(text, "home-last-week-snoozed")
    desk.play_until(at("2026-03-13 10:01"))
    came = [week for one in bot_dms(desk, AGENT)[2:] for week in weeks(one)]
    assert nudged(desk, AGENT)[2] == "Tue 10:00"
    assert came == [1, 2, 2], "last week's back, Thursday's, Friday's reminder"
    assert shown(agent.opens_home(), Home).waiting == 2


def test_home_shows_when_a_snoozed_check_in_returns(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    types(desk, AGENT, "/cadence snooze friday")
    assert f"{shown(agent.opens_home(), Home).next_checkin:%a %d %b %H:%M}" == "Fri 06 Mar 10:00"
    for moment in ("2026-03-05 10:30", "2026-03-06 10:30"):
        desk.play_until(at(moment))
        assert shown(agent.opens_home(), Home).waiting == 1


def test_only_what_can_be_kept_is_offered(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-06 10:00"))
    offered = shown(bot_dms(desk, AGENT)[-1], CheckinReminder).snoozes
    assert "hour" in offered
    assert not {"tomorrow", "friday"} & set(offered)
    assert_golden(types(desk, AGENT, "/cadence snooze tomorrow"), "refused-only-an-hour")
    desk.play_until(at("2026-03-06 17:30"))
    assert_golden(types(desk, AGENT, "/cadence snooze friday"), "refused-too-late")


def test_home_shows_quiet_periods_with_a_button_to_end_them(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    types(desk, AGENT, "/cadence mute")
    types(desk, AGENT, "/cadence away 2026-03-02..2026-03-04")
    home = agent.opens_home()
    away, muted = quiet(home)
    assert_golden(away, "home-away")
    assert_golden(muted, "home-muted")
    agent.clicks(home, "I'm back")
    agent.clicks(agent.home(), "Turn reminders on")
    desk.tick()
    assert quiet(agent.home()) == []
