"""A step is evaluated for promotion when a cycle closes; only a person promotes (SPEC §5, §8)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from cadence.flows.promotions.proposing import judge_again
from cadence.rules.modes import Mode
from cadence.rules.promotions import PromotionDecision
from storage.tables import AdoptionStep, ModeChange, Promotion, PromotionState
from tests.harnesses import Play, bot_harness, in_turn
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    REPLY,
    SOLO_CHANNEL,
    InCycle,
    at,
    bot_dms,
    changed,
    entries,
    posts,
    rows,
    says,
)

OWNER, MEMBER, CURATOR = "U01LEAD", "U01AGENT2", "U01CURATOR"
MONDAY = date(2026, 3, 2)
QUICK = "promote: {cycles: 1}"
"""One cycle decides, so that a test needn't play two."""


def types(harness: BotHarness, member: str, command: str) -> str:
    channel = SOLO_CHANNEL if member == MEMBER else None
    words = says(harness.workspace.person(member), command, channel=channel)
    harness.tick()
    return words


def play_cycle(harness: BotHarness, number: int, *, passes: int, samples: int, step: str = "draft") -> None:
    """Play four weeks in which all is well and the KPI met, and the close."""
    for week in range(4):
        thursday = MONDAY + timedelta(weeks=4 * (number - 1) + week, days=3)
        harness.play_until(at(f"{thursday} 12:00"))
        types(harness, MEMBER, "/attest reply as-declared runs=20")
        types(harness, MEMBER, "/kpi reply 14m")
    types(harness, OWNER, f"/cadence rubric reply {step} passes={passes} samples={samples}")
    friday = MONDAY + timedelta(weeks=4 * number - 1, days=4)
    harness.play_until(at(f"{friday} 16:00"))


@contextmanager
def solo(folder: Path, *replacements: tuple[str, str], then: Play | None = None) -> Iterator[BotHarness]:
    """The first cycle of a team of one, and what happened then."""
    playbook = changed(REPLY, folder, ("pilot: desk", "pilot: solo"), *replacements)
    begun = InCycle(team="solo")
    played = in_turn(begun, then) if then else begun
    with bot_harness(folder, workspace=DESK, playbooks=[playbook], played=played) as harness:
        yield harness


def a_proposal(harness: BotHarness) -> None:
    """A first cycle of 29 passes in 29 samples, until it closed."""
    play_cycle(harness, 1, passes=29, samples=29)


DRAFT = "mode: collaborative, fallback: human-led, exception_cap: 0.10"
TO_AI = (DRAFT, f"{DRAFT}, {QUICK}")
TO_COLLABORATIVE = (DRAFT, f"mode: human-led, exception_cap: 0.10, {QUICK}")


def promotion(harness: BotHarness) -> Promotion:
    return rows(harness, Promotion)[-1]


def proposals(harness: BotHarness) -> tuple[Message, Message]:
    """The proposal in the owner's DM and in the curators' channel."""
    in_dm = [one for one in bot_dms(harness, OWNER) if "Draft the reply" in one.text and "→" in one.text]
    for_curators = [
        one for one in posts(harness, CURATORS) if "Draft the reply" in one.text and "→" in one.text
    ]
    return in_dm[-1], for_curators[-1]


def mode(harness: BotHarness) -> Mode:
    return next(row.mode for row in rows(harness, AdoptionStep) if row.step == "draft")


