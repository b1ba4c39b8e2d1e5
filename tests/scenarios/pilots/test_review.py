"""The review before a pilot: asked by the owner, decided by a curator, needed for the first cycle (SPEC §6)."""

from datetime import date, timedelta
from html import escape
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.messages import Message
from storage.tables import Cycle, PilotReview, PlaybookVersion, ReviewState
from templates.contexts.cycles import CycleStarted
from templates.contexts.history import Trace
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.home import Home, HomeNeed
from templates.contexts.pilots import (
    PilotDecided,
    PilotReviewForm,
    PilotReviewPost,
    PilotShown,
    Rank,
)
from templates.contexts.playbooks import PlaybookShown
from templates.ids import Action
from tests.contexts import actions, assert_golden, contexts, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.pilots.drafts import AGENT, CASE, CURATOR, LEAD, PILLARS, bring_in
from tests.scenarios.plays import CURATORS, DESK, REPLY, at, bot_dms, changed, entries, posts, rows

MONDAY = "2026-03-02"
REMARK = "Who <owns> the exceptions?"


def ask(harness: BotHarness) -> Message:
    """Ask for the review; returns the curators' post."""
    harness.clock.set(max(harness.clock.now(), at("2026-02-27 14:00")))
    said = harness.workspace.person(LEAD).types("/cadence pilot reply ask")
    assert_golden(said, "asked")
    harness.tick()
    return requests(harness)[-1]


def requests(harness: BotHarness) -> list[Message]:
    return [one for one in posts(harness, CURATORS) if is_shown(one, PilotReviewPost)]


def later(harness: BotHarness) -> None:
    harness.clock.set(harness.clock.now() + timedelta(minutes=5))
    harness.tick()


def state(message: Message) -> str:
    """The state of the review, as a curators' post shows it."""
    return shown(message, PilotReviewPost).review.state


def start(harness: BotHarness, by: str = LEAD) -> Answer:
    return harness.workspace.person(by).types(f"/cadence cycle start reply {MONDAY} team=desk")


def starts(harness: BotHarness, by: str = LEAD) -> None:
    """Start the cycle, which must succeed."""
    started = shown(start(harness, by), CycleStarted)
    assert (started.slug, started.starts) == ("reply", date.fromisoformat(MONDAY))


def test_a_draft_is_asked_for_approved_and_started(harness: BotHarness) -> None:
    lead, curator = harness.workspace.person(LEAD), harness.workspace.person(CURATOR)
    assert_golden(start(harness), "refused-without-review")
    case = shown(lead.types("/cadence pilot"), PilotShown).case
    assert (case.points, case.rank) == (80, Rank(place=1, of=1))
    assert_golden(case.frequency, "frequency-of-5")
    post = ask(harness)
    answers = [one.answer for one in shown(post, PilotReviewPost).case.pillars]
    assert len(answers) == 5
    assert all(answer and answer in PILLARS for answer in answers)
    assert_golden(start(harness), "refused-in-review")
    curator.clicks(post, "Approve")
    later(harness)
    assert state(requests(harness)[-1]) == ReviewState.APPROVED
    assert actions(requests(harness)[-1]) == []
    [told] = contexts(bot_dms(harness, LEAD), PilotDecided)
    assert (told.title, told.review.state) == ("Reply", ReviewState.APPROVED)
    starts(harness)
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
    assert actions(post) == [Action.APPROVE_PILOT, Action.SEND_BACK_PILOT]
    curator.types("/cadence playbook retire reply we buy a tool for it")
    later(harness)
    closed = requests(harness)[-1]
    review = shown(closed, PilotReviewPost)
    assert (review.title, review.lapsed, review.retired_by) == ("Reply", True, CURATOR)
    assert actions(closed) == []
    assert [row.state for row in rows(harness, PilotReview)] == [ReviewState.ASKED]


