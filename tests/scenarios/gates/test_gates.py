"""The four gates: the opening post of a week, the message on its Friday, and the requirements of week 4
(SPEC §3)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from storage.tables import Cycle, MessageState
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


def types(harness: BotHarness, member: str, text: str) -> str:
    said = harness.workspace.person(member).types(text, channel=DESK_CHANNEL)
    harness.tick()
    return said.words


def test_each_week_opens_with_done_and_missing_items_and_who_can_do_them(ready: BotHarness) -> None:
    ready.play_until(at("2026-03-09 09:30"))
    _, first, second = (post.words for post in posts(ready, DESK_CHANNEL))
    assert "Reply · week 1 of 4\n*Choose the workflow" in first
    assert "Draft the reply*\n🤝 Collaborative\n*Send the reply*\n🤖 AI-led" in first
    assert "*This week's gate is done*" in first
    assert "Reply · week 2 of 4\n*Run it and capture the rubric" in second
    assert "☐ First check-in with runs (anyone on the team)" in second
    assert f"☐ First rubric result (<@{LEAD}>)" in second
    assert posts(ready, DESK_CHANNEL)[-1].buttons == ["Check in", "Record a rubric result"]


def test_the_button_does_it_and_the_gate_is_met(ready: BotHarness) -> None:
    ready.play_until(at("2026-03-09 09:30"))
    agent = ready.workspace.person(AGENT)
    agent.clicks(posts(ready, DESK_CHANNEL)[-1], "Check in")
    agent.submits({"runs": "12"})
    ready.tick()
    assert "☑ First check-in with runs" in posts(ready, DESK_CHANNEL)[-1].words
    shown = types(ready, LEAD, "/cadence cycle show reply")
    assert "☐ Week 2 · 1 left: First rubric result" in shown
    assert "Complete the playbook's package for other teams. Missing: examples, checklist, pillars" in shown
    ready.play_until(at("2026-03-13 15:00"))
    due = bot_dms(ready, LEAD)[-1].words
    assert "⏳ 1 item left for this week's gate\n☑ First check-in with runs\n☐ First rubric result\n" in due
    types(ready, LEAD, "/cadence rubric reply draft passes=19 samples=20")
    assert "*This week's gate is done*" in posts(ready, DESK_CHANNEL)[-1].words
    assert "This week's gate is done" in bot_dms(ready, LEAD)[-1].words
    rewrites = len(ledger(ready, "rewrite"))
    types(ready, LEAD, "/cadence rubric reply draft passes=18 samples=18")
    assert len(ledger(ready, "rewrite")) == rewrites  # another sample changes nothing that a post shows


def test_a_gate_met_in_a_later_week_is_met_in_what_was_sent(ready: BotHarness) -> None:
    ready.play_until(at("2026-03-13 16:00"))
    [due] = [one for one in bot_dms(ready, LEAD) if "left for this week's gate" in one.text]
    ready.play_until(at("2026-03-16 12:00"))
    types(ready, AGENT, "/attest reply as-declared runs=12 week=2")
    types(ready, LEAD, "/cadence rubric reply draft passes=19 samples=20")
    [second] = [one for one in posts(ready, DESK_CHANNEL) if "week 2: " in one.text]
    assert "*This week's gate is done*" in second.words
    [due] = [one for one in bot_dms(ready, LEAD) if one.ts == due.ts]
    assert "This week's gate is done" in due.words
    assert due.buttons == []


def test_the_first_weeks_post_keeps_the_modes_of_its_week(ready: BotHarness) -> None:
    ready.play_until(at("2026-03-16 12:00"))
    types(ready, LEAD, "/cadence mode reply send human-led The prices changed")
    types(ready, LEAD, "/cadence rubric reply draft passes=19 samples=20")
    [first] = [one for one in posts(ready, DESK_CHANNEL) if "week 1: " in one.text]
    assert "Draft the reply*\n🤝 Collaborative\n*Send the reply*\n🤖 AI-led" in first.words


def test_who_is_missing_follows_late_answers(ready: BotHarness) -> None:
    ready.play_until(at("2026-03-09 10:00"))
    [dm] = [one for one in bot_dms(ready, LEAD) if "check-ins missing: Reply" in one.text]
    assert f"<@{AGENT}>" in dm.words
    ready.play_until(at("2026-03-11 12:00"))
    types(ready, AGENT, "/attest reply as-declared runs=12 week=1")
    [dm] = [one for one in bot_dms(ready, LEAD) if one.ts == dm.ts]
    assert "1 of 2 check-ins missing: Reply" in dm.words
    assert AGENT not in dm.words


def test_a_complete_package_without_a_rubric_result_asks_for_the_result(tmp_path: Path) -> None:
    workspace, playbook = EXAMPLES / "workspace.yaml", EXAMPLES / "support-reply.yaml"
    with bot_harness(tmp_path, workspace=workspace, playbooks=[playbook]) as harness:
        says(harness.workspace.person(LEAD), "/cadence cycle start support-reply", channel="C01SUPEMEA")
        harness.play_until(at("2026-03-16 12:00"))
        third = posts(harness, "C01SUPEMEA")[-1]
        assert (
            "☐ Complete the playbook's package for other teams. Missing: graded results with at least 90% passed"
            in third.words
        )
        assert "Record a rubric result" in third.buttons
        assert "Complete the playbook" not in third.buttons


def test_a_met_gate_is_nothing_to_bother_the_owner_with(ready: BotHarness) -> None:
    ready.play_until(at("2026-03-06 16:00"))
    [due] = ledger(ready, "gate-due")
    assert (due.state, due.reason) == (MessageState.SKIPPED, "gate met")


def test_week_4_names_the_next_team_and_submits(ready: BotHarness) -> None:
    ready.play_until(at("2026-03-23 09:30"))
    post = posts(ready, DESK_CHANNEL)[-1]
    assert "☐ Choose the next team, or note why not" in post.words
    assert "☐ Weekly KPI readings: 0 of 3 (<@U01LEAD>)" in post.words
    assert (
        "From earlier weeks*\n☐ First check-in with runs\n☐ First rubric result\n☐ Complete the playbook"
        in post.words
    )
    agent, lead = ready.workspace.person(AGENT), ready.workspace.person(LEAD)
    refused = agent.clicks(post, "Choose the next team")
    assert f"Only the owner (<@{LEAD}>) or a curator can name the next team." in refused.words
    lead.clicks(post, "Choose the next team")
    assert "or note why not" in lead.submits({}).errors["reason"]
    assert not lead.submits({"team": "solo"}).errors
    ready.tick()
    assert rows(ready, Cycle)[0].next_team_id is not None
    assert "☑ Choose the next team, or note why not" in posts(ready, DESK_CHANNEL)[-1].words
    missing = lead.clicks(post, "Submit to the registry").words
    assert "Left before it can be published:" in missing
    assert "A second team set up within 60 min: none yet" in missing
    lead.clicks(post, "Submit to the registry")
    ready.tick()
    [cycle] = rows(ready, Cycle)
    assert (cycle.submitted_by, cycle.submitted_at) == (LEAD, at("2026-03-23 09:30"))
    assert len(entries(ready, "submitted")) == 1
    [told] = [one for one in posts(ready, CURATORS) if one.text == "Submitted to the registry: Reply"]
    assert "in 2 closed cycles in a row: none yet. Next to count: cycle 1 of Desk" in told.words
    assert "Publish" not in told.buttons


def test_there_may_be_no_next_team_with_a_reason(ready: BotHarness) -> None:
    ready.play_until(at("2026-03-23 09:30"))
    curator = ready.workspace.person(CURATOR)
    curator.clicks(posts(ready, DESK_CHANNEL)[-1], "Choose the next team")
    curator.submits({"reason": "Two teams are <enough>"})
    ready.tick()
    assert "☑ Choose the next team, or note why not" in posts(ready, DESK_CHANNEL)[-1].words
    [entry] = entries(ready, "next-team")
    assert (entry.member, entry.after) == (CURATOR, {"team": None, "reason": "Two teams are <enough>"})
