"""Teams stay on their version until they are moved; running cycles of a retired playbook finish and no new
one starts."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
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
from templates.contexts.cycles import CycleClosed, CycleStarted, TeamMoved
from templates.contexts.overview.home import Home
from templates.contexts.overview.registry import Registry
from templates.contexts.overview.statuses import Status, StatusRow
from templates.contexts.playbooks import FinishingTeam, PlaybookRetired, PlaybookShown
from templates.contexts.standards import Demoted, Drift
from templates.ids import Action
from tests.contexts import actions, assert_golden, contexts, is_shown, shown
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


def this_week(harness: BotHarness) -> StatusRow:
    """What the owner's status says about the desk."""
    [row] = shown(types(harness, LEAD, "/cadence status"), Status).rows
    return row


def runs_on(harness: BotHarness) -> list[tuple[str, str]]:
    """The teams that run the playbook, with their versions, as it is shown to its owner."""
    lines = shown(types(harness, LEAD, "/cadence playbook show reply"), PlaybookShown).adoptions
    return [(line.team, line.version) for line in lines]


def test_a_move_restarts_the_evidence_and_says_so(published: BotHarness) -> None:
    types(published, LEAD, "/exception send wrong tone")
    revise(published, ("exception_cap: 0.1", "exception_cap: 0.08"), LOWER)
    said = types(published, LEAD, "/cadence playbook move reply draft")
    assert_golden(said.words, "moved-with-another-cap")
    for channel in (DESK_CHANNEL, CURATORS):
        moved = shown(posts(published, channel)[-1], TeamMoved)
        assert (moved.title, moved.team, moved.by) == ("Reply", "Desk", LEAD)
        assert (moved.before, moved.after, moved.deferred) == ("v1", "draft 2", False)
    now = published.clock.now()
    steps = {row.step: row for row in rows(published, AdoptionStep)}
    assert {(row.since, row.after_exception) for row in steps.values()} == {(now, 1)}
    assert steps["send"].mode is Mode.COLLABORATIVE
    assert [row.version_id for row in rows(published, Cycle)] == [2]
    for step in this_week(published).steps:
        assert step.evidence is not None
        assert (step.evidence.exceptions, step.evidence.known, step.evidence.restarted) == (0, "", True)
    assert_golden(types(published, LEAD, "/cadence playbook move reply draft").words, "moved-twice")
    assert len(entries(published, "team-moved")) == 1
    # the next cycle stays on the draft it was moved to
    published.play_until(at("2026-03-30 12:00"))
    assert [row.version_id for row in rows(published, Cycle)] == [2, 2]


def test_another_target_waits_for_the_next_cycle(published: BotHarness) -> None:
    revise(published, ("target: 15", "target: 12"), LOWER)
    override(published)
    said = types(published, CURATOR, "/cadence playbook move reply v2 team=desk")
    assert_golden(said.words, "moved-for-the-next-cycle")
    moved = shown(said, TeamMoved)
    assert (moved.before, moved.after, moved.deferred, moved.cycle) == ("v1", "v2", True, 1)
    assert this_week(published).kpi.target == 15
    modes = {row.step: row.mode for row in rows(published, AdoptionStep)}
    assert modes["send"] is Mode.AI_LED
    published.play_until(at("2026-03-30 12:00"))
    assert [row.version_id for row in rows(published, Cycle)] == [1, 2]
    assert this_week(published).kpi.target == 12
    modes = {row.step: row.mode for row in rows(published, AdoptionStep)}
    assert modes["send"] is Mode.COLLABORATIVE


def test_a_move_between_two_cycles_reaches_the_one_that_is_set(published: BotHarness) -> None:
    published.play_until(at("2026-03-27 17:00"))
    revise(published, ("target: 15", "target: 12"), LOWER)
    said = types(published, LEAD, "/cadence playbook move reply draft")
    assert_golden(said.words, "moved-with-another-target")
    assert [row.version_id for row in rows(published, Cycle)] == [1, 2]
    assert runs_on(published) == [("Desk", "draft 2")]
    published.play_until(at("2026-03-30 12:00"))
    assert this_week(published).kpi.target == 12
    assert runs_on(published) == [("Desk", "draft 2")]
    modes = {row.step: row.mode for row in rows(published, AdoptionStep)}
    assert modes["send"] is Mode.COLLABORATIVE
    published.play_until(at("2026-04-24 17:00"))
    closing = contexts(posts(published, DESK_CHANNEL), CycleClosed)[-1]
    assert (closing.number, closing.result, closing.kpi.target) == (2, "insufficient", 12)


def test_a_draft_deferred_to_the_next_cycle_restarts_its_evidence(published: BotHarness) -> None:
    revise(published, ("target: 15", "target: 12"), LOWER)
    types(published, LEAD, "/cadence playbook move reply draft")
    assert {row.step: row.mode for row in rows(published, AdoptionStep)}["send"] is Mode.AI_LED
    published.play_until(at("2026-03-27 17:00"))
    assert [row.version_id for row in rows(published, Cycle)] == [1, 2]
    assert {row.step: row.mode for row in rows(published, AdoptionStep)}["send"] is Mode.COLLABORATIVE