def test_sent_back_with_a_remark_edited_and_asked_again(harness: BotHarness) -> None:
    lead, curator = harness.workspace.person(LEAD), harness.workspace.person(CURATOR)
    post = ask(harness)
    curator.clicks(post, "Send back")
    assert_golden(curator.submits({"remark": "  "}).errors["remark"], "remark-needed")
    curator.submits({"remark": REMARK})
    later(harness)
    (dm,) = [one for one in bot_dms(harness, LEAD) if is_shown(one, PilotDecided)]
    review = shown(dm, PilotDecided).review
    assert (review.state, review.remark) == (ReviewState.SENT_BACK, REMARK)
    assert escape(REMARK) in dm.words
    assert_golden(start(harness), "refused-sent-back")
    lead.clicks(dm, "Ask again")
    later(harness)
    first, second = requests(harness)
    assert (state(first), state(second)) == (ReviewState.SENT_BACK, ReviewState.ASKED)
    curator.clicks(second, "Approve")
    assert [row.state for row in rows(harness, PilotReview)] == [ReviewState.SENT_BACK, ReviewState.APPROVED]


def test_a_second_click_shows_the_decision(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    post = ask(harness)
    curator.clicks(post, "Approve")
    for again in (
        curator.clicks(post, "Approve"),
        curator.clicks(post, "Send back"),
        curator.types("/cadence pilot reply back not clear"),
    ):
        assert_golden(again, "decided-before")
    assert [row.state for row in rows(harness, PilotReview)] == [ReviewState.APPROVED]
    assert len(rows(harness, PilotReview)) == 1


def test_only_curators_decide(harness: BotHarness) -> None:
    ask(harness)
    for member in (LEAD, AGENT):
        person = harness.workspace.person(member)
        assert_golden(person.types("/cadence pilot reply approve"), "refused-approving")
        for command in ("/cadence pilot reply back", "/cadence pilot reply back why"):
            assert_golden(person.types(command), "refused-sending-back")
    assert_golden(harness.workspace.person(AGENT).types("/cadence pilot reply ask"), "refused-asking")
    assert [row.state for row in rows(harness, PilotReview)] == [ReviewState.ASKED]


def test_an_edit_while_it_is_asked_is_what_the_curator_judges(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    post = ask(harness)
    bring_in(harness, CASE.replace("frequency: 5", "frequency: 3") + PILLARS)
    assert_golden(curator.clicks(post, "Approve"), "refused-changed-meanwhile")
    assert [row.state for row in rows(harness, PilotReview)] == [ReviewState.ASKED]
    later(harness)
    (now,) = requests(harness)
    case = shown(now, PilotReviewPost).case
    assert case.points == 3 * 4 * 4
    assert_golden(case.frequency, "frequency-of-3")
    curator.clicks(now, "Approve")
    (review,), newest = rows(harness, PilotReview), rows(harness, PlaybookVersion)[-1]
    assert (review.state, review.version_id) == (ReviewState.APPROVED, newest.id)


def test_an_edit_after_the_approval_leaves_it(harness: BotHarness) -> None:
    harness.workspace.person(CURATOR).types("/cadence pilot reply approve")
    bring_in(harness, CASE.replace("frequency: 5", "frequency: 3") + PILLARS)
    starts(harness)


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        (PILLARS, "case"),
        (CASE + PILLARS.replace("  output_trust: sources", "  #"), "output-trust"),
        (PILLARS + "case: {frequency: 2, structure: 3}\n", "friction"),
    ],
)
def test_empty_answers_are_refused_by_name(tmp_path: Path, more: str, missing: str) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[]) as harness:
        bring_in(harness, more)
        for member in (LEAD, CURATOR):
            person = harness.workspace.person(member)
            refused = person.types("/cadence pilot reply ask")
            assert_golden(refused, f"refused-missing:{missing}")
            assert actions(refused) == [Action.EDIT_PLAYBOOK]
            assert_golden(start(harness, by=member), f"refused-missing:{missing}")
        approved = harness.workspace.person(CURATOR).types("/cadence pilot reply approve")
        assert_golden(approved, f"refused-missing:{missing}")
        assert rows(harness, PilotReview) == []


