"""Only alerts are sent outside their reader's working hours; skipped messages are reported (SPEC §4)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.messages import Message
from bot.sandbox.views import View
from cadence.nudges import Unless
from storage.tables import Adoption, Cycle, CycleState, MessageState, OutboxMessage, Workspace
from templates.contexts.checkins import (
    CheckinForm,
    CheckinMessage,
    CheckinMoved,
    KpiMissing,
    SnoozeAsked,
    Snoozed,
    WhoIsMissing,
)
from templates.contexts.gates import GateDue, WeekOpens
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.home import Home, HomeNeed
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


def types(harness: BotHarness, member: str, text: str) -> Answer:
    channel = DESK_CHANNEL if member in harness.workspace.channel(DESK_CHANNEL).members else None
    said = harness.workspace.person(member).types(text, channel=channel)
    harness.tick()
    return said


def down_until(harness: BotHarness, moment: str) -> None:
    """The bot was down, and is running again."""
    harness.clock.set(at(moment))
    harness.tick()


def digests(harness: BotHarness, zone: str) -> list[str]:
    """The times of the digests in the curator's DM, in a local zone."""
    return local_times([one for one in bot_dms(harness, CURATOR) if is_shown(one, Digest)], zone)


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
    assert max(one.posted_at for one in posts(desk, DESK_CHANNEL)) < at("2026-03-27 22:07")
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
    assert local_times(posts(desk, DESK_CHANNEL), "Europe/Berlin")[-1] == "Mon 23:06"


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
    assert Unless.CLOSED in skipped
    assert shown(posts(desk, CURATORS)[-1], Digest).skipped == ()


def test_nothing_closes_and_nothing_starts_after_the_bot_was_uninstalled(desk: BotHarness) -> None:
    with desk.bot.db.write() as session:
        row = session.get(Workspace, BUILT_IN_TEAM)
        assert row is not None
        row.uninstalled_at = at("2026-03-10 12:00")
        session.add(row)
    desk.play_until(at("2026-05-10 12:00"))
    assert [one.state for one in rows(desk, Cycle)] == [CycleState.RUNNING]


@pytest.mark.parametrize(
    ("moment", "typed", "until"),
    [
        ("2026-03-02 09:30", "hour", "Thu 11:00"),
        ("2026-03-02 09:30", "tomorrow", None),
        ("2026-03-02 09:30", "friday", "Fri 10:00"),
        ("2026-03-04 17:30", "tomorrow", None),
        ("2026-03-05 09:59", "hour", "Thu 11:00"),
        ("2026-03-05 09:59", "tomorrow", "Fri 10:00"),
        ("2026-03-05 10:00", "hour", "Thu 11:00"),
        ("2026-03-05 10:00", "friday", "Fri 10:00"),
    ],
)
def test_a_snoozed_check_in_never_comes_before_it_was_due(
    desk: BotHarness, moment: str, typed: str, until: str | None
) -> None:
    desk.play_until(at(moment))
    said = types(desk, AGENT, f"/cadence snooze {typed}")
    if until is None:
        assert_golden(said, "refused-not-due-yet")
    else:
        assert f"{shown(said, Snoozed).until:%a %H:%M}" == until
    desk.play_until(at("2026-03-08 23:00"))
    first = local_times(bot_dms(desk, AGENT), "Europe/Berlin")[0]
    assert first in {"Thu 10:00", "Thu 11:00", "Fri 10:00"}