def test_two_cycles_that_show_it_propose_and_a_curator_promotes(tmp_path: Path) -> None:
    with solo(tmp_path) as harness:
        play_cycle(harness, 1, passes=30, samples=30)
        first = promotion(harness)
        assert (first.state, first.samples) == (PromotionState.INSUFFICIENT, 30)
        [closing] = [one for one in posts(harness, SOLO_CHANNEL) if "cycle 1" in one.text]
        assert "“Draft the reply” stays collaborative: 1 of 2 closed cycles in this mode." in closing.words

        play_cycle(harness, 2, passes=30, samples=31)
        row = promotion(harness)
        assert (row.state, row.samples, row.passes, row.leads_to) == (
            PromotionState.OPEN,
            61,
            60,
            Mode.AI_LED,
        )
        mine, theirs = proposals(harness)
        assert mine.words == theirs.words.replace("Approve\n", "")
        assert (mine.buttons, theirs.buttons) == (["Decline", "Why"], ["Approve", "Decline", "Why"])
        assert "60 of 61 passed\n*True pass rate*\nat least 92% (needs 90%)" in mine.words
        assert "*Exceptions*\n0 in 160 runs (cap 10%)\n*Check-ins*\n8 of 8" in mine.words
        assert "*KPI*\nmet in 2 of 2 cycles" in mine.words
        assert mode(harness) is Mode.COLLABORATIVE

        curator = harness.workspace.person(CURATOR)
        answer = curator.clicks(theirs, "Approve")
        assert "is now AI-led" in answer.words
        assert answer.message is not None
        assert answer.message.buttons == ["Change back"]
        harness.tick()
        assert mode(harness) is Mode.AI_LED
        for message in proposals(harness):
            assert message.text == "Promoted: “Draft the reply” → AI-led"
            assert "Approved by <@U01CURATOR>, Fri 24 Apr" in message.words
        for channel in (SOLO_CHANNEL, CURATORS):
            [closing] = [one for one in posts(harness, channel) if "cycle 2:" in one.text]
            assert "“Draft the reply” was promoted to AI-led." in closing.words
            [told] = [one for one in posts(harness, channel) if "is now AI-led" in one.text]
            assert "approved by <@U01CURATOR>" in told.words
        [change] = [one for one in rows(harness, ModeChange) if one.kind == "promotion"]
        assert (change.promotion_id, change.member) == (row.id, CURATOR)
        owner = harness.workspace.person(OWNER)
        why = owner.types("/cadence why reply draft").message
        assert why is not None
        assert "60 of 61 samples passed; true pass rate at least 92% (needs 90%)" in why.words
        owner.clicks(why, "Show the math")
        looked = owner.form().words
        assert "Cycle 1: 30 of 30 samples passed · 0 risky" in looked
        assert "Cycle 2: 30 of 31 samples passed · 0 risky" in looked
        for judged in rows(harness, Promotion):
            again = judge_again(judged)
            assert (again.bound, again.needed, again.more) == (judged.bound, judged.needed, judged.more)
            assert [one.condition for one in again.unmet] == [
                one["condition"] for one in judged.evidence["unmet"]
            ]


def test_an_owner_promotes_to_collaborative_and_a_second_click_changes_nothing(tmp_path: Path) -> None:
    with solo(tmp_path, TO_COLLABORATIVE) as harness:
        play_cycle(harness, 1, passes=29, samples=29)
        mine, theirs = proposals(harness)
        owner = harness.workspace.person(OWNER)
        owner.clicks(mine, "Approve")
        again = harness.workspace.person(CURATOR).clicks(theirs, "Approve")
        assert "<@U01LEAD> approved this on Fri 27 Mar. Nothing changed" in again.words
        harness.workspace.person(CURATOR).clicks(theirs, "Decline")
        harness.tick()
        assert mode(harness) is Mode.COLLABORATIVE
        assert len([one for one in rows(harness, ModeChange) if one.kind == "promotion"]) == 1
        assert len([one for one in posts(harness, SOLO_CHANNEL) if "is now collaborative" in one.text]) == 1


