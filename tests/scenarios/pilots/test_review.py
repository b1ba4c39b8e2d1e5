"""The review before a pilot: asked by the owner, decided by a curator, needed for the first cycle (SPEC §6)."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from storage.tables import Cycle, PilotReview, PlaybookVersion, ReviewState
from tests.harnesses import bot_harness
from tests.scenarios.pilots.drafts import AGENT, CASE, CURATOR, LEAD, PILLARS, bring_in
from tests.scenarios.plays import CURATORS, DESK, REPLY, at, bot_dms, changed, entries, posts, rows

MONDAY = "2026-03-02"


def ask(harness: BotHarness) -> Message:
    """Ask for the review; returns the curators' post."""
    harness.clock.set(max(harness.clock.now(), at("2026-02-27 14:00")))
    said = harness.workspace.person(LEAD).types("/cadence pilot reply ask")
    assert "with the curators for review" in said.words
    harness.tick()
    return requests(harness)[-1]


def requests(harness: BotHarness) -> list[Message]:
    words = ("Review a pilot", "Approved for its pilot", "Sent back", "Review closed")
    return [one for one in posts(harness, CURATORS) if any(word in one.text for word in words)]


def later(harness: BotHarness) -> None:
    harness.clock.set(harness.clock.now() + timedelta(minutes=5))
    harness.tick()


def start(harness: BotHarness, by: str = LEAD) -> str:
    return harness.workspace.person(by).types(f"/cadence cycle start reply {MONDAY} team=desk").words


def test_a_draft_is_asked_for_approved_and_started(harness: BotHarness) -> None:
    lead, curator = harness.workspace.person(LEAD), harness.workspace.person(CURATOR)
    assert "A curator reviews Reply before its first cycle" in start(harness)
    shown = lead.types("/cadence pilot")
    assert "5 · all day" in shown.words
    assert "1 of 1 draft · 80 of 125" in shown.words
    post = ask(harness)
    assert "When a run counts" in post.words
    assert "waiting for a curator's review" in start(harness)
    curator.clicks(post, "Approve")
    later(harness)
    assert "Approved for its pilot: Reply" in requests(harness)[-1].text
    assert "Send back" not in requests(harness)[-1].words
    assert any("Approved for its pilot: Reply" in one.text for one in bot_dms(harness, LEAD))
    assert "Reply starts Mon 2 Mar" in start(harness)
    assert [row.state for row in rows(harness, PilotReview)] == [ReviewState.APPROVED]
    assert [
        one.action for one in (*entries(harness, "pilot-asked"), *entries(harness, "pilot-approved"))
    ] == [
        "pilot-asked",
        "pilot-approved",
    ]


def test_retiring_a_draft_in_review_closes_the_request(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    post = ask(harness)
    assert post.buttons == ["Approve", "Send back"]
    curator.types("/cadence playbook retire reply we buy a tool for it")
    later(harness)
    closed = requests(harness)[-1]
    assert closed.text == "⚪ Review closed: Reply"
    assert f"Retired by <@{CURATOR}>: there's nothing to decide anymore." in closed.words
    assert closed.buttons == []
    assert [row.state for row in rows(harness, PilotReview)] == [ReviewState.ASKED]


def test_sent_back_with_a_remark_edited_and_asked_again(harness: BotHarness) -> None:
    lead, curator = harness.workspace.person(LEAD), harness.workspace.person(CURATOR)
    post = ask(harness)
    curator.clicks(post, "Send back")
    assert "Say what's missing" in curator.submits({"remark": "  "}).errors["remark"]
    curator.submits({"remark": "Who <owns> the exceptions?"})
    later(harness)
    (dm,) = [one for one in bot_dms(harness, LEAD) if "Sent back: Reply" in one.text]
    assert "Who &lt;owns&gt; the exceptions?" in dm.words
    assert "sent Reply back" in start(harness)
    lead.clicks(dm, "Ask again")
    later(harness)
    first, second = requests(harness)
    assert "Sent back: Reply" in first.text
    assert "Review a pilot: Reply" in second.text
    curator.clicks(second, "Approve")
    assert [row.state for row in rows(harness, PilotReview)] == [ReviewState.SENT_BACK, ReviewState.APPROVED]


def test_a_second_click_shows_the_decision(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    post = ask(harness)
    curator.clicks(post, "Approve")
    again = curator.clicks(post, "Approve")
    assert "approved Reply on" in again.words
    assert "approved Reply on" in curator.clicks(post, "Send back").words
    assert "Nothing changed" in curator.types("/cadence pilot reply back not clear").words
    assert len(rows(harness, PilotReview)) == 1


def test_only_curators_decide(harness: BotHarness) -> None:
    ask(harness)
    for member in (LEAD, AGENT):
        person = harness.workspace.person(member)
        assert "Only a curator can approve a pilot" in person.types("/cadence pilot reply approve").words
        assert "Only a curator can send a draft back" in person.types("/cadence pilot reply back").words
        assert "Only a curator" in person.types("/cadence pilot reply back why").words
    assert "Only the owner" in harness.workspace.person(AGENT).types("/cadence pilot reply ask").words
    assert [row.state for row in rows(harness, PilotReview)] == [ReviewState.ASKED]


def test_an_edit_while_it_is_asked_is_what_the_curator_judges(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    post = ask(harness)
    bring_in(harness, CASE.replace("frequency: 5", "frequency: 3") + PILLARS)
    assert "changed since you opened this" in curator.clicks(post, "Approve").words
    later(harness)
    (now,) = requests(harness)
    assert "3 · every week" in now.words
    curator.clicks(now, "Approve")
    (review,), newest = rows(harness, PilotReview), rows(harness, PlaybookVersion)[-1]
    assert (review.state, review.version_id) == (ReviewState.APPROVED, newest.id)


def test_an_edit_after_the_approval_leaves_it(harness: BotHarness) -> None:
    harness.workspace.person(CURATOR).types("/cadence pilot reply approve")
    bring_in(harness, CASE.replace("frequency: 5", "frequency: 3") + PILLARS)
    assert "Reply starts Mon 2 Mar" in start(harness)


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        (PILLARS, "frequency (case), friction (case), structure (case)"),
        (CASE + PILLARS.replace("  output_trust: sources", "  #"), "output trust"),
        (PILLARS + "case: {frequency: 2, structure: 3}\n", "friction (case)"),
    ],
)
def test_empty_answers_are_refused_by_name(tmp_path: Path, more: str, missing: str) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[]) as harness:
        bring_in(harness, more)
        for member in (LEAD, CURATOR):
            person = harness.workspace.person(member)
            refused = person.types("/cadence pilot reply ask")
            assert f"Reply is missing: {missing}." in refused.words
            assert refused.words.endswith("Edit the playbook")
            assert f"Reply is missing: {missing}." in start(harness, by=member)
        assert "is missing" in harness.workspace.person(CURATOR).types("/cadence pilot reply approve").words
        assert rows(harness, PilotReview) == []


