"""Weeks in which a paused adoption wasn't asked: no estimated runs, and no missing check-ins (SPEC §5)."""

from collections.abc import Iterator
from copy import copy
from datetime import date
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.messages import Message
from cadence.flows.nudging.forecasting import forecast
from cadence.nudges.table import BY_KIND, Unless
from cadence.rules.modes import Mode
from storage.tables import (
    Adoption,
    AdoptionState,
    AdoptionStep,
    CheckIn,
    Cycle,
    CycleKind,
    MessageState,
    OutboxMessage,
    StepVerdict,
)
from templates.contexts.checkins import CheckinForm, CheckinMessage, WhoIsMissing
from templates.contexts.cycles import (
    CycleAnnounced,
    CycleClosed,
    CyclePaused,
    CycleResumed,
    CycleShown,
    CycleStarted,
    CycleStartForm,
)
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.home import Home
from templates.contexts.overview.statuses import Status
from templates.ids import Action, Field
from tests.contexts import actions, assert_golden, contexts, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    TRIAGE,
    at,
    bot_dms,
    entries,
    ledger,
    posts,
    rows,
    says,
    start_cycle,
)

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of week 1: both answered, 5 exceptions in 40 runs are watched, and the adoption is paused."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 10:05"))
        for member in (LEAD, AGENT):
            types(harness, "/attest as-declared runs=20", member)
        for reason in ("tone", "link", "refund", "name", "price"):
            types(harness, f"/exception reply send {reason}", AGENT)
        types(harness, "/cadence cycle pause reply")
        yield harness


def types(harness: BotHarness, text: str, member: str = LEAD) -> Answer:
    said = harness.workspace.person(member).types(text, channel=DESK_CHANNEL)
    harness.tick()
    return said


def checkins(harness: BotHarness) -> tuple[int, int]:
    """How many check-ins the closing post counts as answered, and as asked for."""
    [closing] = contexts(posts(harness, DESK_CHANNEL), CycleClosed)
    return closing.attested, closing.expected