def test_a_curator_who_starts_it_reviews_it_first(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    refused = curator.types(f"/cadence cycle start reply {MONDAY} team=desk")
    assert actions(refused) == [Action.REVIEW_PILOT]
    curator.types("/cadence cycle start")
    asked = curator.submits({"playbook": "reply", "team": "desk", "date": MONDAY})
    assert shown(asked, PilotReviewForm).heading == "Reply"
    assert_golden(curator.submits({"decision": "back"}).errors["remark"], "remark-needed")
    assert_golden(curator.submits({"decision": "approve"}), "approved")
    curator.closes()
    starts(harness, by=CURATOR)


def test_a_file_imported_on_the_command_line_is_approved(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        (review,) = rows(harness, PilotReview)
        assert (review.state, review.surface) == (ReviewState.APPROVED, "cli")
        told = shown(harness.workspace.person(LEAD).types("/cadence pilot reply"), PilotShown).review
        assert told is not None
        assert (told.state, told.asked_by, told.decided_by) == (ReviewState.APPROVED, None, None)
        starts(harness)
        assert len(rows(harness, Cycle)) == 1


def test_every_curator_gets_a_dm_where_there_is_no_channel(tmp_path: Path) -> None:
    alone = changed(DESK, tmp_path, ("  curator_channel: C01CURATORS\n", ""))
    with bot_harness(tmp_path, workspace=alone, playbooks=[]) as harness:
        bring_in(harness)
        harness.workspace.person(LEAD).types("/cadence pilot reply ask")
        harness.tick()
        [asked] = contexts(bot_dms(harness, CURATOR), PilotReviewPost)
        assert (asked.title, asked.review.state) == ("Reply", ReviewState.ASKED)


def test_commands_that_make_no_sense_say_what_does(harness: BotHarness) -> None:
    lead = harness.workspace.person(LEAD)
    assert_golden(lead.types("/cadence pilot replly"), "refused-no-such-playbook")
    assert_golden(lead.types("/cadence pilot reply aprove"), "refused-no-such-verb")
    assert shown(lead.types("/cadence pilot"), PilotShown).slug == "reply"
    assert_golden(lead.types("/cadence pilot reply ask now"), "refused-word-too-many")


def needs(harness: BotHarness, member: str, action: Action) -> list[HomeNeed]:
    """What a Home says needs its reader and is done with this action."""
    items = shown(harness.workspace.person(member).opens_home(), Home).items
    found = [one.need for one in items if one.need is not None]
    return [one for one in found if action in {offer.action for offer in one.offers}]


def test_home_and_digest_say_whose_turn_it_is(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    assert not needs(harness, CURATOR, Action.REVIEW_PILOT)
    ask(harness)
    [review] = needs(harness, CURATOR, Action.REVIEW_PILOT)
    assert review.offers[0].value == "reply"
    assert not needs(harness, LEAD, Action.REVIEW_PILOT)
    [decision] = shown(curator.types("/cadence digest"), Digest).decisions
    assert decision.offer is not None
    assert (decision.offer.action, decision.offer.value) == (Action.REVIEW_PILOT, "reply")
    assert (decision.title, decision.text) == (review.title, review.text)
    curator.types(f"/cadence pilot reply back {REMARK}")
    assert not needs(harness, CURATOR, Action.REVIEW_PILOT)
    [back] = needs(harness, LEAD, Action.ASK_REVIEW)
    assert_golden(f"{back.title}\n{back.text}", "home-sent-back")
    assert shown(curator.types("/cadence digest"), Digest).decisions == ()
    curator.types("/cadence pilot reply approve")
    assert not needs(harness, LEAD, Action.ASK_REVIEW)


def test_the_trail_tells_who_decided_and_why(harness: BotHarness) -> None:
    ask(harness)
    harness.workspace.person(CURATOR).types(f"/cadence pilot reply back {REMARK}")
    back, asked, _ = shown(harness.workspace.person(LEAD).types("/cadence trace"), Trace).rows
    assert (back.member, asked.member) == (CURATOR, LEAD)
    assert escape(REMARK) in back.became
    assert_golden(f"{back.what}\n{asked.what}", "trace")


def test_a_draft_without_a_review_leads_to_its_case(harness: BotHarness) -> None:
    lead = harness.workspace.person(LEAD)
    playbook = lead.types("/cadence playbook show reply")
    assert playbook.message is not None
    assert shown(lead.clicks(playbook.message, "Plan the pilot"), PilotShown).slug == "reply"
    members = harness.workspace.person(AGENT).types("/cadence playbook show reply")
    assert is_shown(members, PlaybookShown)
    assert Action.SHOW_PILOT not in actions(members)


def test_an_owner_of_several_drafts_chooses_one(harness: BotHarness) -> None:
    bring_in(harness, slug="refund", title="Refund")
    lead = harness.workspace.person(LEAD)
    lead.types("/cadence pilot")
    assert shown(lead.submits({"playbook": "refund"}), PilotShown).slug == "refund"
