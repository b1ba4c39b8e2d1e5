"""Only alerts are sent outside their reader's working hours; skipped messages are reported (SPEC §4)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from cadence.nudges import Unless
from storage.tables import Adoption, Cycle, CycleState, MessageState, OutboxMessage, Workspace
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    SOLO_CHANNEL,
    InCycle,
    at,
    bot_dms,
    changed,
    ledger,
    local_times,
    posts,
    rows,
)

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"
NO_CHANNEL = ("  curator_channel: C01CURATORS\n", "")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Monday morning of week 1."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-02 09:00")
    ) as harness:
        yield harness


@pytest.fixture
def without_channel(tmp_path: Path) -> Iterator[BotHarness]:
    """Monday morning of week 1 in a workspace whose curators have no channel: the digest goes to their DM."""
    workspace = changed(DESK, tmp_path, NO_CHANNEL)
    with bot_harness(
        tmp_path, workspace=workspace, playbooks=[REPLY], played=InCycle("2026-03-02 09:00")
    ) as harness:
        yield harness


def types(harness: BotHarness, member: str, text: str) -> str:
    channel = DESK_CHANNEL if member in harness.workspace.channel(DESK_CHANNEL).members else None
    said = harness.workspace.person(member).types(text, channel=channel)
    harness.tick()
    return said.words


def down_until(harness: BotHarness, moment: str) -> None:
    """The bot was down, and is running again."""
    harness.clock.set(at(moment))
    harness.tick()


def digests(harness: BotHarness, zone: str) -> list[str]:
    """The times of the digests in the curator's DM, in a local zone."""
    found = [one for one in bot_dms(harness, CURATOR) if "check-ins" in one.words or "playbook" in one.words]
    return local_times(found, zone)


@pytest.mark.parametrize(
    ("zone", "comes"),
    [
        ("Europe/Berlin", "Mon 11:00"),
        ("America/Los_Angeles", "Mon 09:00"),
        ("America/New_York", "Mon 09:00"),
        ("Asia/Kolkata", "Mon 15:30"),
        ("Pacific/Auckland", "Tue 09:00"),
    ],
)
def test_the_digest_comes_by_day_of_the_curator_who_reads_it(
    without_channel: BotHarness, zone: str, comes: str
) -> None:
    without_channel.workspace.change_user(CURATOR, tz=zone)
    without_channel.tick()
    without_channel.play_until(at("2026-03-11 12:00"))
    assert digests(without_channel, zone) == [comes]


def test_the_digest_waits_for_a_curator_who_is_away_or_is_not_sent(without_channel: BotHarness) -> None:
    types(without_channel, CURATOR, "/cadence away 2026-03-09..2026-03-09")
    types(without_channel, CURATOR, "/cadence away 2026-03-16..2026-03-20")
    without_channel.play_until(at("2026-03-22 12:00"))
    assert digests(without_channel, "Europe/Berlin") == ["Tue 09:00"]


