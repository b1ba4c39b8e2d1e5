"""Teams stay on their version until they are moved; running cycles of a retired playbook finish and no new
one starts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from cadence.flows.history.replay import replay
from cadence.rules.modes import Mode
from storage.tables import (
    AdoptionStep,
    Cycle,
    CycleState,
    MessageState,
    Playbook,
    PlaybookState,
    PlaybookVersion,
    StepDrift,
)
from storage.work import UnitOfWork
from tests.harnesses import bot_harness
from tests.scenarios.playbooks.test_publishing import AGENT, CURATOR, LEAD, complete, revise, types
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    SOLO_CHANNEL,
    at,
    entries,
    ledger,
    posts,
    rows,
    start_cycle,
)

LOWER = ("mode: ai-led\n    fallback: collaborative", "mode: collaborative\n    fallback: human-led")


@pytest.fixture
def published(tmp_path: Path) -> Iterator[BotHarness]:
    """Week 2 of the desk's first cycle, on v1."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[complete(tmp_path)], played=on_v1) as harness:
        yield harness


def on_v1(harness: BotHarness) -> None:
    start_cycle(harness)
    override(harness)
    harness.play_until(at("2026-03-10 12:00"))


def override(harness: BotHarness) -> None:
    """The curator publishes the newest draft, with an override."""
    curator = harness.workspace.person(CURATOR)
    blocked = curator.types("/cadence playbook publish reply", channel=DESK_CHANNEL)
    assert blocked.message is not None
    curator.clicks(blocked.message, "Publish anyway")
    assert not curator.submits({"reason": "Two more teams start with it on Monday."}).errors
    harness.tick()


def test_a_move_restarts_the_evidence_and_says_so(published: BotHarness) -> None:
    types(published, LEAD, "/exception send wrong tone")
    revise(published, ("exception_cap: 0.1", "exception_cap: 0.08"), LOWER)
    said = types(published, LEAD, "/cadence playbook move reply draft").words
    assert "moved Desk from v1 to draft 2" in said
    assert "Counters have been reset" in said
    assert "“Send the reply” is now collaborative (was AI-led)" in said
    for channel in (DESK_CHANNEL, CURATORS):
        assert posts(published, channel)[-1].text == "Reply is now on draft 2: Desk"
    now = published.clock.now()
    steps = {row.step: row for row in rows(published, AdoptionStep)}
    assert {(row.since, row.after_exception) for row in steps.values()} == {(now, 1)}
    assert steps["send"].mode is Mode.COLLABORATIVE
    assert [row.version_id for row in rows(published, Cycle)] == [2]
    assert "no runs reported since counters were reset" in types(published, LEAD, "/cadence status").words
    again = types(published, LEAD, "/cadence playbook move reply draft").words
    assert "Desk is already on draft 2." in again
    assert len(entries(published, "team-moved")) == 1
    # the next cycle stays on the draft it was moved to
    published.play_until(at("2026-03-30 12:00"))
    assert [row.version_id for row in rows(published, Cycle)] == [2, 2]


def test_another_target_waits_for_the_next_cycle(published: BotHarness) -> None:
    revise(published, ("target: 15", "target: 12"), LOWER)
    override(published)
    said = types(published, CURATOR, "/cadence playbook move reply v2 team=desk").words
    assert "cycle 1 finishes on v1. The next one starts on v2." in said
    assert "target 15 min" in types(published, LEAD, "/cadence status").words
    modes = {row.step: row.mode for row in rows(published, AdoptionStep)}
    assert modes["send"] is Mode.AI_LED
    published.play_until(at("2026-03-30 12:00"))
    assert [row.version_id for row in rows(published, Cycle)] == [1, 2]
    assert "target 12 min" in types(published, LEAD, "/cadence status").words
    modes = {row.step: row.mode for row in rows(published, AdoptionStep)}
    assert modes["send"] is Mode.COLLABORATIVE


