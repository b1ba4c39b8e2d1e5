"""After a pilot: the assessment, what production needs against what was measured, and the decision (SPEC §6)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from cadence.flows.core import require_playbook
from cadence.flows.cutover import CutoverView, cutover_of
from cadence.rules.cutover import Requirement
from storage.tables import Assessment, CheckIn, Cutover, CutoverState, Duty, DutyKind, Override, OverrideKind
from storage.work import UnitOfWork
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    at,
    bot_dms,
    changed,
    entries,
    ledger,
    posts,
    rows,
    start_cycle,
)

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"
ANSWERS = {
    "manual_work": "Copying order numbers.",
    "changed_for_ai": "Shorter tickets.",
    "local_knowledge": "The refund rules.",
    "feedback": "The Friday review.",
}
THURSDAYS = ("2026-03-05", "2026-03-12", "2026-03-19", "2026-03-26")


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[BotHarness]:
    """The pilot's first cycle has closed at its target; every check-in came, with complete inputs."""
    file = changed(REPLY, tmp_path, ("scale_rule: {cycles: 2}", "scale_rule: {cycles: 1}"))
    with bot_harness(tmp_path, workspace=DESK, playbooks=[file], played=four_good_weeks) as harness:
        yield harness


def four_good_weeks(harness: BotHarness) -> None:
    """A cycle in which every check-in came, until it closed at its target."""
    start_cycle(harness)
    for day in THURSDAYS:
        harness.play_until(at(f"{day} 11:00"))
        for member in (LEAD, AGENT):
            check_in(harness, member, runs=10, inputs=10)
        types(harness, LEAD, "/kpi 14m")
    types(harness, LEAD, "/cadence rubric reply draft passes=27 samples=30")
    harness.play_until(at("2026-03-27 17:00"))


def check_in(harness: BotHarness, member: str, *, runs: int, inputs: int) -> None:
    """Answer the check-in in its form, with the question behind [Add details]."""
    person = harness.workspace.person(member)
    person.clicks(bot_dms(harness, member)[-1], "As planned")
    person.clicks(person.form(), "Add details")
    done = person.submits({"runs": str(runs), "inputs": str(inputs)})
    assert not done.errors
    harness.tick()


def types(harness: BotHarness, member: str, text: str, channel: str = DESK_CHANNEL) -> str:
    said = harness.workspace.person(member).types(text, channel=channel)
    harness.tick()
    return said.words


def found(harness: BotHarness) -> CutoverView:
    with UnitOfWork(harness.bot.db, Actor.system(BUILT_IN_TEAM), harness.clock.now()).read() as uow:
        return cutover_of(uow, require_playbook(uow, "reply"))


def assess(harness: BotHarness, **more: str) -> None:
    owner = harness.workspace.person(LEAD)
    owner.types("/cadence assess reply")
    assert not owner.submits(ANSWERS | more).errors
    harness.tick()


def name_duties(harness: BotHarness) -> None:
    with harness.bot.db.write() as session:
        for duty in DutyKind:
            session.add(
                Duty(
                    workspace_id=BUILT_IN_TEAM,
                    playbook_id=1,
                    duty=duty,
                    member=AGENT,
                    named_by=LEAD,
                    named_at=harness.clock.now(),
                )
            )


