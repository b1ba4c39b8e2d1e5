"""Graded samples and rubric revisions, from a command or a form to the step's evidence (SPEC §5, §7)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from cadence.rules.modes import Mode
from storage.tables import AdoptionStep, RubricResult, RubricRevision
from templates.contexts.overview.statuses import Status, Why
from templates.contexts.rubrics import RevisionForm, RiskyGrade, RubricForm, RubricRevised, SampleRecorded
from templates.contexts.standards import Demoted
from templates.contexts.waves import Compared
from templates.ids import Action
from tests.contexts import actions, assert_golden, contexts, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    DESK,
    DESK_CHANNEL,
    REPLY,
    InCycle,
    at,
    bot_dms,
    changed,
    entries,
    posts,
    rows,
    says,
    start_cycle,
)

OWNER, MEMBER, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Week 1 of a cycle; a risky grade of `draft` goes to the curator."""
    verified = ("exception_cap: 0.10}\n  - {key: send", "exception_cap: 0.10, VERIFY}\n  - {key: send")
    playbook = changed(REPLY, tmp_path, verified, ("VERIFY", "verify: {sample: 3, escalate_to: U01CURATOR}"))
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[playbook], played=InCycle("2026-03-03 09:00")
    ) as harness:
        yield harness


def types(harness: BotHarness, member: str, command: str) -> Answer:
    said = harness.workspace.person(member).types(command, channel=DESK_CHANNEL)
    harness.tick()
    return said


def records(harness: BotHarness, command: str) -> SampleRecorded:
    """The owner records a sample by command, which must succeed."""
    return shown(types(harness, OWNER, command), SampleRecorded)


def test_a_sample_says_what_is_known_now_and_how_many_more_decide(desk: BotHarness) -> None:
    said = types(desk, OWNER, "/cadence rubric reply draft passes=37 samples=38 last Friday's replies")
    recorded = shown(said, SampleRecorded)
    assert (recorded.step, recorded.samples, recorded.passes, recorded.risky) == (
        "Draft the reply",
        38,
        37,
        0,
    )
    assert (recorded.pooled.samples, recorded.pooled.needed, recorded.pooled.more) == (38, 46, 8)
    assert recorded.pooled.bound == pytest.approx(0.881, abs=0.001)
    assert recorded.pooled.accuracy == 0.9
    assert_golden(said, "eight-more-decide")
    types(desk, CURATOR, "/cadence rubric reply draft passes=8 samples=8")
    [first, second] = rows(desk, RubricResult)
    assert (first.samples, first.passes, first.risky, first.member) == (38, 37, 0, OWNER)
    assert (first.note, first.revision, second.member) == ("last Friday's replies", 1, CURATOR)
    said = types(desk, OWNER, "/cadence rubric draft samples=1 passes=1")
    assert shown(said, SampleRecorded).pooled.more == 0
    assert_golden(said, "enough-to-decide")
    assert [one.member for one in entries(desk, "rubric-result")] == [OWNER, CURATOR, OWNER]


def test_more_samples_are_asked_for_until_few_enough_are_risky(desk: BotHarness) -> None:
    said = types(desk, OWNER, "/cadence rubric reply draft passes=28 samples=29 risky=1")
    pooled = shown(said, SampleRecorded).pooled
    assert (pooled.passes, pooled.samples, pooled.needed, pooled.more) == (28, 29, 50, 21)
    assert_golden(said, "none-of-the-next-may-be-risky")
    assert records(desk, "/cadence rubric reply draft passes=17 samples=17").pooled.more == 4
    assert records(desk, "/cadence rubric reply draft passes=4 samples=4").pooled.more == 0


def test_the_form_takes_what_was_typed_and_says_on_its_field_what_is_wrong(desk: BotHarness) -> None:
    owner = desk.workspace.person(OWNER)
    owner.types("/cadence rubric draft", channel=DESK_CHANNEL)
    [group] = shown(owner.form(), RubricForm).groups
    assert [one.value for one in group.choices] == ["1:draft", "1:send"]
    assert_golden("\n".join(one.label for one in group.choices), "steps-to-choose-from")
    assert group.choices[1].label in str(owner.form().blocks)
    refused = owner.submits({"samples": "20", "passes": "21"})
    assert_golden(refused.errors["passes"], "refused-more-passes-than-samples")
    refused = owner.submits({"samples": "20", "passes": "19", "risky": "30"})
    assert_golden(refused.errors["risky"], "refused-more-risky-ones-than-samples")
    assert rows(desk, RubricResult) == []
    owner.submits({"samples": "20", "passes": "19", "risky": "1", "note": "two <tricky> ones"})
    [row] = rows(desk, RubricResult)
    assert (row.samples, row.passes, row.risky, row.note) == (20, 19, 1, "two <tricky> ones")