def test_a_move_between_two_cycles_reaches_the_one_that_is_set(published: BotHarness) -> None:
    published.play_until(at("2026-03-27 17:00"))
    revise(published, ("target: 15", "target: 12"), LOWER)
    said = types(published, LEAD, "/cadence playbook move reply draft").words
    assert "moved Desk from v1 to draft 2" in said
    assert "Counters have been reset" in said
    assert "“Send the reply” is now collaborative (was AI-led)" in said
    assert [row.version_id for row in rows(published, Cycle)] == [1, 2]
    assert "• Desk · draft 2" in types(published, LEAD, "/cadence playbook show reply").words
    published.play_until(at("2026-03-30 12:00"))
    assert "target 12 min" in types(published, LEAD, "/cadence status").words
    assert "• Desk · draft 2" in types(published, LEAD, "/cadence playbook show reply").words
    modes = {row.step: row.mode for row in rows(published, AdoptionStep)}
    assert modes["send"] is Mode.COLLABORATIVE
    published.play_until(at("2026-04-24 17:00"))
    [closing] = [
        one for one in posts(published, DESK_CHANNEL) if "Reply: not enough data in cycle 2" in one.text
    ]
    assert "*Target*\n12 min" in closing.words


def test_a_draft_deferred_to_the_next_cycle_restarts_its_evidence(published: BotHarness) -> None:
    revise(published, ("target: 15", "target: 12"), LOWER)
    types(published, LEAD, "/cadence playbook move reply draft")
    assert {row.step: row.mode for row in rows(published, AdoptionStep)}["send"] is Mode.AI_LED
    published.play_until(at("2026-03-27 17:00"))
    assert [row.version_id for row in rows(published, Cycle)] == [1, 2]
    assert {row.step: row.mode for row in rows(published, AdoptionStep)}["send"] is Mode.COLLABORATIVE


def test_who_may_move_and_where_to(published: BotHarness) -> None:
    refused = types(published, AGENT, "/cadence playbook move reply v1").words
    assert f"Only the owner (<@{LEAD}>) or a curator can move a team to another version." in refused
    assert (
        "Reply doesn't have a v7. Published: v1."
        in types(published, LEAD, "/cadence playbook move reply v7").words
    )
    assert "`vx` isn't a version" in types(published, LEAD, "/cadence playbook move reply vx").words
    revise(published, ("mode: collaborative", "mode: ai-led"))
    raised = types(published, LEAD, "/cadence playbook move reply draft").words
    assert "Only a curator can move a team to a draft that makes “Draft the reply” AI-led" in raised
    revise(published, ("key: draft", "key: first-draft"))
    renamed = types(published, LEAD, "/cadence playbook move reply draft").words
    assert "Only a curator can move a team to a draft that makes “Draft the reply” AI-led" in renamed


def test_what_was_found_on_the_version_before_is_judged_by_it(published: BotHarness) -> None:
    types(published, AGENT, "/attest drifted draft=human-led runs=9 week=1")
    types(published, LEAD, "/attest drifted draft=human-led runs=9 week=2")
    assert rows(published, StepDrift)
    revise(published, ("key: draft", "key: first-draft"))
    assert "moved Desk" in types(published, LEAD, "/cadence playbook move reply draft").words
    with published.bot.db.read() as session:
        found = replay(UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM), published.clock.now()))
    assert (found.differences, found.drifts) == ((), 1)


def test_a_step_that_comes_back_is_led_as_the_version_declares(published: BotHarness) -> None:
    revise(published, ("key: draft", "key: first-draft"))
    types(published, LEAD, "/cadence playbook move reply draft")
    revise(
        published,
        ("key: first-draft", "key: draft"),
        ("mode: collaborative\n    fallback: human-led", "mode: human-led"),
    )
    types(published, LEAD, "/cadence playbook move reply draft")
    modes = {row.step: row.mode for row in rows(published, AdoptionStep)}
    assert modes["draft"] is Mode.HUMAN_LED


def test_the_form_moves_too(published: BotHarness) -> None:
    revise(published, ("setup_minutes: 60", "setup_minutes: 45"))
    lead = published.workspace.person(LEAD)
    lead.types("/cadence playbook move")
    assert "isn't a version" in lead.submits({"version": "newest"}).errors["version"]
    assert not lead.submits({"version": "draft"}).errors
    assert rows(published, Cycle)[0].version_id == 2


