"""After a pilot: the assessment, what production needs against what was measured, and the decision (SPEC §6)."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import select

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.messages import Message
from cadence.actor import Actor
from cadence.flows.core import require_playbook
from cadence.flows.cutover import CutoverView, cutover_of
from cadence.rules.cutover import Requirement
from storage.tables import Assessment, CheckIn, Cutover, CutoverState, Duty, DutyKind, Override, OverrideKind
from storage.work import UnitOfWork
from templates.contexts.cutover import (
    AssessmentShown,
    CutoverHeld,
    CutoverPassed,
    CutoverShown,
    MoveAnywayForm,
    PracticesForm,
)
from templates.contexts.cycles import CycleClosed
from templates.contexts.history import Trace
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.home import Home, HomeNeed
from templates.contexts.playbooks import PlaybookShown
from templates.ids import Action
from tests.contexts import actions, assert_golden, is_shown, shown
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
CORE, HEROIC = "Read it twice", "Jana stays late"
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


def types(harness: BotHarness, member: str, text: str, channel: str = DESK_CHANNEL) -> Answer:
    said = harness.workspace.person(member).types(text, channel=channel)
    harness.tick()
    return said


def closing_post(harness: BotHarness) -> Message:
    """The newest post about the closed cycle, in the team's channel."""
    return [one for one in posts(harness, DESK_CHANNEL) if is_shown(one, CycleClosed)][-1]


def needs(harness: BotHarness, member: str, action: Action) -> list[HomeNeed]:
    """What a person's Home asks them to do by a button with this action."""
    items = shown(harness.workspace.person(member).opens_home(), Home).items
    found = [item.need for item in items if item.need is not None]
    return [need for need in found if action in {offer.action for offer in need.offers}]


def found(harness: BotHarness) -> CutoverView:
    with UnitOfWork(harness.bot.db, Actor.system(BUILT_IN_TEAM), harness.clock.now()).read() as uow:
        return cutover_of(uow, require_playbook(uow, "reply"))


def assess(harness: BotHarness, **more: str) -> None:
    owner = harness.workspace.person(LEAD)
    owner.types("/cadence assess reply")
    assert not owner.submits(ANSWERS | more).errors
    owner.closes()
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
        assert_golden(types(harness, LEAD, "/cadence assess reply"), "refused-before-a-pilot")
        start_cycle(harness)
        harness.play_until(at("2026-03-05 11:00"))
        assert_golden(types(harness, LEAD, "/cadence assess reply"), "refused-before-a-closed-cycle")
        assert rows(harness, Assessment) == []
        said = types(harness, LEAD, "/cadence cutover reply")
        told = shown(said, CutoverShown)
        assert [line.met for line in told.lines] == [False] * 5
        assert_golden(said, "table-before-a-closed-cycle")


def test_the_closing_post_and_home_ask_for_the_assessment(closed: BotHarness) -> None:
    post = closing_post(closed)
    assert Action.ASSESS in actions(post)
    owner = closed.workspace.person(LEAD)
    [need] = needs(closed, LEAD, Action.ASSESS)
    assert_golden(f"{need.title}\n{need.text}", "home-asks-for-the-assessment")
    owner.clicks(post, "Answer the assessment")
    owner.submits(ANSWERS)
    closed.tick()
    assert Action.ASSESS not in actions(closing_post(closed))
    assert needs(closed, LEAD, Action.ASSESS) == []