def test_who_may_move_and_where_to(published: BotHarness) -> None:
    assert_golden(types(published, AGENT, "/cadence playbook move reply v1"), "refused-to-an-agent")
    assert_golden(types(published, LEAD, "/cadence playbook move reply v7"), "no-such-version")
    assert_golden(types(published, LEAD, "/cadence playbook move reply vx"), "not-a-version")
    revise(published, ("mode: collaborative", "mode: ai-led"))
    raised = types(published, LEAD, "/cadence playbook move reply draft")
    assert_golden(raised.words, "refused-a-raised-step")
    revise(published, ("key: draft", "key: first-draft"))
    renamed = types(published, LEAD, "/cadence playbook move reply draft")
    assert_golden(renamed.words, "refused-a-raised-step-renamed")
    assert entries(published, "team-moved") == []
    assert [row.version_id for row in rows(published, Cycle)] == [1]


def test_what_was_found_on_the_version_before_is_judged_by_it(published: BotHarness) -> None:
    types(published, AGENT, "/attest drifted draft=human-led runs=9 week=1")
    types(published, LEAD, "/attest drifted draft=human-led runs=9 week=2")
    assert rows(published, StepDrift)
    revise(published, ("key: draft", "key: first-draft"))
    assert shown(types(published, LEAD, "/cadence playbook move reply draft"), TeamMoved).team == "Desk"
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
    assert_golden(lead.submits({"version": "newest"}).errors["version"], "refused-in-the-form")
    assert not lead.submits({"version": "draft"}).errors
    assert rows(published, Cycle)[0].version_id == 2


def test_a_retired_playbook_finishes_and_starts_nothing(published: BotHarness) -> None:
    start_cycle(published, monday="2026-03-16", team="solo")
    assert_golden(types(published, LEAD, "/cadence playbook retire reply we are done"), "refused-to-retire")
    assert rows(published, Playbook)[0].state is not PlaybookState.RETIRED
    reason = "the help desk answers these <now>"
    retired = shown(types(published, CURATOR, f"/cadence playbook retire reply {reason}"), PlaybookRetired)
    assert (retired.title, retired.reason) == ("Reply", reason)
    assert retired.finishing == (FinishingTeam(team="Desk", number=1, closes=date(2026, 3, 27)),)
    for channel in (DESK_CHANNEL, SOLO_CHANNEL, CURATORS):
        assert_golden(posts(published, channel)[-1], f"retired:{channel}")
    assert len(rows(published, Cycle)) == 1  # the other team's hadn't begun
    again = types(published, CURATOR, "/cadence playbook retire reply again")
    assert_golden(again.words, "retired-twice")
    assert_golden(types(published, LEAD, "/cadence cycle start reply"), "no-start-once-retired")
    published.play_until(at("2026-04-07 12:00"))
    [cycle] = rows(published, Cycle)
    assert cycle.state is CycleState.CLOSED
    closing = [one for one in posts(published, DESK_CHANNEL) if is_shown(one, CycleClosed)][-1]
    closed = shown(closing, CycleClosed)
    assert (closed.playbook, closed.number, closed.result) == ("Reply", 1, "insufficient")
    assert Action.START_CYCLE not in actions(posts(published, CURATORS)[-1]), "nobody is to start it again"
    assert shown(types(published, AGENT, "/cadence registry"), Registry).rows == ()
    lead = published.workspace.person(LEAD)
    assert Action.SUBMIT not in actions(closing)
    home = lead.opens_home()
    assert shown(home, Home).waiting == 0
    assert Action.START_CYCLE not in actions(home)
    # a new version restores it
    revise(published, ("target: 15", "target: 14"))
    override(published)
    assert rows(published, Playbook)[0].state is PlaybookState.PUBLISHED
    assert [row.number for row in rows(published, PlaybookVersion)] == [1, 2]
    started = shown(types(published, LEAD, "/cadence cycle start reply team=desk"), CycleStarted)
    assert (started.team, started.number) == ("Desk", 2)


def drift_alert(harness: BotHarness) -> Message:
    """The only alert in the curators' channel that a step is run in another mode than planned."""
    [alert] = [one for one in posts(harness, CURATORS) if is_shown(one, Drift)]
    return alert


def test_a_step_that_the_new_version_drops_leaves_nothing_waiting(published: BotHarness) -> None:
    types(published, AGENT, "/attest reply drifted send=human-led runs=20 week=1")
    types(published, LEAD, "/attest reply drifted send=human-led runs=20 week=2")
    published.tick()
    alert = drift_alert(published)
    found = shown(alert, Drift)
    assert (found.step, found.used, found.decision) == ("Send the reply", "human-led", None)
    assert Action.BACK_TO_PLAN in actions(alert)
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
    alert = drift_alert(published)
    assert shown(alert, Drift).decision == "withdrawn"
    assert_golden(alert, "drift-of-a-dropped-step")
    assert Action.BACK_TO_PLAN not in actions(alert)


def test_an_alert_about_a_step_that_was_dropped_since_says_so(published: BotHarness) -> None:
    agent, lead = published.workspace.person(AGENT), published.workspace.person(LEAD)
    agent.types("/exception reply send critical It sent the wrong refund.", channel=DESK_CHANNEL)
    agent.submits({})
    revise(published, ("key: send\n    title: Send the reply", "key: post\n    title: Post the reply"), LOWER)
    said = lead.types("/cadence playbook move reply draft", channel=DESK_CHANNEL)
    assert shown(said, TeamMoved).team == "Desk"
    published.tick()
    [told] = [one for one in posts(published, DESK_CHANNEL) if is_shown(one, Demoted)]
    demoted = shown(told, Demoted)
    assert (demoted.step, demoted.dropped) == ("Send the reply", True)
    assert actions(told) == []
    assert ledger(published, "demoted", MessageState.SKIPPED) == []