def test_a_digest_after_downtime_waits_for_the_morning(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-09 09:00"))
    down_until(desk, "2026-03-09 22:07")
    assert posts(desk, CURATORS) == []
    desk.play_until(at("2026-03-10 12:00"))
    assert local_times(posts(desk, CURATORS), "Europe/Berlin") == ["Tue 09:00"]


def test_a_closing_post_waits_for_the_morning_of_its_channel(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 09:00"))
    down_until(desk, "2026-03-27 22:07")
    closed = [one for one in rows(desk, Cycle) if one.state is CycleState.CLOSED]
    assert len(closed) == 1, "the cycle closes all the same"
    assert "Fri 22:07" not in local_times(posts(desk, DESK_CHANNEL), "Europe/Berlin")
    desk.play_until(at("2026-03-30 12:00"))
    told = [(one.recipient, one.sent_at) for one in ledger(desk, "cycle-closed")]
    assert sorted(told) == [(CURATORS, at("2026-03-30 09:00")), (DESK_CHANNEL, at("2026-03-30 09:00"))]


def test_the_setup_post_waits_for_the_morning_of_its_team(desk: BotHarness) -> None:
    down_until(desk, "2026-03-02 23:06")
    types(desk, CURATOR, "/cadence adopt reply team=solo champion=<@U01AGENT2>")
    assert rows(desk, Adoption)[-1].champion == "U01AGENT2"
    assert posts(desk, SOLO_CHANNEL) == []
    desk.play_until(at("2026-03-03 12:00"))
    assert local_times(posts(desk, SOLO_CHANNEL), "Europe/Berlin") == ["Tue 09:00"]


def test_an_alert_is_sent_at_any_hour(desk: BotHarness) -> None:
    down_until(desk, "2026-03-02 23:06")
    types(desk, AGENT, "/exception reply send critical It sent the wrong refund.")
    desk.workspace.person(AGENT).submits({})
    desk.tick()
    assert "Mon 23:06" in local_times(posts(desk, DESK_CHANNEL), "Europe/Berlin")


def test_every_reason_says_whether_it_is_harmless() -> None:
    loud = {one for one in Unless if not one.quiet}
    assert loud == {
        Unless.AWAY,
        Unless.HOLIDAY,
        Unless.NO_DAY,
        Unless.NO_HOURS,
        Unless.DOWNTIME,
        Unless.NEWER_DUE,
        Unless.GONE,
        Unless.LEFT,
        Unless.NO_PART,
        Unless.UNINSTALLED,
    }
    assert not any(Unless.is_quiet(one) for one in loud)
    assert not Unless.is_quiet("is_archived")


def test_the_digest_says_nothing_of_harmless_skips(desk: BotHarness) -> None:
    desk.workspace.change_user(LEAD, tz="America/Los_Angeles")  # their Friday afternoon is after the close
    desk.play_until(at("2026-03-30 12:00"))
    skipped = {one.reason for one in rows(desk, OutboxMessage) if one.state is MessageState.SKIPPED}
    assert "the cycle is closed" in skipped
    assert "Not sent" not in posts(desk, CURATORS)[-1].words


def test_nothing_closes_and_nothing_starts_after_the_bot_was_uninstalled(desk: BotHarness) -> None:
    with desk.bot.db.write() as session:
        row = session.get(Workspace, BUILT_IN_TEAM)
        assert row is not None
        row.uninstalled_at = at("2026-03-10 12:00")
        session.add(row)
    desk.play_until(at("2026-05-10 12:00"))
    assert [one.state for one in rows(desk, Cycle)] == [CycleState.RUNNING]


@pytest.mark.parametrize(
    ("moment", "typed", "said"),
    [
        ("2026-03-02 09:30", "hour", "Snoozed until Thu 5 Mar, 11:00"),
        (
            "2026-03-02 09:30",
            "tomorrow",
            "isn't due until Thu 5 Mar, 10:00. You can snooze it for an hour or until",
        ),
        ("2026-03-02 09:30", "friday", "Snoozed until Fri 6 Mar, 10:00"),
        (
            "2026-03-04 17:30",
            "tomorrow",
            "isn't due until Thu 5 Mar, 10:00. You can snooze it for an hour or until",
        ),
        ("2026-03-05 09:59", "hour", "Snoozed until Thu 5 Mar, 11:00"),
        ("2026-03-05 09:59", "tomorrow", "Snoozed until Fri 6 Mar, 10:00"),
        ("2026-03-05 10:00", "hour", "Snoozed until Thu 5 Mar, 11:00"),
        ("2026-03-05 10:00", "friday", "Snoozed until Fri 6 Mar, 10:00"),
    ],
)
def test_a_snoozed_check_in_never_comes_before_it_was_due(
    desk: BotHarness, moment: str, typed: str, said: str
) -> None:
    desk.play_until(at(moment))
    assert said in types(desk, AGENT, f"/cadence snooze {typed}")
    desk.play_until(at("2026-03-08 23:00"))
    first = local_times(bot_dms(desk, AGENT), "Europe/Berlin")[0]
    assert first in {"Thu 10:00", "Thu 11:00", "Fri 10:00"}


def test_every_way_to_snooze_comes_to_another_moment(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    asked = agent.types("/cadence snooze", channel=DESK_CHANNEL)
    assert "Your check-in comes Thu 5 Mar, 10:00" in asked.words
    assert asked.message is not None
    assert asked.message.buttons == ["An hour later", "Friday"]
    desk.play_until(at("2026-03-05 10:20"))
    menu = str(agent.last_dm().blocks)
    assert "Tomorrow" in menu
    assert "Friday" not in menu, "tomorrow is Friday"


def test_status_says_when_a_check_in_comes_and_its_form_is_no_correction(desk: BotHarness) -> None:
    assert "Your check-in comes Thu 5 Mar at 10:00" in types(desk, AGENT, "/cadence status")
    types(desk, AGENT, "/cadence snooze friday")
    assert "Your check-in comes Fri 6 Mar at 10:00" in types(desk, AGENT, "/cadence status")
    agent = desk.workspace.person(AGENT)
    agent.types("/attest", channel=DESK_CHANNEL)
    view = agent.view()
    assert view is not None
    assert view.words.startswith("Check in\n")
    desk.play_until(at("2026-03-06 10:00"))
    assert "\nCheck in\n" in types(desk, AGENT, "/cadence status")


def live(harness: BotHarness, member: str) -> list[bool]:
    """Those of somebody's check-in messages that have buttons or a menu."""
    return [any(block["type"] == "actions" for block in one.blocks) for one in bot_dms(harness, member)]


def test_there_is_one_live_copy_of_a_check_in(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    desk.play_until(at("2026-03-05 10:20"))
    agent.chooses(agent.last_dm(), "checkin.snooze", "Later today")
    desk.tick()
    assert "Snoozed until Thu 5 Mar, 11:20" in agent.last_dm().words
    assert live(desk, AGENT) == [True], "it can still be answered"
    desk.play_until(at("2026-03-05 12:00"))
    assert live(desk, AGENT) == [False, True]
    assert "moved to a newer message" in bot_dms(desk, AGENT)[0].words
    desk.play_until(at("2026-03-06 12:00"))
    assert live(desk, AGENT) == [False, False, True], "only the reminder"
    types(desk, AGENT, "/attest as-declared runs=9")
    assert live(desk, AGENT) == [False, False, False]
    assert [one.buttons for one in bot_dms(desk, AGENT)] == [[], [], ["Change"]]
    assert "answered" in bot_dms(desk, AGENT)[0].words


def test_a_check_in_closes_with_its_week(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-08 23:59"))
    assert live(desk, AGENT) == [False, True]
    desk.play_until(at("2026-03-09 00:01"))
    assert live(desk, AGENT) == [False, False]
    assert "Closed without your answer" in bot_dms(desk, AGENT)[-1].words
    home = desk.workspace.person(AGENT).opens_home().words
    assert "*⏳ Check in*\nReply, week 1 of 4 · Desk\nCheck in\n" in home, "the Home still takes it"


def test_nudged_once_more_the_check_in_is_live_again_until_that_week_ends(desk: BotHarness) -> None:
    types(desk, LEAD, "/attest as-declared runs=9")
    desk.play_until(at("2026-03-09 10:30"))
    lead = desk.workspace.person(LEAD)
    lead.clicks(lead.last_dm(), "Nudge them once more")
    desk.play_until(at("2026-03-09 12:00"))
    assert live(desk, AGENT) == [False, False, True]
    desk.play_until(at("2026-03-16 00:01"))
    again = [one for one in bot_dms(desk, AGENT) if "week 1 check-in" in one.words]
    assert not any(block["type"] == "actions" for one in again for block in one.blocks)


def test_muting_from_the_menu_turns_the_menu(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    desk.play_until(at("2026-03-05 10:20"))
    agent.chooses(agent.last_dm(), "checkin.snooze", "Mute reminders")
    desk.tick()
    assert "Turn on reminders" in str(agent.last_dm().blocks)


def test_the_owner_is_not_listed_among_missing_members(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-09 10:30"))
    lead = desk.workspace.person(LEAD)
    told = lead.last_dm()
    assert "2 of 2 check-ins missing" in told.words
    assert f"<@{AGENT}>" in told.words
    assert f"<@{LEAD}>" not in told.words
    assert "Yours is missing too" in told.words
    said = lead.clicks(told, "Nudge them once more").words
    desk.tick()
    assert f"<@{AGENT}>" in said
    assert f"<@{LEAD}>" not in said
    assert not ledger(desk, "checkin-again")[1:]
    desk.play_until(at("2026-03-16 00:01"))
    assert [one.buttons for one in bot_dms(desk, LEAD) if "2 of 2 check-ins" in one.words] == [[]]


def test_only_the_owners_own_check_in_is_missing(desk: BotHarness) -> None:
    types(desk, AGENT, "/attest as-declared runs=9")
    desk.play_until(at("2026-03-09 10:30"))
    lead = desk.workspace.person(LEAD)
    assert lead.last_dm().buttons == ["Check in"]
    lead.clicks(lead.last_dm(), "Check in")
    assert lead.submits({"runs": "9"}).closed


def test_a_cycles_buttons_go_when_it_closes(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 15:30"))
    gates = [one for one in bot_dms(desk, LEAD) if "left for this week's gate" in one.words]
    assert any(one.buttons for one in gates)
    weeks = [one for one in posts(desk, DESK_CHANNEL) if " · week " in one.text]
    assert (len(weeks), any(one.buttons for one in weeks)) == (4, True)
    desk.play_until(at("2026-03-27 16:30"))
    gates = [one for one in bot_dms(desk, LEAD) if "The cycle closed with" in one.words]
    assert [one.buttons for one in gates] == [[] for _ in gates]
    assert gates
    assert not [one for one in bot_dms(desk, LEAD) if one.text.startswith("⏳") and "gate" in one.text]
    weeks = [one for one in posts(desk, DESK_CHANNEL) if " · week " in one.text]
    assert [one.buttons for one in weeks] == [[], [], [], []]


def test_a_missing_number_is_asked_for_while_it_can_be_given(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-29 12:00"))
    asked = [one for one in bot_dms(desk, LEAD) if "What was “First response time”" in one.words]
    assert len(asked) == 4
    assert all("Report the number" in one.buttons for one in asked)
    desk.play_until(at("2026-03-30 00:01"))
    over = [one for one in bot_dms(desk, LEAD) if "wasn't reported" in one.words]
    assert [one.buttons for one in over] == [[], [], []], "the last week's can still be given"
    desk.play_until(at("2026-04-06 00:01"))
    over = [one for one in bot_dms(desk, LEAD) if "wasn't reported" in one.words]
    assert [one.buttons for one in over] == [[], [], [], []]


def test_a_demoted_step_asks_for_its_rubric_on_home_and_in_the_digest(desk: BotHarness) -> None:
    types(desk, AGENT, "/exception reply send critical It sent the wrong refund.")
    desk.workspace.person(AGENT).submits({})
    desk.tick()
    home = desk.workspace.person(LEAD).opens_home()
    assert "*🔴 Update the rubric*\n“Send the reply” of Reply (Desk) was demoted Mon 2 Mar" in home.words
    assert "Update" in home.buttons
    desk.play_until(at("2026-03-09 12:00"))
    assert "Update" in posts(desk, CURATORS)[-1].buttons


def test_a_champion_sees_the_setup_on_home_until_it_is_done(desk: BotHarness) -> None:
    types(desk, LEAD, "/cadence adopt reply team=solo champion=<@U01AGENT2>")
    champion = desk.workspace.person("U01AGENT2")
    home = champion.opens_home()
    assert "*⏳ Set up*\nReply in Solo" in home.words
    assert "Start setup" in home.buttons
    champion.clicks(home, "Start setup")
    desk.tick()
    home = champion.opens_home()
    assert "Setup done" in home.buttons
    assert "all caught up" not in home.words
    assert "Start setup" not in champion.last_dm().buttons
    champion.clicks(home, "Setup done")
    desk.tick()
    assert "*⏳ Set up*" not in champion.opens_home().words
    ready = desk.workspace.person(LEAD).last_dm()
    assert "Start the first cycle" in ready.buttons
    types(desk, LEAD, "/cadence cycle start reply 2026-03-09 team=solo")
    assert "Start the first cycle" not in desk.workspace.person(LEAD).last_dm().buttons