def test_the_assessment_waits_for_a_closed_cycle(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        assert "hasn't been piloted yet" in types(harness, LEAD, "/cadence assess reply")
        start_cycle(harness)
        harness.play_until(at("2026-03-05 11:00"))
        said = types(harness, LEAD, "/cadence assess reply")
        assert "Desk hasn't finished a cycle of Reply yet. The first one closes Fri 27 Mar." in said
        shown = types(harness, LEAD, "/cadence cutover reply")
        assert "not reported yet" in shown
        assert "no samples yet" in shown


def test_the_closing_post_and_home_ask_for_the_assessment(closed: BotHarness) -> None:
    post = [one for one in posts(closed, DESK_CHANNEL) if "hit its target" in one.text][-1]
    assert "Answer the assessment" in post.buttons
    owner = closed.workspace.person(LEAD)
    assert "Reply in Desk met its target 1 cycle in a row" in owner.opens_home().words
    owner.clicks(post, "Answer the assessment")
    owner.submits(ANSWERS)
    closed.tick()
    post = [one for one in posts(closed, DESK_CHANNEL) if "hit its target" in one.text][-1]
    assert "Answer the assessment" not in post.buttons
    assert "in a row" not in owner.opens_home().words


def test_practices_are_sorted_and_only_the_core_goes_into_the_package(closed: BotHarness) -> None:
    owner = closed.workspace.person(LEAD)
    owner.types("/cadence assess reply")
    wrong = owner.submits(ANSWERS | {"feedback": " ", "practices": "\n".join(map(str, range(11)))})
    assert "10" in wrong.errors["practices"] or wrong.errors["feedback"]
    owner.submits(
        ANSWERS | {"practices": "Read it twice\n- Jana stays late\n\nRead it twice", "reviewer": LEAD}
    )
    assert "Jana stays late" in owner.form().words
    owner.submits({"practice:0": "core", "practice:1": "heroic"})
    closed.tick()
    first, second = rows(closed, Assessment)
    assert first.replaced_at is not None
    assert second.practices == [
        {"text": "Read it twice", "kind": "core"},
        {"text": "Jana stays late", "kind": "heroic"},
    ]
    shown = types(closed, LEAD, "/cadence assess reply show")
    assert f"<@{LEAD}> reviewed every output. That won't scale." in shown
    assert "Heroic effort: a risk until it's replaced*\n• Jana stays late" in shown
    table = types(closed, LEAD, "/cadence cutover reply")
    assert "*Risk:* 1 practice took heroic effort" in table
    package = types(closed, AGENT, "/cadence playbook show reply")
    assert "*What worked in the pilot*\n• Read it twice" in package
    assert "stays late" not in package
    owner.types("/cadence assess reply")
    owner.submits({"practices": "Read it twice"})
    assert [one.practices for one in rows(closed, Assessment)][-1] == [
        {"text": "Read it twice", "kind": "core"}
    ]


def test_the_table_compares_what_is_needed_with_what_was_measured(closed: BotHarness) -> None:
    shown = types(closed, LEAD, "/cadence cutover reply")
    for words in (
        "80 of 80 runs (100%)",
        "27 of 30 samples (90%)",
        "8 of 8",
        "0 of 5",
        "not yet",
        "✗ Not met",
    ):
        assert words in shown, words
    assert (
        "*Without a name:* the rules, model and prompt updates, the exception queue, adoption, training"
        in shown
    )
    assert "14 min in cycle 1, target 15 min (met; not a requirement)" in shown
    assert found(closed).verdict.missing == (Requirement.OWNERSHIP, Requirement.ASSESSMENT)
    with closed.bot.db.write() as session:
        for row in session.exec(select(CheckIn)):
            row.complete_inputs = None
    assert "not reported yet" in types(closed, LEAD, "/cadence cutover reply")
    assert "Only the owner" in types(closed, AGENT, "/cadence cutover reply")


def test_only_the_rubric_in_force_counts(closed: BotHarness) -> None:
    types(closed, LEAD, "/cadence rubric reply draft revise refunds name their case")
    assert "no samples yet" in types(closed, LEAD, "/cadence cutover reply")


def test_the_owner_asks_and_a_curator_moves_it_once_all_is_met(closed: BotHarness) -> None:
    owner, curator = closed.workspace.person(LEAD), closed.workspace.person(CURATOR)
    assess(closed)
    name_duties(closed)
    table = owner.types("/cadence cutover reply")
    assert "Reply: ready for production" in table.words
    assert table.message is not None
    owner.clicks(table.message, "Ask for cutover")
    closed.play_until(at("2026-03-30 08:30"))
    [asked] = [one for one in posts(closed, CURATORS) if "ready for production" in one.text]
    assert f"<@{LEAD}> asks to move it to production." in asked.words
    assert asked.buttons == ["Move to production", "Hold", "Show the assessment"]
    assert "Decide on the cutover" in curator.opens_home().words
    assert "asks to move Reply to production" in types(closed, CURATOR, "/cadence digest")
    said = curator.clicks(asked, "Move to production").words
    assert "Reply is in production from now on." in said
    closed.tick()
    for channel in (DESK_CHANNEL, CURATORS):
        [told] = [one for one in posts(closed, channel) if "is now in production" in one.text]
        assert f"<@{CURATOR}> moved it: the pilot met everything" in told.words
    assert [row.state for row in rows(closed, Cutover)] == [CutoverState.ASKED, CutoverState.PASSED]
    [asked] = [one for one in posts(closed, CURATORS) if "In production: Reply" in one.text]
    assert asked.buttons == []
    assert "since Mon 30 Mar" in types(closed, AGENT, "/cadence playbook show reply")
    assert "Decide on the cutover" not in curator.opens_home().words
    again = closed.workspace.person(CURATOR).types("/cadence cutover reply")
    assert "In production: Reply" in again.words
    assert rows(closed, Override) == []
    assert len(entries(closed, "cutover-passed")) == 1


def test_a_hold_says_what_is_missing_and_the_owner_can_ask_again(closed: BotHarness) -> None:
    assess(closed)
    curator = closed.workspace.person(CURATOR)
    table = curator.types("/cadence cutover reply")
    assert table.message is not None
    curator.clicks(table.message, "Hold")
    curator.submits({"reason": "Name who trains the <next> teams"})
    closed.play_until(at("2026-03-30 09:30"))
    [told] = [one for one in bot_dms(closed, LEAD) if "Cutover on hold" in one.text]
    assert "Name who trains the &lt;next&gt; teams" in told.words
    assert "☐ Ownership: 0 of 5 (needs 5 names)" in told.words
    owner = closed.workspace.person(LEAD)
    shown = owner.clicks(told, "Show the table")
    assert f"Held by <@{CURATOR}>" in shown.words
    assert shown.message is not None
    owner.clicks(shown.message, "Ask for cutover")
    assert found(closed).state is CutoverState.HELD
    assert found(closed).request is not None
    assert [row.state for row in rows(closed, Cutover)] == [CutoverState.HELD, CutoverState.ASKED]


def test_a_curator_moves_it_anyway_with_a_reason_that_is_announced(closed: BotHarness) -> None:
    curator = closed.workspace.person(CURATOR)
    table = curator.types("/cadence cutover reply")
    assert table.message is not None
    curator.clicks(table.message, "Move anyway")
    assert "☐ Ownership: 0 of 5 (needs 5 names)" in curator.form().words
    assert "Say in a sentence" in curator.submits({"reason": "because"}).errors["reason"]
    curator.submits({"reason": "The season starts on Monday"})
    closed.play_until(at("2026-03-30 08:30"))
    (row,) = rows(closed, Override)
    assert (row.kind, row.member) == (OverrideKind.CUTOVER, CURATOR)
    assert row.passed_over == {"missing": ["ownership", "assessment"]}
    [told] = [one for one in posts(closed, DESK_CHANNEL) if "is now in production" in one.text]
    assert "although something was missing: “The season starts on Monday”" in told.words
    assert len(entries(closed, "cutover-overridden")) == 1
    assert "moved the playbook to production anyway" in types(closed, CURATOR, "/cadence trace")
    assert len(ledger(closed, "cutover-passed")) == 2


def test_asking_needs_the_assessment_first(closed: BotHarness) -> None:
    owner = closed.workspace.person(LEAD)
    table = owner.types("/cadence cutover reply")
    assert table.message is not None
    assert table.message.buttons == ["Answer the assessment", "Name owners"]
    owner.clicks(table.message, "Answer the assessment")
    owner.submits(ANSWERS | {"practices": "Read it twice"})
    table = owner.types("/cadence cutover reply")
    assert "1 practice to sort" in table.words
    assert table.message is not None
    assert table.message.buttons == ["Sort the practices", "Name owners", "Show the assessment"]