def test_a_pause_clears_no_watch(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 16:05"))
    [row] = shown(types(desk, "/cadence status"), Status).rows
    evidence = next(step.evidence for step in row.steps if step.key == "send")
    assert evidence is not None
    assert (evidence.exceptions, evidence.reported, evidence.assumed) == (5, 40, 0), "nothing is estimated"
    [send] = [row for row in rows(desk, AdoptionStep) if row.step == "send"]
    last = [row for row in rows(desk, StepVerdict) if row.step == "send"][-1]
    assert (last.exceptions, last.attested, last.assumed, send.mode) == (5, 40, 0, Mode.COLLABORATIVE)
    assert checkins(desk) == (2, 2)
    digest = shown(desk.workspace.person(CURATOR).types("/cadence digest"), Digest)
    assert digest.coverage is None
    assert_golden("\n".join(digest.notes), "worth-a-look")


def test_the_weeks_after_a_pause_are_asked_about_again(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-18 12:00"))
    assert shown(types(desk, "/cadence cycle start reply"), CycleStarted).resumed
    desk.play_until(at("2026-03-27 16:05"))
    assert checkins(desk) == (2, 6)


def test_a_pause_after_the_check_in_came_leaves_its_week_asked(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 12:00"))
        types(harness, "/cadence cycle pause reply")
        harness.play_until(at("2026-03-27 16:05"))
        assert checkins(harness) == (0, 2)


def test_curators_get_the_digest_of_a_paused_cycle(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 12:00"))
        says(harness.workspace.person(AGENT), "/exception send critical oops", channel=DESK_CHANNEL)
        types(harness, "/cadence cycle pause reply")
        [planned] = forecast(harness.bot.db, now=harness.clock.now(), until=at("2026-03-10 12:00"))
        assert planned.slot.kind == "digest"
        harness.play_until(at("2026-03-09 12:00"))
        digest = posts(harness, CURATORS)[-1]
        asked = [one.offer.action for one in shown(digest, Digest).decisions if one.offer is not None]
        assert Action.REVISE_RUBRIC in asked
        assert Action.REVISE_RUBRIC in actions(digest)
        harness.play_until(at("2026-05-01 12:00"))
        assert len(ledger(harness, "digest", MessageState.SENT)) == 4, "one for each week of the cycle"


def test_resuming_on_a_weekend_names_the_next_check_in_and_who_gets_it(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-14 12:00"))
    answer = shown(types(desk, "/cadence cycle start reply"), CycleStarted)
    assert (answer.resumed, answer.first_checkin, answer.members) == (True, date(2026, 3, 19), 2)


@pytest.mark.parametrize(
    ("moment", "first_checkin", "expected"),
    [
        ("2026-03-13 15:30", date(2026, 3, 13), 8),  # Friday, before cycles close
        ("2026-03-12 19:30", date(2026, 3, 13), 8),  # Thursday night: on Friday morning
        ("2026-03-13 16:30", date(2026, 3, 19), 6),  # Friday evening: too late to ask about this week
        ("2026-03-14 12:00", date(2026, 3, 19), 6),
    ],
)
def test_resuming_says_when_the_next_check_in_comes(
    desk: BotHarness, moment: str, first_checkin: date, expected: int
) -> None:
    desk.play_until(at(moment))
    answer = shown(types(desk, "/cadence cycle start reply"), CycleStarted)
    assert (answer.first_checkin, answer.members) == (first_checkin, 2)
    desk.play_until(at(f"{first_checkin} 08:55"))
    early = len(ledger(desk, "checkin", MessageState.SENT))
    desk.play_until(at(f"{first_checkin} 18:00"))
    assert len(ledger(desk, "checkin", MessageState.SENT)) == 4, "two of the first week, and these"
    assert early == (4 if at(moment) > at(f"{first_checkin} 08:55") else 2)
    desk.play_until(at("2026-03-27 16:05"))
    assert checkins(desk) == (2, expected)


def test_a_paused_cycle_resumes_today_and_on_no_other_day(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-11 12:00"))
    said = types(desk, "/cadence cycle start reply 2026-03-16")
    assert_golden(said, "no-later-day")
    assert actions(said) == [Action.RESUME]
    assert_golden(types(desk, "/cadence cycle start reply 2026-03-30"), "no-next-cycle")
    [adoption] = rows(desk, Adoption)
    assert adoption.state is AdoptionState.PAUSED
    assert shown(types(desk, "/cadence cycle start reply"), CycleStarted).resumed


def test_a_paused_cycle_is_offered_to_resume_instead_of_a_form_to_start_one(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-11 12:00"))
    lead = desk.workspace.person(LEAD)
    for typed in ("/cadence cycle start", "/cadence cycle"):
        said = types(desk, typed)
        assert_golden(said, f"still-paused:{typed}")
        assert (said.view, actions(said)) == (None, [Action.RESUME])
    assert said.message is not None
    assert shown(lead.clicks(said.message, "Resume"), CycleStarted).resumed
    assert isinstance(shown(types(desk, "/cadence cycle start"), CycleStartForm), CycleStartForm)


def test_a_paused_cycle_chosen_in_the_form_is_refused_whatever_the_day(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 12:00"))
        types(harness, "/cadence cycle pause reply")
        lead = harness.workspace.person(LEAD)
        harness.play_until(at("2026-03-11 12:00"))
        types(harness, "/cadence cycle start")
        for day in ("2026-03-16", "2026-03-23"):  # the one that the form suggests, and another
            refused = lead.submits({Field.PLAYBOOK: "reply", Field.TEAM: "desk", Field.DATE: day})
            assert list(refused.errors) == [Field.DATE]
        [adoption] = rows(harness, Adoption)
        assert adoption.state is AdoptionState.PAUSED


def test_the_next_cycle_reopens_no_paused_week_of_a_closed_one(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        for day in ("2026-03-05", "2026-03-12", "2026-03-19"):
            harness.play_until(at(f"{day} 10:05"))
            for member in (LEAD, AGENT):
                types(harness, "/attest as-declared runs=20", member)
        harness.play_until(at("2026-03-24 09:00"))
        types(harness, "/cadence cycle pause reply")
        harness.play_until(at("2026-03-27 17:00"))
        assert checkins(harness) == (6, 6)
        before = len(bot_dms(harness, AGENT))
        assert not shown(types(harness, "/cadence cycle start reply"), CycleStarted).resumed
        harness.play_until(at("2026-03-30 12:00"))
        assert checkins(harness) == (6, 6)
        assert len(bot_dms(harness, AGENT)) == before
        assert shown(posts(harness, CURATORS)[-1], Digest).coverage is None


def test_a_paused_cycle_is_resumed_by_its_button_or_by_command(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    again = types(desk, "/cadence cycle pause reply")
    assert actions(again) == [Action.RESUME]
    assert again.message is not None
    desk.play_until(at("2026-03-05 17:00"))
    answer = shown(lead.clicks(again.message, "Resume"), CycleStarted)
    assert (answer.resumed, answer.asked, answer.first_checkin) == (True, True, date(2026, 3, 12))
    assert_golden(types(desk, "/cadence cycle resume reply"), "not-paused")
    types(desk, "/cadence cycle pause reply")
    desk.play_until(at("2026-03-10 12:00"))
    assert actions(types(desk, "/cadence cycle resume")) == [Action.RESUME]
    answer = shown(types(desk, "/cadence cycle resume reply"), CycleStarted)
    assert (answer.resumed, answer.asked, answer.first_checkin) == (True, False, date(2026, 3, 12))


def test_a_playbook_paused_between_cycles_is_started_again(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-30 12:00"))
    assert_golden(types(desk, "/cadence cycle resume reply"), "between-cycles")
    assert actions(types(desk, "/cadence cycle pause reply")) == [Action.START_CYCLE]


def test_a_cycle_paused_before_it_began_starts_on_another_monday(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        types(harness, "/cadence cycle start reply 2026-03-02 team=desk")
        harness.play_until(at("2026-02-27 12:00"))
        types(harness, "/cadence cycle pause reply")
        assert [one.over for one in contexts(posts(harness, DESK_CHANNEL), CyclePaused)] == [False]
        answer = shown(types(harness, "/cadence cycle start reply 2026-03-09"), CycleStarted)
        assert [one.over for one in contexts(posts(harness, DESK_CHANNEL), CyclePaused)] == [True]
        assert (answer.first_checkin, answer.members) == (date(2026, 3, 12), 2)
        harness.play_until(at("2026-02-27 12:30"))
        assert contexts(posts(harness, DESK_CHANNEL), CycleAnnounced)[-1].starts == date(2026, 3, 9)


def test_home_offers_the_owner_to_resume(desk: BotHarness) -> None:
    for member, may in ((LEAD, True), (AGENT, False)):
        shown_home = shown(desk.workspace.person(member).opens_home(), Home)
        [playbook] = [one.playbook for one in shown_home.items if one.playbook is not None]
        assert (Action.RESUME in [offer.action for offer in playbook.menu]) is may
    types(desk, "/cadence cycle resume reply")
    home = shown(desk.workspace.person(LEAD).opens_home(), Home)
    assert Action.RESUME not in [
        offer.action for one in home.items if one.playbook for offer in one.playbook.menu
    ]


@pytest.mark.parametrize(
    "resumed", ["2026-03-13 15:30", "2026-03-13 18:30", "2026-03-14 09:30", "2026-03-16 10:30"]
)
def test_nudges_that_fell_into_a_pause_count_as_paused(desk: BotHarness, resumed: str) -> None:
    desk.play_until(at(resumed))
    before = {one.id for one in rows(desk, OutboxMessage)}
    types(desk, "/cadence cycle resume reply")
    desk.play_until(at("2026-03-16 12:00"))
    assert shown(posts(desk, CURATORS)[-1], Digest).skipped == ()
    planned = [one for one in rows(desk, OutboxMessage) if one.id not in before and one.kind in BY_KIND]
    fell = [one for one in planned if one.due_at < at(resumed)]
    assert {one.reason for one in fell} == {Unless.PAUSED}


def test_who_is_missing_waits_a_working_day_for_a_late_check_in(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        harness.workspace.change_user(AGENT, tz="Asia/Kolkata")
        start_cycle(harness)
        harness.play_until(at("2026-03-04 12:00"))
        types(harness, "/cadence cycle pause reply")
        harness.play_until(at("2026-03-06 15:00"))
        types(harness, "/cadence cycle resume reply")
        types(harness, "/attest as-declared runs=20")
        harness.play_until(at("2026-03-16 09:00"))
        [late] = [one for one in ledger(harness, "checkin") if one.recipient == AGENT and one.sent_at][:1]
        told = ledger(harness, "who-is-missing", MessageState.SENT)
        assert [one.sent_at for one in (late, *told)] == [at("2026-03-09 04:30"), at("2026-03-10 10:00")]


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday noon of week 1: both got the check-in, and one of them has answered."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 12:00"))
        types(harness, "/attest as-declared runs=20")
        harness.tick()
        yield harness


def checkin_of(harness: BotHarness, member: str) -> Message:
    return next(one for one in reversed(bot_dms(harness, member)) if is_shown(one, CheckinMessage))


def test_a_pause_takes_the_buttons_of_open_check_ins_until_it_ends(asked: BotHarness) -> None:
    before = actions(checkin_of(asked, AGENT))
    assert Action.RAN_AS_DECLARED in before
    types(asked, "/cadence cycle pause reply")
    paused = checkin_of(asked, AGENT)
    assert (actions(paused), shown(paused, CheckinMessage).rows[0].resumes) == ([], LEAD)
    assert_golden(paused, "paused-check-in")
    assert actions(checkin_of(asked, LEAD)) == [Action.CHANGE_CHECKIN], "an answer can still be changed"
    assert shown(asked.workspace.person(LEAD).clicks(checkin_of(asked, LEAD), "Change"), CheckinForm).answered
    types(asked, "/cadence cycle resume reply")
    assert actions(checkin_of(asked, AGENT)) == before


def test_an_old_button_says_that_there_is_nothing_to_answer(asked: BotHarness) -> None:
    agent, old = asked.workspace.person(AGENT), copy(checkin_of(asked, AGENT))
    types(asked, "/cadence cycle pause reply")
    for action in (Action.RAN_AS_DECLARED, Action.DRIFTED, Action.NOT_RUN):
        assert_golden(agent.clicks(old, action_id=action, stale=True), "nothing-to-answer")
    assert_golden(agent.types("/cadence snooze tomorrow", channel=DESK_CHANNEL), "nothing-to-answer")
    assert is_shown(agent.types("/attest week=1", channel=DESK_CHANNEL), CheckinForm), "on purpose, it can"


def test_a_snoozed_check_in_does_not_come_back_during_a_pause(asked: BotHarness) -> None:
    asked.workspace.person(AGENT).types("/cadence snooze tomorrow", channel=DESK_CHANNEL)
    types(asked, "/cadence cycle pause reply")
    asked.play_until(at("2026-03-06 18:00"))
    assert [one.reason for one in ledger(asked, "checkin-snoozed")] == [Unless.PAUSED]


def test_the_team_hears_of_a_pause_and_of_its_end(asked: BotHarness) -> None:
    types(asked, "/cadence cycle pause reply")
    [pause] = contexts(posts(asked, DESK_CHANNEL), CyclePaused)
    assert (pause.owner, pause.by, pause.number, pause.over) == (LEAD, LEAD, 1, False)
    asked.play_until(at("2026-03-11 12:00"))
    types(asked, "/cadence cycle resume reply")
    [pause] = contexts(posts(asked, DESK_CHANNEL), CyclePaused)
    [resumed] = contexts(posts(asked, DESK_CHANNEL), CycleResumed)
    assert (pause.over, resumed.by, resumed.next_checkin, resumed.came) == (
        True,
        LEAD,
        date(2026, 3, 12),
        False,
    )


def test_a_pause_that_ended_before_it_was_told_is_not_told(asked: BotHarness) -> None:
    asked.play_until(at("2026-03-05 20:00"))
    types(asked, "/cadence cycle pause reply")
    types(asked, "/cadence cycle resume reply")
    asked.play_until(at("2026-03-06 12:00"))
    assert [one.reason for one in ledger(asked, "cycle-paused")] == [Unless.OVER]
    assert ledger(asked, "cycle-resumed") == []


def test_between_cycles_the_closing_post_tells_of_a_pause(asked: BotHarness) -> None:
    asked.play_until(at("2026-03-27 17:00"))
    types(asked, "/cadence cycle pause reply")
    [closing] = contexts(posts(asked, DESK_CHANNEL), CycleClosed)
    assert (closing.paused, contexts(posts(asked, DESK_CHANNEL), CyclePaused)) == (True, [])


def test_cycle_status_and_home_say_who_can_resume_it(asked: BotHarness) -> None:
    types(asked, "/cadence cycle pause reply")
    assert shown(types(asked, "/cadence cycle show reply"), CycleShown).resumes == LEAD
    assert shown(types(asked, "/cadence status"), Status).rows[0].owner == LEAD
    home = shown(asked.workspace.person(AGENT).opens_home(), Home)
    assert [one.playbook.owner for one in home.items if one.playbook] == [LEAD]
    types(asked, "/cadence cycle resume reply")
    assert shown(types(asked, "/cadence cycle show reply"), CycleShown).resumes == ""


def test_in_a_paused_week_a_member_is_taken_to_do_their_share_of_the_runs(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-03 12:00"))
        types(harness, "/cadence cycle pause reply")
        harness.play_until(at("2026-03-05 12:00"))
        for member in (LEAD, AGENT):
            types(harness, "/attest as-planned", member)
        assert [row.runs for row in rows(harness, CheckIn)] == [20, 20]


def test_nobody_is_nudged_again_while_a_team_is_paused(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-09 10:05"))
        missing = [one for one in bot_dms(harness, LEAD) if Action.NUDGE_AGAIN in actions(one)][-1]
        types(harness, "/cadence cycle pause reply")
        said = harness.workspace.person(LEAD).clicks(missing, action_id=Action.NUDGE_AGAIN, stale=True)
        harness.tick()
        assert_golden(said, "no-nudge")
        assert ledger(harness, "checkin-again") == []
        assert entries(harness, "nudged-again") == []


def test_a_pause_that_outlasts_its_cycle_ends_with_the_next_one(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-23 12:00"))
        types(harness, "/cadence cycle pause reply")
        harness.play_until(at("2026-03-27 12:00"))
        [told] = [one for one in posts(harness, DESK_CHANNEL) if is_shown(one, CyclePaused)]
        assert shown(told, CyclePaused).closes is not None
        harness.play_until(at("2026-03-28 12:00"))
        [told] = [one for one in posts(harness, DESK_CHANNEL) if is_shown(one, CyclePaused)]
        assert shown(told, CyclePaused).closes is None
        said = types(harness, "/cadence cycle resume reply")
        assert_golden(said, "nothing-to-resume")
        assert actions(said) == [Action.START_CYCLE]
        assert actions(types(harness, "/cadence cycle resume")) == []
        home = shown(harness.workspace.person(LEAD).opens_home(), Home)
        offered = [offer.action for item in home.items if item.playbook for offer in item.playbook.menu]
        assert Action.RESUME not in offered
        [row] = shown(types(harness, "/cadence status"), Status).rows
        assert row.ends_pause == "/cadence cycle start reply team=desk"


def test_while_a_team_is_paused_nobody_is_offered_to_nudge_it(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-09 10:05"))
        [told] = [one for one in harness.workspace.dm(LEAD) if is_shown(one, WhoIsMissing)]
        assert Action.NUDGE_AGAIN in actions(told)
        types(harness, "/cadence cycle pause reply")
        [told] = [one for one in harness.workspace.dm(LEAD) if is_shown(one, WhoIsMissing)]
        assert actions(told) == [Action.THEY_ARE_AWAY]
        harness.play_until(at("2026-03-09 12:00"))
        [digest] = [one for one in posts(harness, CURATORS) if is_shown(one, Digest)]
        assert Action.NUDGE_AGAIN not in actions(digest)
        [row] = shown(digest, Digest).rows
        assert (row.paused, row.silent) == (True, True)
        assert_golden(digest, "digest-while-paused")
        types(harness, "/cadence cycle resume reply")
        [told] = [one for one in harness.workspace.dm(LEAD) if is_shown(one, WhoIsMissing)]
        assert Action.NUDGE_AGAIN in actions(told)


def test_the_paused_cycle_of_a_retired_playbook_can_be_finished(desk: BotHarness) -> None:
    curator = desk.workspace.person(CURATOR)
    curator.types("/cadence playbook retire reply")
    curator.submits({"reason": "We stopped using it."})
    desk.tick()
    [row] = shown(types(desk, "/cadence status"), Status).rows
    assert row.ends_pause == "/cadence cycle resume reply team=desk"
    assert shown(types(desk, row.ends_pause), CycleStarted).resumed
    types(desk, "/cadence cycle pause reply")
    desk.play_until(at("2026-03-28 12:00"))
    [row] = shown(types(desk, "/cadence status"), Status).rows
    assert (row.paused, row.ends_pause) == (True, "")
    assert_golden(types(desk, "/cadence cycle resume reply"), "retired")
    home = shown(desk.workspace.person(LEAD).opens_home(), Home)
    assert [item.playbook.owner for item in home.items if item.playbook] == [""]


def test_a_team_paused_before_its_first_cycle_is_told_how_to_begin(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        types(harness, "/cadence cycle start reply 2026-03-09 team=desk")
        types(harness, "/cadence cycle pause reply")
        said = types(harness, "/cadence cycle resume reply")
        assert_golden(said, "before-the-first")
        assert_golden(shown(types(harness, "/cadence status"), Status).phases[0].then, "then-the-first")
        assert actions(said) == [Action.START_CYCLE]


def test_a_watch_that_was_paused_past_its_end_goes_on_as_a_watch(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-26 12:00"))
        types(harness, "/cadence cycle watch reply")
        harness.play_until(at("2026-03-31 12:00"))
        types(harness, "/cadence cycle pause reply")
        harness.play_until(at("2026-04-28 12:00"))
        said = types(harness, "/cadence cycle resume reply")
        assert_golden(said, "watch-again")
        assert actions(said) == [Action.WATCH_WEEKLY]
        assert said.message is not None
        harness.workspace.person(LEAD).clicks(said.message, action_id=Action.WATCH_WEEKLY)
        [adoption] = rows(harness, Adoption)
        assert adoption.state is AdoptionState.ACTIVE
        assert [row.kind for row in rows(harness, Cycle)] == [
            CycleKind.ROLLOUT,
            CycleKind.WATCH,
            CycleKind.WATCH,
        ]