def test_every_way_to_snooze_comes_to_another_moment(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    asked = agent.types("/cadence snooze", channel=DESK_CHANNEL)
    choices = shown(asked, SnoozeAsked)
    assert f"{choices.due:%a %d %b %H:%M}" == "Thu 05 Mar 10:00"
    assert [choice.until for choice in choices.choices] == ["hour", "friday"]
    assert actions(asked) == [Action.SNOOZE, Action.SNOOZE]
    desk.play_until(at("2026-03-05 10:20"))
    menu = shown(agent.last_dm(), CheckinMessage).snoozes
    assert "tomorrow" in menu
    assert "friday" not in menu, "tomorrow is Friday"


def status(harness: BotHarness) -> StatusRow:
    """What the agent sees of the one adoption there is."""
    [row] = shown(types(harness, AGENT, "/cadence status"), Status).rows
    return row


def test_status_says_when_a_check_in_comes_and_its_form_is_no_correction(desk: BotHarness) -> None:
    assert f"{status(desk).own_answer_comes:%a %d %b %H:%M}" == "Thu 05 Mar 10:00"
    types(desk, AGENT, "/cadence snooze friday")
    assert f"{status(desk).own_answer_comes:%a %d %b %H:%M}" == "Fri 06 Mar 10:00"
    agent = desk.workspace.person(AGENT)
    agent.types("/attest", channel=DESK_CHANNEL)
    view = agent.view()
    assert view is not None
    assert not shown(view, CheckinForm).answered
    assert_golden(view, "check-in-form")
    desk.play_until(at("2026-03-06 10:00"))
    said = types(desk, AGENT, "/cadence status")
    assert shown(said, Status).rows[0].own_answer_due
    assert Action.RAN_AS_DECLARED in actions(said)


def live(harness: BotHarness, member: str) -> list[bool]:
    """Those of somebody's check-in messages that have buttons or a menu."""
    return [any(block["type"] == "actions" for block in one.blocks) for one in bot_dms(harness, member)]


def test_there_is_one_live_copy_of_a_check_in(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    desk.play_until(at("2026-03-05 10:20"))
    agent.chooses(agent.last_dm(), "checkin.snooze", "Later today")
    desk.tick()
    assert f"{shown(agent.last_dm(), CheckinMessage).snoozed_until:%a %H:%M}" == "Thu 11:20"
    assert live(desk, AGENT) == [True], "it can still be answered"
    desk.play_until(at("2026-03-05 12:00"))
    assert live(desk, AGENT) == [False, True]
    assert not shown(bot_dms(desk, AGENT)[0], CheckinMoved).answered
    desk.play_until(at("2026-03-06 12:00"))
    assert live(desk, AGENT) == [False, False, True], "only the reminder"
    types(desk, AGENT, "/attest as-declared runs=9")
    assert live(desk, AGENT) == [False, False, False]
    assert [actions(one) for one in bot_dms(desk, AGENT)] == [[], [], [Action.CHANGE_CHECKIN]]
    assert shown(bot_dms(desk, AGENT)[0], CheckinMoved).answered


def test_a_check_in_closes_with_its_week(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-08 23:59"))
    assert live(desk, AGENT) == [False, True]
    desk.play_until(at("2026-03-09 00:01"))
    assert live(desk, AGENT) == [False, False]
    closed = shown(bot_dms(desk, AGENT)[-1], CheckinMessage)
    assert (closed.closed, [row.answer for row in closed.rows]) == (True, [None])
    home = desk.workspace.person(AGENT).opens_home()
    [row] = [item.checkin for item in shown(home, Home).items if item.checkin is not None]
    assert (row.playbook, row.week, row.team, row.answer) == ("Reply", 1, "Desk", None)
    assert Action.RAN_AS_DECLARED in actions(home), "the Home still takes it"


def asks_for_week_1(message: Message) -> bool:
    """Whether a message is a check-in of week 1, or says where that was moved."""
    if is_shown(message, CheckinMoved):
        return shown(message, CheckinMoved).week == 1
    return is_shown(message, CheckinMessage) and shown(message, CheckinMessage).rows[0].week == 1


def test_nudged_once_more_the_check_in_is_live_again_until_that_week_ends(desk: BotHarness) -> None:
    types(desk, LEAD, "/attest as-declared runs=9")
    desk.play_until(at("2026-03-09 10:30"))
    lead = desk.workspace.person(LEAD)
    lead.clicks(lead.last_dm(), "Nudge once more")
    desk.play_until(at("2026-03-09 12:00"))
    assert live(desk, AGENT) == [False, False, True]
    desk.play_until(at("2026-03-16 00:01"))
    again = [one for one in bot_dms(desk, AGENT) if asks_for_week_1(one)]
    assert again
    assert not any(block["type"] == "actions" for one in again for block in one.blocks)


def test_muting_from_the_menu_turns_the_menu(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    desk.play_until(at("2026-03-05 10:20"))
    agent.chooses(agent.last_dm(), "checkin.snooze", "Mute reminders")
    desk.tick()
    snoozes = shown(agent.last_dm(), CheckinMessage).snoozes
    assert "unmute" in snoozes
    assert "mute" not in snoozes


def test_the_owner_is_not_listed_among_missing_members(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-09 10:30"))
    lead = desk.workspace.person(LEAD)
    told = lead.last_dm()
    missing = shown(told, WhoIsMissing)
    assert (missing.expected, missing.missing, missing.own) == (2, (AGENT,), True)
    assert AGENT in told.words
    assert LEAD not in told.words
    said = lead.clicks(told, "Nudge once more").words
    desk.tick()
    assert AGENT in said
    assert LEAD not in said
    assert not ledger(desk, "checkin-again")[1:]
    desk.play_until(at("2026-03-16 00:01"))
    [told] = [one for one in bot_dms(desk, LEAD) if one.ts == told.ts]
    assert shown(told, WhoIsMissing).closed
    assert told.buttons == []


def test_only_the_owners_own_check_in_is_missing(desk: BotHarness) -> None:
    types(desk, AGENT, "/attest as-declared runs=9")
    desk.play_until(at("2026-03-09 10:30"))
    lead = desk.workspace.person(LEAD)
    assert actions(lead.last_dm()) == [Action.RAN_AS_DECLARED]
    lead.clicks(lead.last_dm(), "Check in")
    assert lead.submits({"runs": "9"}).closed


def test_a_cycles_buttons_go_when_it_closes(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 15:30"))
    gates = [one for one in bot_dms(desk, LEAD) if is_shown(one, GateDue)]
    assert any(one.buttons for one in gates)
    weeks = [one for one in posts(desk, DESK_CHANNEL) if is_shown(one, WeekOpens)]
    assert (len(weeks), any(one.buttons for one in weeks)) == (4, True)
    desk.play_until(at("2026-03-27 16:30"))
    gates = [one for one in bot_dms(desk, LEAD) if is_shown(one, GateDue)]
    assert gates
    assert [one.buttons for one in gates] == [[] for _ in gates]
    for due in contexts(gates, GateDue):
        assert due.closed
        assert any(not check.met for check in due.checks)
    weeks = [one for one in posts(desk, DESK_CHANNEL) if is_shown(one, WeekOpens)]
    assert [one.buttons for one in weeks] == [[], [], [], []]


def unreported(harness: BotHarness) -> list[Message]:
    """The messages that asked the owner for a number, and that say by now that it wasn't reported."""
    asked = [one for one in bot_dms(harness, LEAD) if is_shown(one, KpiMissing)]
    return [one for one in asked if shown(one, KpiMissing).closed]


def test_a_missing_number_is_asked_for_while_it_can_be_given(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-29 12:00"))
    asked = [one for one in bot_dms(desk, LEAD) if is_shown(one, KpiMissing)]
    assert [(one.kpi.name, one.closed) for one in contexts(asked, KpiMissing)] == [
        ("First response time", False)
    ] * 4
    assert all(Action.REPORT_KPI in actions(one) for one in asked)
    desk.play_until(at("2026-03-30 00:01"))
    over = unreported(desk)
    assert [one.buttons for one in over] == [[], [], []], "the last week's can still be given"
    desk.play_until(at("2026-04-06 00:01"))
    assert [one.buttons for one in unreported(desk)] == [[], [], [], []]


def needs(home: View, action: Action) -> list[HomeNeed]:
    """What a Home asks for with a button."""
    found = [item.need for item in shown(home, Home).items if item.need is not None]
    return [need for need in found if action in [offer.action for offer in need.offers]]


def test_a_demoted_step_asks_for_its_rubric_on_home_and_in_the_digest(desk: BotHarness) -> None:
    types(desk, AGENT, "/exception reply send critical It sent the wrong refund.")
    desk.workspace.person(AGENT).submits({})
    desk.tick()
    [need] = needs(desk.workspace.person(LEAD).opens_home(), Action.REVISE_RUBRIC)
    assert_golden(f"{need.title}\n{need.text}", "home-update-rubric")
    desk.play_until(at("2026-03-09 12:00"))
    assert Action.REVISE_RUBRIC in actions(posts(desk, CURATORS)[-1])


def test_a_champion_sees_the_setup_on_home_until_it_is_done(desk: BotHarness) -> None:
    types(desk, LEAD, "/cadence adopt reply team=solo champion=<@U01AGENT2>")
    champion = desk.workspace.person("U01AGENT2")
    home = champion.opens_home()
    [need] = needs(home, Action.START_SETUP)
    assert_golden(f"{need.title}\n{need.text}", "home-set-up")
    champion.clicks(home, "Start setup")
    desk.tick()
    home = champion.opens_home()
    assert needs(home, Action.SETUP_DONE)
    assert shown(home, Home).waiting == 1
    assert Action.START_SETUP not in actions(champion.last_dm())
    champion.clicks(home, "Setup done")
    desk.tick()
    assert not [item for item in shown(champion.opens_home(), Home).items if item.need is not None]
    ready = desk.workspace.person(LEAD).last_dm()
    assert Action.START_CYCLE in actions(ready)
    types(desk, LEAD, "/cadence cycle start reply 2026-03-09 team=solo")
    assert Action.START_CYCLE not in actions(desk.workspace.person(LEAD).last_dm())