def test_a_retired_playbook_finishes_and_starts_nothing(published: BotHarness) -> None:
    start_cycle(published, monday="2026-03-16", team="solo")
    refused = types(published, LEAD, "/cadence playbook retire reply we are done").words
    assert "Only a curator can retire Reply" in refused
    said = types(published, CURATOR, "/cadence playbook retire reply the help desk answers these <now>").words
    assert "Reply is retired" in said
    assert "Desk: cycle 1 closes Fri 27 Mar" in said
    for channel in (DESK_CHANNEL, SOLO_CHANNEL, CURATORS):
        assert "the help desk answers these &lt;now&gt;" in posts(published, channel)[-1].words
    assert len(rows(published, Cycle)) == 1  # the other team's hadn't begun
    assert "is already retired" in types(published, CURATOR, "/cadence playbook retire reply again").words
    assert "is retired, so no new cycles start" in types(published, LEAD, "/cadence cycle start reply").words
    published.play_until(at("2026-04-07 12:00"))
    [cycle] = rows(published, Cycle)
    assert cycle.state is CycleState.CLOSED
    assert "Reply: not enough data in cycle 1" in " ".join(one.text for one in posts(published, DESK_CHANNEL))
    assert "No team is running Reply" not in posts(published, CURATORS)[-1].words
    assert "No published playbooks yet" in types(published, AGENT, "/cadence registry").words
    lead = published.workspace.person(LEAD)
    closing = [
        one for one in posts(published, DESK_CHANNEL) if "Reply: not enough data in cycle 1" in one.text
    ]
    assert "Submit to the registry" not in closing[-1].buttons
    assert "Start the first cycle" not in lead.opens_home().words
    # a new version restores it
    revise(published, ("target: 15", "target: 14"))
    override(published)
    assert rows(published, Playbook)[0].state is PlaybookState.PUBLISHED
    assert [row.number for row in rows(published, PlaybookVersion)] == [1, 2]
    assert "starts Mon" in types(published, LEAD, "/cadence cycle start reply team=desk").words


def test_a_step_that_the_new_version_drops_leaves_nothing_waiting(published: BotHarness) -> None:
    types(published, AGENT, "/attest reply drifted send=human-led runs=20 week=1")
    types(published, LEAD, "/attest reply drifted send=human-led runs=20 week=2")
    published.tick()
    [alert] = [
        one
        for one in posts(published, CURATORS)
        if "“Send the reply”" in one.text and "human-led" in one.text
    ]
    assert "Back to AI-led" in alert.buttons
    dropped = """  - key: send
    title: Send the reply
    mode: ai-led
    fallback: collaborative
    exception_cap: 0.1
    promote: {accuracy: 0.9, max_risk: 0.02, cycles: 2}
"""
    revise(published, (dropped, ""))
    types(published, LEAD, "/cadence playbook move reply draft")
    published.tick()
    [alert] = [one for one in posts(published, CURATORS) if "“Send the reply”" in one.text]
    assert "draft 2 doesn't have this step. There's nothing to do." in alert.words
    assert "Back to AI-led" not in alert.buttons
    assert alert.text == "No longer drift: “Send the reply”"


def test_an_alert_about_a_step_that_was_dropped_since_says_so(published: BotHarness) -> None:
    agent, lead = published.workspace.person(AGENT), published.workspace.person(LEAD)
    agent.types("/exception reply send critical It sent the wrong refund.", channel=DESK_CHANNEL)
    agent.submits({})
    revise(published, ("key: send\n    title: Send the reply", "key: post\n    title: Post the reply"), LOWER)
    assert "moved Desk" in lead.types("/cadence playbook move reply draft", channel=DESK_CHANNEL).words
    published.tick()
    [told] = [
        one for one in posts(published, DESK_CHANNEL) if one.text.startswith("Demoted: “Send the reply”")
    ]
    assert "no longer has the step" in told.words
    assert told.buttons == []
    assert ledger(published, "demoted", MessageState.SKIPPED) == []
