"""The four gates: the opening post of a week, the message on its Friday, and the requirements of week 4
(SPEC §3)."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from cadence.flows.gates.gates import TASKS, TASKS_AFTER
from cadence.nudges import Unless
from storage.tables import Cycle, MessageState
from templates.contexts.checkins import WhoIsMissing
from templates.contexts.cycles import CycleShown, Submitted
from templates.contexts.gates import GateDue, WeekOpens
from templates.ids import Action
from tests.contexts import actions, assert_golden, contexts, is_shown, shown
from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    InCycle,
    at,
    bot_dms,
    entries,
    ledger,
    posts,
    rows,
    says,
)

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[BotHarness]:
    """The Friday before week 1."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle()) as harness:
        yield harness


def types(harness: BotHarness, member: str, text: str) -> Answer:
    said = harness.workspace.person(member).types(text, channel=DESK_CHANNEL)
    harness.tick()
    return said


def week(harness: BotHarness, number: int) -> WeekOpens:
    """What the team's channel reads about a week, as of now."""
    [post] = [one for one in contexts(posts(harness, DESK_CHANNEL), WeekOpens) if one.week == number]
    return post


def done(gate: WeekOpens | GateDue) -> list[bool]:
    """Which of a gate's items are done."""
    return [check.met for check in gate.checks]


def test_each_week_opens_with_done_and_missing_items_and_who_can_do_them(ready: BotHarness) -> None:
    ready.play_until(at("2026-03-09 09:30"))
    _, first, second = posts(ready, DESK_CHANNEL)
    opened = shown(first, WeekOpens)
    assert (opened.playbook, opened.week, all(done(opened))) == ("Reply", 1, True)
    assert [(step.title, step.mode) for step in opened.steps] == [
        ("Draft the reply", "collaborative"),
        ("Send the reply", "ai-led"),
    ]
    assert opened.task == TASKS_AFTER[1], "what is checked isn't asked for again"
    assert opened.checkin == date(2026, 3, 5)
    assert_golden(first, "week-1-done")
    opened = shown(second, WeekOpens)
    assert (opened.playbook, opened.week, done(opened)) == ("Reply", 2, [False, False])
    assert LEAD in opened.checks[1].who
    assert (opened.task, opened.checkin) == (TASKS[2], None)
    assert_golden(second, "week-2-missing")
    assert actions(second) == [Action.RAN_AS_DECLARED, Action.RUBRIC_RECORD]


def test_the_button_does_it_and_the_gate_is_met(ready: BotHarness) -> None:
    ready.play_until(at("2026-03-09 09:30"))
    agent = ready.workspace.person(AGENT)
    agent.clicks(posts(ready, DESK_CHANNEL)[-1], "Check in")
    agent.submits({"runs": "12"})
    ready.tick()
    assert done(week(ready, 2)) == [True, False]
    cycle = types(ready, LEAD, "/cadence cycle show reply")
    assert [(line.week, line.met) for line in shown(cycle, CycleShown).gates][:2] == [(1, True), (2, False)]
    assert_golden(cycle, "cycle-with-gates")
    ready.play_until(at("2026-03-13 15:00"))
    due = bot_dms(ready, LEAD)[-1]
    assert (shown(due, GateDue).met, done(shown(due, GateDue))) == (False, [True, False])
    assert_golden(due, "one-item-due")
    types(ready, LEAD, "/cadence rubric reply draft passes=19 samples=20")
    assert all(done(week(ready, 2)))
    assert week(ready, 2).task == TASKS_AFTER[2]
    assert_golden(posts(ready, DESK_CHANNEL)[-1], "week-2-done")
    assert_golden(bot_dms(ready, LEAD)[-1], "nothing-due-any-more")
    rewrites = len(ledger(ready, "rewrite"))
    types(ready, LEAD, "/cadence rubric reply draft passes=18 samples=18")
    assert len(ledger(ready, "rewrite")) == rewrites  # another sample changes nothing that a post shows


def test_a_gate_met_in_a_later_week_is_met_in_what_was_sent(ready: BotHarness) -> None:
    ready.play_until(at("2026-03-13 16:00"))
    [due] = [one for one in bot_dms(ready, LEAD) if is_shown(one, GateDue)]
    assert done(shown(due, GateDue)) == [False, False]
    ready.play_until(at("2026-03-16 12:00"))
    types(ready, AGENT, "/attest reply as-declared runs=12 week=2")
    types(ready, LEAD, "/cadence rubric reply draft passes=19 samples=20")
    assert done(week(ready, 2)) == [True, True]
    [due] = [one for one in bot_dms(ready, LEAD) if one.ts == due.ts]
    assert (shown(due, GateDue).met, done(shown(due, GateDue))) == (True, [True, True])
    assert due.buttons == []


