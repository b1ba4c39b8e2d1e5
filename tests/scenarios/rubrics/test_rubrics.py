"""Graded samples and rubric revisions, from a command or a form to the step's evidence (SPEC §5, §7)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from storage.tables import AdoptionStep, RubricResult, RubricRevision
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


def types(harness: BotHarness, member: str, command: str) -> str:
    words = says(harness.workspace.person(member), command, channel=DESK_CHANNEL)
    harness.tick()
    return words


def test_a_sample_says_what_is_known_now_and_how_many_more_decide(desk: BotHarness) -> None:
    said = types(desk, OWNER, "/cadence rubric reply draft passes=37 samples=38 last Friday's replies")
    assert "Recorded: 37 of 38 samples passed, 0 risky" in said
    assert "*True pass rate*\nat least 88% (needs 90%)" in said
    assert "*Draft the reply*: 38 of 46 samples. If the next 8 all pass, that's enough to decide." in said
    types(desk, CURATOR, "/cadence rubric reply draft passes=8 samples=8")
    [first, second] = rows(desk, RubricResult)
    assert (first.samples, first.passes, first.risky, first.member) == (38, 37, 0, OWNER)
    assert (first.note, first.revision, second.member) == ("last Friday's replies", 1, CURATOR)
    assert "enough samples to decide" in types(desk, OWNER, "/cadence rubric draft samples=1 passes=1")
    assert [one.member for one in entries(desk, "rubric-result")] == [OWNER, CURATOR, OWNER]


def test_more_samples_are_asked_for_until_few_enough_are_risky(desk: BotHarness) -> None:
    said = types(desk, OWNER, "/cadence rubric reply draft passes=28 samples=29 risky=1")
    assert "*Samples so far*\n28 of 29 passed\n" in said
    assert "29 of 50 samples. If the next 21 all pass and none is risky, that's enough to decide." in said
    assert "If the next 4 all pass" in types(desk, OWNER, "/cadence rubric reply draft passes=17 samples=17")
    assert "enough samples to decide" in types(desk, OWNER, "/cadence rubric reply draft passes=4 samples=4")


def test_the_form_takes_what_was_typed_and_says_on_its_field_what_is_wrong(desk: BotHarness) -> None:
    owner = desk.workspace.person(OWNER)
    owner.types("/cadence rubric draft", channel=DESK_CHANNEL)
    assert "Send the reply (AI-led)" in str(owner.form().blocks)
    refused = owner.submits({"samples": "20", "passes": "21"})
    assert "21 of 20 can't have passed" in refused.errors["passes"]
    refused = owner.submits({"samples": "20", "passes": "19", "risky": "30"})
    assert "30 of 20 can't have been risky" in refused.errors["risky"]
    owner.submits({"samples": "20", "passes": "19", "risky": "1", "note": "two <tricky> ones"})
    [row] = rows(desk, RubricResult)
    assert (row.samples, row.passes, row.risky, row.note) == (20, 19, 1, "two <tricky> ones")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("draft passes=5 samples=4", "5 of 4 can't have passed"),
        ("draft passes=x samples=4", "isn't a number of samples"),
        ("draft passes=4", "How many samples were graded?"),
        ("sned passes=4 samples=4", "Did you mean `send`"),
        ("draft passes=1 samples=0", "1 to 100,000 samples"),
    ],
)
def test_a_mistyped_sample_is_refused_with_what_is_right(desk: BotHarness, typed: str, sentence: str) -> None:
    assert sentence in types(desk, OWNER, f"/cadence rubric reply {typed}")
    assert rows(desk, RubricResult) == []


def test_only_the_owner_or_a_curator_grades_and_revises(desk: BotHarness) -> None:
    for command in ("draft passes=4 samples=4", "draft revise refunds", "", "draft"):
        assert "Only the owner (<@U01LEAD>) or a curator can" in types(
            desk, MEMBER, f"/cadence rubric {command}"
        )
    assert rows(desk, RubricResult) == []
    assert rows(desk, RubricRevision) == []


def test_a_sample_sent_again_counts_once(desk: BotHarness) -> None:
    said = types(desk, OWNER, "/cadence rubric draft passes=4 samples=4")
    [sent] = [one.request for one in desk.workspace.exchanges() if "passes=4" in str(one.request)]
    again = desk.workspace.deliver("slash_commands", sent)
    assert str(again.json["text"]) in said
    assert len(rows(desk, RubricResult)) == 1


def test_a_risky_grade_goes_at_once_to_the_person_the_playbook_names(desk: BotHarness) -> None:
    assert "<@U01CURATOR> has been told about the risky one." in types(
        desk, OWNER, "/cadence rubric draft passes=4 samples=5 risky=1"
    )
    [told] = [one for one in bot_dms(desk, CURATOR) if "risky" in one.text]
    assert told.text == "1 of 5 graded samples was risky: “Draft the reply”"
    assert "*Risky*\n1 of 5 (at most 2%)" in told.words
    types(desk, OWNER, "/cadence rubric draft passes=5 samples=5")
    assert len([one for one in bot_dms(desk, CURATOR) if "risky" in one.text]) == 1


def test_a_revision_starts_the_evidence_again_and_the_demoted_alert_asks_for_it(desk: BotHarness) -> None:
    types(desk, OWNER, "/cadence rubric send passes=20 samples=20")
    types(desk, MEMBER, "/exception reply send critical promised a refund")
    assert "demoted on this rubric. Update the rubric so this step can be promoted again." in types(
        desk, OWNER, "/cadence rubric send passes=2 samples=2"
    )
    [alert] = [one for one in posts(desk, DESK_CHANNEL) if "is now collaborative" in one.text]
    owner = desk.workspace.person(OWNER)
    owner.clicks(alert, "Update the rubric")
    assert "At least 90% of graded results must meet:\n• tone" in owner.form().words
    assert "Updates so far" not in owner.form().words
    owner.submits({"reason": "Refunds name their case."})
    desk.tick()
    [row] = rows(desk, RubricRevision)
    assert (row.step, row.number, row.change, row.member) == ("send", 2, "Refunds name their case.", OWNER)
    [alert] = [one for one in posts(desk, DESK_CHANNEL) if "is now collaborative" in one.text]
    assert "✓ <@U01LEAD> updated the rubric" in alert.words
    assert "Update the rubric" not in alert.buttons
    assert "no runs reported since counters were reset" in types(desk, OWNER, "/cadence status reply")
    step = next(one for one in rows(desk, AdoptionStep) if one.step == "send")
    assert (step.rubric, step.since.isoformat()) == (2, row.revised_at.isoformat())
    said = types(desk, OWNER, "/cadence rubric send passes=3 samples=3")
    assert "*Samples so far*\n3 of 3 passed" in said
    assert "If the next 26 all pass" in said


def test_the_form_shows_the_rubric_with_its_updates(desk: BotHarness) -> None:
    types(desk, OWNER, "/cadence rubric reply send revise Refunds name their case.")
    types(desk, OWNER, "/cadence rubric reply send revise Two sentences at most.")
    desk.workspace.person(OWNER).types("/cadence rubric reply send revise")
    shown = desk.workspace.person(OWNER).form().words
    assert "Updates so far" in shown
    assert shown.index("Two sentences at most.") < shown.index("Refunds name their case.")


def test_revise_by_command_says_that_the_count_starts_again(desk: BotHarness) -> None:
    said = types(desk, OWNER, "/cadence rubric reply draft revise tone is graded apart")
    assert "Rubric updated: “Draft the reply”" in said
    assert "Counters have been reset: only exceptions and samples from now on count." in said
    assert "takes 2 closed cycles and at least 29 samples" in said
    [entry] = entries(desk, "rubric-revised")
    assert entry.after == {"revision": 2, "change": "tone is graded apart"}


def test_the_button_under_what_is_missing_opens_the_form_on_the_teams_steps(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-09 10:00"))
    lead = desk.workspace.person(OWNER)
    [opens] = [post for post in posts(desk, DESK_CHANNEL) if "Record a rubric result" in post.buttons]
    lead.clicks(opens, "Record a rubric result")
    done = lead.submits({"step": "1:draft", "samples": "20", "passes": "19"})
    assert not done.errors
    assert "19 of 20 samples passed" in str(lead.form().blocks)
    agent = desk.workspace.person(MEMBER)
    refused = agent.clicks(opens, "Record a rubric result").words
    assert "Only the owner (<@U01LEAD>) or a curator can record a rubric result." in refused