def test_a_declined_promotion_keeps_the_mode_and_says_why(tmp_path: Path) -> None:
    with solo(tmp_path, TO_AI, then=a_proposal) as harness:
        mine, _ = proposals(harness)
        owner = harness.workspace.person(OWNER)
        owner.clicks(mine, "Decline")
        assert "Add a sentence on why not" in owner.submits({"reason": " "}).errors["reason"]
        owner.submits({"reason": "Not before <the> audit."})
        harness.tick()
        assert mode(harness) is Mode.COLLABORATIVE
        assert promotion(harness).state is PromotionState.DECLINED
        for message in proposals(harness):
            assert message.text.startswith("Declined: “Draft the reply”")
            assert "&gt; Not before &lt;the&gt; audit." in message.words
        [told] = [one for one in posts(harness, CURATORS) if one.text.startswith("Promotion declined")]
        assert "<@U01LEAD> declined collaborative → AI-led.\n&gt; Not before &lt;the&gt; audit." in told.words
        [entry] = entries(harness, "promotion-declined")
        assert entry.member == OWNER


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("/cadence rubric reply draft revise tone is graded apart", "the rubric was revised"),
        ("/exception reply draft critical sent it to the wrong person", "mode was changed to human-led"),
    ],
)
def test_a_proposal_that_no_longer_fits_lapses(tmp_path: Path, command: str, why: str) -> None:
    with solo(tmp_path, TO_AI, then=a_proposal) as harness:
        _, before = proposals(harness)
        harness.play_until(at("2026-03-31 12:00"))
        types(harness, OWNER, command)
        for message in proposals(harness):
            assert message.text.startswith("Expired: “Draft the reply”")
            assert why in message.words
        refused = harness.workspace.person(CURATOR).clicks(before, "Why")
        assert "lapsed" in refused.words
        assert promotion(harness).state is PromotionState.LAPSED
        assert not [one for one in rows(harness, ModeChange) if one.kind == "promotion"]


def test_a_proposal_lapses_when_a_corrected_number_takes_its_kpi_away(tmp_path: Path) -> None:
    with solo(tmp_path, TO_AI, then=a_proposal) as harness:
        _, before = proposals(harness)
        harness.play_until(at("2026-03-28 12:00"))
        types(harness, MEMBER, "/kpi reply 40m week=1")
        types(harness, MEMBER, "/kpi reply 40m week=2")
        for message in proposals(harness):
            assert message.text.startswith("Expired: “Draft the reply”")
            assert "a corrected number made cycle 1 not met" in message.words
        assert "lapsed" in harness.workspace.person(CURATOR).clicks(before, "Why").words
        assert mode(harness) is Mode.COLLABORATIVE


def test_a_newer_cycle_takes_the_place_of_an_undecided_proposal(tmp_path: Path) -> None:
    with solo(tmp_path, TO_AI, then=a_proposal) as harness:
        play_cycle(harness, 2, passes=25, samples=30)
        first, second = rows(harness, Promotion)
        assert (first.state, second.state) == (PromotionState.LAPSED, PromotionState.HELD)
        [message] = [one for one in bot_dms(harness, OWNER) if "→" in one.text]
        assert message.text.startswith("Expired:")
        [closing] = [one for one in posts(harness, SOLO_CHANNEL) if "cycle 2" in one.text]
        assert "83% of samples passed in cycle 2 (needed 90%)" in closing.words
        assert judge_again(second).decision is PromotionDecision.HOLD


def test_after_a_demotion_the_rubric_is_revised_first(tmp_path: Path) -> None:
    lower = ("exception_cap: 0.10}\ninputs", f"exception_cap: 0.10, {QUICK}}}\ninputs")
    with solo(tmp_path, lower) as harness:
        harness.play_until(at("2026-03-03 12:00"))
        types(harness, MEMBER, "/exception reply send critical promised a refund")
        play_cycle(harness, 1, passes=29, samples=29, step="send")
        send = next(row for row in rows(harness, Promotion) if row.step == "send")
        assert send.state is PromotionState.HELD
        told = types(harness, OWNER, "/cadence why reply send")
        assert "update the rubric first: it was demoted on this one" in told
        assert "over its cap or demoted in cycle 1" in told
        types(harness, OWNER, "/cadence rubric reply send revise refunds name their case")
        play_cycle(harness, 2, passes=29, samples=29, step="send")
        send = [row for row in rows(harness, Promotion) if row.step == "send"][-1]
        assert (send.state, send.evidence["rubric_revision"]) == (PromotionState.OPEN, 2)