def test_practices_are_sorted_and_only_the_core_goes_into_the_package(closed: BotHarness) -> None:
    owner = closed.workspace.person(LEAD)
    owner.types("/cadence assess reply")
    wrong = owner.submits(ANSWERS | {"feedback": " ", "practices": "\n".join(map(str, range(11)))})
    assert_golden("\n".join(f"{field}: {said}" for field, said in wrong.errors.items()), "refused-answers")
    assert rows(closed, Assessment) == []
    owner.submits(ANSWERS | {"practices": f"{CORE}\n- {HEROIC}\n\n{CORE}", "reviewer": LEAD})
    assert [one.text for one in shown(owner.form(), PracticesForm).practices] == [CORE, HEROIC]
    assert HEROIC in owner.form().words
    owner.submits({"practice:0": "core", "practice:1": "heroic"})
    owner.closes()
    closed.tick()
    first, second = rows(closed, Assessment)
    assert first.replaced_at is not None
    assert second.practices == [
        {"text": CORE, "kind": "core"},
        {"text": HEROIC, "kind": "heroic"},
    ]
    said = types(closed, LEAD, "/cadence assess reply show")
    assessment = shown(said, AssessmentShown)
    assert assessment.reviewer == LEAD
    assert {group.kind: group.texts for group in assessment.practices if group.texts} == {
        "core": (CORE,),
        "heroic": (HEROIC,),
    }
    assert_golden(said, "assessment")
    table = types(closed, LEAD, "/cadence cutover reply")
    assert (shown(table, CutoverShown).heroic, shown(table, CutoverShown).reviewer) == ((HEROIC,), LEAD)
    assert_golden(table, "table-with-a-risk")
    package = types(closed, AGENT, "/cadence playbook show reply")
    assert shown(package, PlaybookShown).practices == (CORE,)
    assert CORE in package.words
    assert HEROIC not in package.words
    owner.types("/cadence assess reply")
    owner.submits({"practices": CORE})
    assert [one.practices for one in rows(closed, Assessment)][-1] == [{"text": CORE, "kind": "core"}]


def test_the_table_compares_what_is_needed_with_what_was_measured(closed: BotHarness) -> None:
    said = types(closed, LEAD, "/cadence cutover reply")
    table = shown(said, CutoverShown)
    assert [line.met for line in table.lines] == [True, True, True, False, False]
    assert len(table.missing) == 5
    assert table.kpi is not None
    assert (table.cycle, table.kpi.value, table.kpi.target, table.kpi.is_met) == (1, 14, 15, True)
    assert_golden(said, "table-after-the-cycle")
    assert found(closed).verdict.missing == (Requirement.OWNERSHIP, Requirement.ASSESSMENT)
    with closed.bot.db.write() as session:
        for row in session.exec(select(CheckIn)):
            row.complete_inputs = None
    inputs = shown(types(closed, LEAD, "/cadence cutover reply"), CutoverShown).lines[0]
    assert not inputs.met
    assert_golden(inputs.measured, "inputs-not-reported")
    assert_golden(types(closed, AGENT, "/cadence cutover reply"), "refused-not-owner")


def test_only_the_rubric_in_force_counts(closed: BotHarness) -> None:
    types(closed, LEAD, "/cadence rubric reply draft revise refunds name their case")
    accuracy = shown(types(closed, LEAD, "/cadence cutover reply"), CutoverShown).lines[1]
    assert not accuracy.met
    assert_golden(accuracy.measured, "no-samples-of-the-rubric-in-force")