def test_the_first_weeks_post_keeps_the_modes_of_its_week(ready: BotHarness) -> None:
    ready.play_until(at("2026-03-16 12:00"))
    types(ready, LEAD, "/cadence mode reply send human-led The prices changed")
    types(ready, LEAD, "/cadence rubric reply draft passes=19 samples=20")
    modes = [(step.key, step.mode) for step in week(ready, 1).steps]
    assert modes == [("draft", "collaborative"), ("send", "ai-led")]


def test_who_is_missing_follows_late_answers(ready: BotHarness) -> None:
    ready.play_until(at("2026-03-09 10:00"))
    [dm] = [one for one in bot_dms(ready, LEAD) if is_shown(one, WhoIsMissing)]
    assert AGENT in shown(dm, WhoIsMissing).missing
    ready.play_until(at("2026-03-11 12:00"))
    types(ready, AGENT, "/attest reply as-declared runs=12 week=1")
    [dm] = [one for one in bot_dms(ready, LEAD) if one.ts == dm.ts]
    missing = shown(dm, WhoIsMissing)
    assert (missing.playbook, missing.missing, missing.own, missing.expected) == ("Reply", (), True, 2)
    assert AGENT not in dm.words


def test_a_complete_package_without_a_rubric_result_asks_for_the_result(tmp_path: Path) -> None:
    workspace, playbook = EXAMPLES / "workspace.yaml", EXAMPLES / "support-reply.yaml"
    with bot_harness(tmp_path, workspace=workspace, playbooks=[playbook]) as harness:
        says(harness.workspace.person(LEAD), "/cadence cycle start support-reply", channel="C01SUPEMEA")
        harness.play_until(at("2026-03-16 12:00"))
        third = posts(harness, "C01SUPEMEA")[-1]
        assert_golden(third, "week-3-without-result")
        assert Action.RUBRIC_RECORD in actions(third)
        assert Action.EDIT_PLAYBOOK not in actions(third)


def test_a_met_gate_is_nothing_to_bother_the_owner_with(ready: BotHarness) -> None:
    ready.play_until(at("2026-03-06 16:00"))
    [due] = ledger(ready, "gate-due")
    assert (due.state, due.reason) == (MessageState.SKIPPED, Unless.GATE_MET)


def test_week_4_names_the_next_team_and_submits(ready: BotHarness) -> None:
    ready.play_until(at("2026-03-23 09:30"))
    post = posts(ready, DESK_CHANNEL)[-1]
    fourth = shown(post, WeekOpens)
    assert (fourth.week, len(fourth.earlier), any(done(fourth))) == (4, 3, False)
    assert_golden(post, "week-4-missing")
    agent, lead = ready.workspace.person(AGENT), ready.workspace.person(LEAD)
    refused = agent.clicks(post, "Choose the next team")
    assert_golden(refused, "refused-next-team")
    assert rows(ready, Cycle)[0].next_team_id is None
    lead.clicks(post, "Choose the next team")
    assert_golden(lead.submits({}).errors["reason"], "refused-without-reason")
    assert not lead.submits({"team": "solo"}).errors
    ready.tick()
    assert rows(ready, Cycle)[0].next_team_id is not None
    assert_golden(posts(ready, DESK_CHANNEL)[-1], "week-4-next-team-chosen")
    assert_golden(lead.clicks(post, "Submit to the registry"), "submitted-with-gaps")
    lead.clicks(post, "Submit to the registry")
    ready.tick()
    [cycle] = rows(ready, Cycle)
    assert (cycle.submitted_by, cycle.submitted_at) == (LEAD, at("2026-03-23 09:30"))
    assert len(entries(ready, "submitted")) == 1
    [told] = [one for one in posts(ready, CURATORS) if is_shown(one, Submitted)]
    assert (shown(told, Submitted).playbook, shown(told, Submitted).by) == ("Reply", LEAD)
    assert_golden(told, "submitted")
    assert Action.PUBLISH not in actions(told)


def test_there_may_be_no_next_team_with_a_reason(ready: BotHarness) -> None:
    ready.play_until(at("2026-03-23 09:30"))
    curator = ready.workspace.person(CURATOR)
    curator.clicks(posts(ready, DESK_CHANNEL)[-1], "Choose the next team")
    curator.submits({"reason": "Two teams are <enough>"})
    ready.tick()
    assert_golden(posts(ready, DESK_CHANNEL)[-1], "week-4-no-next-team")
    [entry] = entries(ready, "next-team")
    assert (entry.member, entry.after) == (CURATOR, {"team": None, "reason": "Two teams are <enough>"})
