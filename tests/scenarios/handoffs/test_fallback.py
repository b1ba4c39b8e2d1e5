"""While a handoff is failed, its receiving step runs in the contract's fallback mode, if the contract says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from cadence.rules.modes import Mode
from storage.tables import AdoptionStep, Handoff
from templates.contexts.answers import Done
from templates.contexts.handoffs import HandoffAnswered, HandoffFallback, Switched
from templates.contexts.overview.statuses import Why
from templates.ids import Action
from tests.contexts import actions, assert_golden, contexts, is_shown, shown
from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.plays import InCycle, bot_dms, changed, entries, posts, rows

OWNER, MEMBER, CURATOR, THEIR_LEAD = "U01LEAD", "U01AGENT1", "U01CURATOR", "U08LEAD"
BILLING, EMEA, CURATORS = "C08BILLING", "C01SUPEMEA", "C01CURATORS"
REASON = "two cases carry that number"
MANUAL, AUTOMATIC = (
    "fallback: human-led}\ncase",
    "fallback: human-led, step: send, automatic: true}\ncase",
)


@contextmanager
def running(folder: Path) -> Iterator[BotHarness]:
    file = changed(EXAMPLES / "support-reply.yaml", folder, (MANUAL, AUTOMATIC))
    with bot_harness(
        folder,
        playbooks=[file],
        played=InCycle("2026-03-03 10:00", playbook="support-reply", team="support-emea"),
    ) as ready:
        yield ready


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[BotHarness]:
    """Support EMEA on the Tuesday of week 1, under a contract whose fallback is automatic."""
    with running(tmp_path) as ready:
        yield ready


def hand_over(harness: BotHarness, case: str) -> None:
    said = harness.workspace.person(MEMBER).types(
        f"/cadence handoff support-reply send billing refund for case {case}", channel=EMEA
    )
    assert is_shown(said, Done), said.words
    assert rows(harness, Handoff)[-1].what == f"refund for case {case}"
    harness.tick()


def send_back(harness: BotHarness, number: int) -> None:
    lead = harness.workspace.person(THEIR_LEAD)
    lead.types(f"/cadence handoff fail #{number} {REASON}", channel=BILLING)
    harness.tick()


def mode(harness: BotHarness, step: str = "send") -> Mode:
    return next(row.mode for row in rows(harness, AdoptionStep) if row.step == step)


def test_a_failed_handoff_switches_the_step_and_an_accepted_one_switches_it_back(harness: BotHarness) -> None:
    hand_over(harness, "4711")
    send_back(harness, 1)
    assert mode(harness) is Mode.HUMAN_LED
    assert mode(harness, "draft") is Mode.COLLABORATIVE
    for channel in (EMEA, CURATORS):
        post = posts(harness, channel)[-1]
        fallback = shown(post, HandoffFallback)
        assert (fallback.step, fallback.after, fallback.held, fallback.ended) == (
            "Send the edited reply", "human-led", True, False
        )  # fmt: skip
        assert fallback.reason == REASON
        assert REASON in post.words
        assert actions(post) == [Action.SEND_HANDOFF, Action.SETTLE_HANDOFF]
    told = bot_dms(harness, OWNER)[-1]
    assert actions(told) == [Action.SEND_HANDOFF, Action.SETTLE_HANDOFF]
    assert_golden(told, "sent-back-to-the-owner")
    switched = shown(told, HandoffAnswered).switched
    assert switched == Switched(step="Send the edited reply", after="human-led", before="ai-led")

    hand_over(harness, "4712")
    harness.workspace.person(THEIR_LEAD).types("/cadence handoff accept #2", channel=BILLING)
    harness.tick()
    assert mode(harness) is Mode.AI_LED
    earlier, newest = contexts(posts(harness, EMEA), HandoffFallback)
    assert shown(posts(harness, EMEA)[-1], HandoffFallback) == newest
    assert (newest.step, newest.after, newest.ended) == ("Send the edited reply", "ai-led", True)
    assert (earlier.step, earlier.after, earlier.held, earlier.ended) == (
        "Send the edited reply", "human-led", False, False
    )  # fmt: skip
    assert [one.fallback_id for one in rows(harness, Handoff)] == [None, None]
    assert len(entries(harness, "fallback")) == len(entries(harness, "fallback-ended")) == 1
    traced = harness.workspace.person(CURATOR).types("/cadence trace support-reply send")
    assert_golden(traced, "trace-of-a-fallback")


def test_two_failed_handoffs_switch_a_step_once(harness: BotHarness) -> None:
    for number, case in enumerate(("4711", "4712"), 1):
        hand_over(harness, case)
        send_back(harness, number)
    assert len(entries(harness, "fallback")) == 1
    hand_over(harness, "4713")
    harness.workspace.person(THEIR_LEAD).types("/cadence handoff accept #3", channel=BILLING)
    assert mode(harness) is Mode.AI_LED
    assert [one.fallback_id for one in rows(harness, Handoff)] == [None] * 3


def test_only_the_owner_or_a_curator_says_that_handoffs_work_again(harness: BotHarness) -> None:
    hand_over(harness, "4711")
    send_back(harness, 1)
    refused = harness.workspace.person(MEMBER).clicks(posts(harness, EMEA)[-1], "Handoffs work again")
    assert_golden(refused, "settle-not-owner")
    assert mode(harness) is Mode.HUMAN_LED
    owner = harness.workspace.person(OWNER)
    said = owner.types("/cadence handoff settle")
    assert_golden(said, "settled")
    assert mode(harness) is Mode.AI_LED
    assert_golden(owner.types("/cadence handoff settle #1"), "settled-before")
    assert len(entries(harness, "fallback-ended")) == 1
    harness.tick()
    post = shown(posts(harness, EMEA)[-1], HandoffFallback)
    assert (post.member, post.to, post.ended) == (OWNER, "Billing", True)


def test_a_mode_that_was_changed_since_stays(harness: BotHarness) -> None:
    hand_over(harness, "4711")
    send_back(harness, 1)
    harness.workspace.person(OWNER).types(
        "/cadence mode support-reply send collaborative we edit every reply"
    )
    hand_over(harness, "4712")
    harness.workspace.person(THEIR_LEAD).types("/cadence handoff accept #2", channel=BILLING)
    assert mode(harness) is Mode.COLLABORATIVE
    assert entries(harness, "fallback-ended") == []


def test_a_verdict_after_a_fallback_can_be_judged_again(harness: BotHarness) -> None:
    hand_over(harness, "4711")
    harness.workspace.person(MEMBER).types("/exception support-reply send wrong price", channel=EMEA)
    send_back(harness, 1)
    harness.workspace.person(MEMBER).types("/exception support-reply send wrong tone", channel=EMEA)
    why = shown(harness.workspace.person(OWNER).types("/cadence why support-reply send", channel=EMEA), Why)
    assert why.mode == "human-led"