def test_the_owner_asks_and_a_curator_moves_it_once_all_is_met(closed: BotHarness) -> None:
    owner, curator = closed.workspace.person(LEAD), closed.workspace.person(CURATOR)
    assess(closed)
    name_duties(closed)
    table = owner.types("/cadence cutover reply")
    assert all(line.met for line in shown(table, CutoverShown).lines)
    assert_golden(table, "table-with-all-met")
    assert table.message is not None
    owner.clicks(table.message, "Ask for cutover")
    closed.play_until(at("2026-03-30 08:30"))
    [asked] = [one for one in posts(closed, CURATORS) if is_shown(one, CutoverShown)]
    assert (shown(asked, CutoverShown).state, shown(asked, CutoverShown).by) == ("asked", LEAD)
    assert_golden(asked, "asked")
    assert actions(asked) == [Action.APPROVE_CUTOVER, Action.HOLD_CUTOVER, Action.SHOW_ASSESSMENT]
    [need] = needs(closed, CURATOR, Action.SHOW_CUTOVER)
    assert_golden(f"{need.title}\n{need.text}", "home-asks-for-a-decision")
    [decision] = shown(types(closed, CURATOR, "/cadence digest"), Digest).decisions
    assert (decision.title, decision.text) == (need.title, need.text)
    assert_golden(curator.clicks(asked, "Move to production"), "moved")
    closed.tick()
    for channel in (DESK_CHANNEL, CURATORS):
        [told] = [one for one in posts(closed, channel) if is_shown(one, CutoverPassed)]
        passed = shown(told, CutoverPassed)
        assert (passed.playbook, passed.curator, passed.reason) == ("Reply", CURATOR, "")
        assert_golden(told, f"everybody-told:{channel}")
    assert [row.state for row in rows(closed, Cutover)] == [CutoverState.ASKED, CutoverState.PASSED]
    [asked] = [one for one in posts(closed, CURATORS) if is_shown(one, CutoverShown)]
    assert (shown(asked, CutoverShown).state, actions(asked)) == ("production", [])
    package = shown(types(closed, AGENT, "/cadence playbook show reply"), PlaybookShown)
    assert package.in_production == date(2026, 3, 30)
    assert needs(closed, CURATOR, Action.SHOW_CUTOVER) == []
    again = closed.workspace.person(CURATOR).types("/cadence cutover reply")
    assert (shown(again, CutoverShown).playbook, shown(again, CutoverShown).state) == ("Reply", "production")
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
    [told] = [one for one in bot_dms(closed, LEAD) if is_shown(one, CutoverHeld)]
    held = shown(told, CutoverHeld)
    assert (held.curator, held.reason, len(held.missing)) == (CURATOR, "Name who trains the <next> teams", 1)
    assert_golden(told, "owner-told-of-the-hold")
    owner = closed.workspace.person(LEAD)
    table = owner.clicks(told, "Show the table")
    assert (shown(table, CutoverShown).state, shown(table, CutoverShown).by) == ("held", CURATOR)
    assert_golden(table, "table-on-hold")
    assert table.message is not None
    owner.clicks(table.message, "Ask for cutover")
    assert found(closed).state is CutoverState.HELD
    assert found(closed).request is not None
    assert [row.state for row in rows(closed, Cutover)] == [CutoverState.HELD, CutoverState.ASKED]


def test_a_curator_moves_it_anyway_with_a_reason_that_is_announced(closed: BotHarness) -> None:
    curator = closed.workspace.person(CURATOR)
    table = curator.types("/cadence cutover reply")
    assert table.message is not None
    curator.clicks(table.message, "Move anyway")
    assert_golden("\n".join(shown(curator.form(), MoveAnywayForm).missing), "missing-in-the-form")
    assert_golden(curator.submits({"reason": "because"}).errors["reason"], "refused-short-reason")
    curator.submits({"reason": "The season starts on Monday"})
    closed.play_until(at("2026-03-30 08:30"))
    (row,) = rows(closed, Override)
    assert (row.kind, row.member) == (OverrideKind.CUTOVER, CURATOR)
    assert row.passed_over == {"missing": ["ownership", "assessment"]}
    [told] = [one for one in posts(closed, DESK_CHANNEL) if is_shown(one, CutoverPassed)]
    assert shown(told, CutoverPassed).reason == "The season starts on Monday"
    assert_golden(told, "team-told-of-the-override")
    assert len(entries(closed, "cutover-overridden")) == 1
    entry = shown(types(closed, CURATOR, "/cadence trace"), Trace).rows[0]
    assert entry.member == CURATOR
    assert_golden(f"{entry.what}: {entry.became}", "override-in-trace")
    assert len(ledger(closed, "cutover-passed")) == 2


def test_asking_needs_the_assessment_first(closed: BotHarness) -> None:
    owner = closed.workspace.person(LEAD)
    table = owner.types("/cadence cutover reply")
    assert table.message is not None
    assert actions(table) == [Action.ASSESS, Action.NAME_OWNERS]
    owner.clicks(table.message, "Answer the assessment")
    owner.submits(ANSWERS | {"practices": CORE})
    owner.closes()
    table = owner.types("/cadence cutover reply")
    assert_golden(shown(table, CutoverShown).lines[-1].measured, "one-practice-to-sort")
    assert actions(table) == [Action.SORT_PRACTICES, Action.NAME_OWNERS, Action.SHOW_ASSESSMENT]