@pytest.mark.parametrize(
    ("case", "typed"),
    [
        ("more-passes", "draft passes=5 samples=4"),
        ("no-number", "draft passes=x samples=4"),
        ("no-samples", "draft passes=4"),
        ("no-such-step", "sned passes=4 samples=4"),
        ("zero", "draft passes=1 samples=0"),
    ],
)
def test_a_mistyped_sample_is_refused_with_what_is_right(desk: BotHarness, case: str, typed: str) -> None:
    assert_golden(types(desk, OWNER, f"/cadence rubric reply {typed}"), f"refused:{case}")
    assert rows(desk, RubricResult) == []


def test_only_the_owner_or_a_curator_grades_and_revises(desk: BotHarness) -> None:
    for case, command in (
        ("sample", "draft passes=4 samples=4"),
        ("revision", "draft revise refunds"),
        ("form", ""),
        ("form-of-a-step", "draft"),
    ):
        assert_golden(types(desk, MEMBER, f"/cadence rubric {command}"), f"refused-not-owner:{case}")
    assert rows(desk, RubricResult) == []
    assert rows(desk, RubricRevision) == []


def test_a_sample_sent_again_counts_once(desk: BotHarness) -> None:
    said = types(desk, OWNER, "/cadence rubric draft passes=4 samples=4")
    [sent] = [one.request for one in desk.workspace.exchanges() if "passes=4" in str(one.request)]
    again = desk.workspace.deliver("slash_commands", sent)
    assert str(again.json["text"]) in said.words
    assert len(rows(desk, RubricResult)) == 1


def test_a_risky_grade_goes_at_once_to_the_person_the_playbook_names(desk: BotHarness) -> None:
    said = types(desk, OWNER, "/cadence rubric draft passes=4 samples=5 risky=1")
    assert shown(said, SampleRecorded).escalated_to == CURATOR
    assert_golden(said, "curator-was-told")
    [told] = [one for one in bot_dms(desk, CURATOR) if is_shown(one, RiskyGrade)]
    grade = shown(told, RiskyGrade)
    assert (grade.step, grade.risky, grade.samples, grade.max_risk) == ("Draft the reply", 1, 5, 0.02)
    assert_golden(told.text, "notification-of-a-risky-one")
    assert_golden(told, "one-was-risky")
    types(desk, OWNER, "/cadence rubric draft passes=5 samples=5")
    assert len(contexts(bot_dms(desk, CURATOR), RiskyGrade)) == 1


def test_a_revision_starts_the_evidence_again_and_the_demoted_alert_asks_for_it(desk: BotHarness) -> None:
    types(desk, OWNER, "/cadence rubric send passes=20 samples=20")
    says(
        desk.workspace.person(MEMBER),
        "/exception reply send critical promised a refund",
        channel=DESK_CHANNEL,
    )
    desk.tick()
    said = types(desk, OWNER, "/cadence rubric send passes=2 samples=2")
    assert shown(said, SampleRecorded).demoted
    assert_golden(said, "demoted-on-this-rubric")
    [alert] = [one for one in posts(desk, DESK_CHANNEL) if is_shown(one, Demoted)]
    assert (shown(alert, Demoted).after, shown(alert, Demoted).revised_by) == (Mode.COLLABORATIVE, None)
    owner = desk.workspace.person(OWNER)
    owner.clicks(alert, "Update the rubric")
    now = shown(owner.form(), RevisionForm).now
    assert now is not None
    assert (now.threshold, now.criteria, now.updates) == (0.9, ("tone",), ())
    assert_golden(owner.form(), "form-before-any-update")
    owner.submits({"reason": "Refunds name their case."})
    desk.tick()
    [row] = rows(desk, RubricRevision)
    assert (row.step, row.number, row.change, row.member) == ("send", 2, "Refunds name their case.", OWNER)
    [alert] = [one for one in posts(desk, DESK_CHANNEL) if is_shown(one, Demoted)]
    assert shown(alert, Demoted).revised_by == OWNER
    assert Action.REVISE_RUBRIC not in actions(alert)
    [status] = shown(types(desk, OWNER, "/cadence status reply"), Status).rows
    [evidence] = [one.evidence for one in status.steps if one.key == "send"]
    assert evidence is not None
    assert (evidence.restarted, evidence.exceptions, evidence.measured, evidence.reported) == (True, 0, 0, 0)
    step = next(one for one in rows(desk, AdoptionStep) if one.step == "send")
    assert (step.rubric, step.since.isoformat()) == (2, row.revised_at.isoformat())
    pooled = records(desk, "/cadence rubric send passes=3 samples=3").pooled
    assert (pooled.passes, pooled.samples, pooled.more) == (3, 3, 26)