def test_a_curator_who_starts_it_reviews_it_first(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    refused = curator.types(f"/cadence cycle start reply {MONDAY} team=desk")
    assert refused.message is not None
    assert refused.words.endswith("Review it")
    curator.types("/cadence cycle start")
    asked = curator.submits({"playbook": "reply", "team": "desk", "date": MONDAY})
    assert asked.view is not None
    assert "Review a pilot" in asked.view.title
    assert "Say what's missing" in curator.submits({"decision": "back"}).errors["remark"]
    done = curator.submits({"decision": "approve"})
    assert done.view is not None
    assert "approved for its pilot" in done.view.words
    curator.closes()
    assert "Reply starts Mon 2 Mar" in start(harness, by=CURATOR)


def test_a_file_imported_on_the_command_line_is_approved(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        (review,) = rows(harness, PilotReview)
        assert (review.state, review.surface) == (ReviewState.APPROVED, "cli")
        assert (
            "*Approved* with its import" in harness.workspace.person(LEAD).types("/cadence pilot reply").words
        )
        assert "Reply starts Mon 2 Mar" in start(harness)
        assert len(rows(harness, Cycle)) == 1


def test_every_curator_gets_a_dm_where_there_is_no_channel(tmp_path: Path) -> None:
    alone = changed(DESK, tmp_path, ("  curator_channel: C01CURATORS\n", ""))
    with bot_harness(tmp_path, workspace=alone, playbooks=[]) as harness:
        bring_in(harness)
        harness.workspace.person(LEAD).types("/cadence pilot reply ask")
        harness.tick()
        assert any("Review a pilot: Reply" in one.text for one in bot_dms(harness, CURATOR))


def test_commands_that_make_no_sense_say_what_does(harness: BotHarness) -> None:
    lead = harness.workspace.person(LEAD)
    assert "There's no playbook `replly`" in lead.types("/cadence pilot replly").words
    assert "Try `approve`" in lead.types("/cadence pilot reply aprove").words
    assert "There are no drafts" not in lead.types("/cadence pilot").words
    assert "Try" in lead.types("/cadence pilot reply ask now").words


def home(harness: BotHarness, member: str) -> str:
    return harness.workspace.person(member).opens_home().words


def test_home_and_digest_say_whose_turn_it_is(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    assert "Review Reply" not in home(harness, CURATOR)
    ask(harness)
    assert "Review Reply" in home(harness, CURATOR)
    assert "Review Reply" not in home(harness, LEAD)
    assert "Review Reply" in curator.types("/cadence digest").words
    curator.types("/cadence pilot reply back Who owns the exceptions?")
    assert "Review Reply" not in home(harness, CURATOR)
    assert "Sent back: Reply" in home(harness, LEAD)
    assert "“Who owns the exceptions?”" in home(harness, LEAD)
    assert "Review Reply" not in curator.types("/cadence digest").words
    curator.types("/cadence pilot reply approve")
    assert "Sent back" not in home(harness, LEAD)


def test_the_trail_tells_who_decided_and_why(harness: BotHarness) -> None:
    ask(harness)
    harness.workspace.person(CURATOR).types("/cadence pilot reply back Who owns the exceptions?")
    said = harness.workspace.person(LEAD).types("/cadence trace").words
    assert "asked for a review of the draft" in said
    assert "sent the draft back" in said
    assert "“Who owns the exceptions?”" in said


def test_a_draft_without_a_review_leads_to_its_case(harness: BotHarness) -> None:
    lead = harness.workspace.person(LEAD)
    shown = lead.types("/cadence playbook show reply")
    assert shown.message is not None
    assert "Before the pilot: Reply" in lead.clicks(shown.message, "Plan the pilot").words
    members = harness.workspace.person(AGENT).types("/cadence playbook show reply")
    assert "Plan the pilot" not in members.words


def test_an_owner_of_several_drafts_chooses_one(harness: BotHarness) -> None:
    bring_in(harness, slug="refund", title="Refund")
    lead = harness.workspace.person(LEAD)
    lead.types("/cadence pilot")
    done = lead.submits({"playbook": "refund"})
    assert done.view is not None
    assert "Before the pilot: Refund" in done.view.words