def test_in_a_cycle_that_began_after_its_monday_nothing_was_reset(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as desk:
        desk.clock.set(at("2026-03-03 09:00"))
        start_cycle(desk, "reply")
        [status] = shown(types(desk, OWNER, "/cadence status reply"), Status).rows
        assert {one.evidence.restarted for one in status.steps if one.evidence} == {False}
        desk.clock.set(at("2026-03-03 09:01"))
        types(desk, OWNER, "/cadence rubric reply send revise Refunds name their case.")
        [status] = shown(types(desk, OWNER, "/cadence status reply"), Status).rows
        assert [one.key for one in status.steps if one.evidence and one.evidence.restarted] == ["send"]


def test_a_revision_resets_what_why_and_the_comparison_show(desk: BotHarness) -> None:
    attested = desk.workspace.person(MEMBER)
    says(attested, "/attest as-declared runs=40", channel=DESK_CHANNEL)
    says(attested, "/exception reply send tone was off", channel=DESK_CHANNEL)
    desk.tick()
    before = shown(types(desk, OWNER, "/cadence why reply send"), Why)
    assert before.decided is not None
    assert (before.reset, before.now) == (None, None)
    desk.clock.set(desk.clock.now() + timedelta(hours=1))
    types(desk, OWNER, "/cadence rubric reply send revise Refunds name their case.")

    said = types(desk, OWNER, "/cadence why reply send")
    why = shown(said, Why)
    assert (why.decided, why.latest, len(why.rows)) == (None, None, 1)
    assert why.reset is not None
    [status] = shown(types(desk, OWNER, "/cadence status reply"), Status).rows
    now = next(one.evidence for one in status.steps if one.key == "send")
    assert now is not None
    assert (why.now, now.restarted, now.exceptions) == (now, True, 0)
    assert_golden(said, "why-after-a-revision")
    said = types(desk, OWNER, "/cadence compare reply")
    [team] = [one for one in shown(said, Compared).rows if one.step]
    assert team.evidence == now
    assert_golden(said, "compared-after-a-revision")

    says(attested, "/exception reply send wrong price", channel=DESK_CHANNEL)
    desk.tick()
    again = shown(types(desk, OWNER, "/cadence why reply send"), Why)
    assert again.decided is not None
    assert (again.decided.evidence.exceptions, again.reset, again.now) == (1, why.reset, None)


def test_the_form_shows_the_rubric_with_its_updates(desk: BotHarness) -> None:
    types(desk, OWNER, "/cadence rubric reply send revise Refunds name their case.")
    types(desk, OWNER, "/cadence rubric reply send revise Two sentences at most.")
    desk.workspace.person(OWNER).types("/cadence rubric reply send revise")
    form = desk.workspace.person(OWNER).form()
    now = shown(form, RevisionForm).now
    assert now is not None
    assert [one.change for one in now.updates] == ["Two sentences at most.", "Refunds name their case."]
    assert_golden(form, "form-with-updates")


def test_revise_by_command_says_that_the_count_starts_again(desk: BotHarness) -> None:
    said = types(desk, OWNER, "/cadence rubric reply draft revise tone is graded apart")
    revised = shown(said, RubricRevised)
    assert (revised.step, revised.revision, revised.cycles, revised.needed) == ("Draft the reply", 2, 2, 29)
    assert_golden(said, "revised")
    [entry] = entries(desk, "rubric-revised")
    assert entry.after == {"revision": 2, "change": "tone is graded apart"}


def test_the_button_under_what_is_missing_opens_the_form_on_the_teams_steps(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-09 10:00"))
    lead = desk.workspace.person(OWNER)
    [opens] = [post for post in posts(desk, DESK_CHANNEL) if Action.RUBRIC_RECORD in actions(post)]
    lead.clicks(opens, "Record a rubric result")
    done = lead.submits({"step": "1:draft", "samples": "20", "passes": "19"})
    assert not done.errors
    recorded = shown(lead.form(), SampleRecorded)
    assert (recorded.samples, recorded.passes) == (20, 19)
    agent = desk.workspace.person(MEMBER)
    assert_golden(agent.clicks(opens, "Record a rubric result"), "refused-not-owner:button")
    assert len(rows(desk, RubricResult)) == 1
