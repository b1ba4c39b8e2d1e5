"""A step is evaluated for promotion when a cycle closes; only a person promotes (SPEC §5, §8)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.messages import Message
from cadence.flows.promotions.proposing import judge_again
from cadence.rules.modes import Mode
from cadence.rules.promotions import PromotionDecision
from storage.tables import AdoptionStep, ModeChange, Promotion, PromotionState
from templates.contexts.cycles import CycleClosed
from templates.contexts.exceptions import ExceptionForm
from templates.contexts.overview.statuses import Why, WhyMath
from templates.contexts.promotions import Promoted, PromotionDeclined, PromotionNumbers, PromotionProposed
from templates.ids import Action
from tests.contexts import actions, assert_golden, contexts, is_shown, shown
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
)

OWNER, MEMBER, CURATOR = "U01LEAD", "U01AGENT2", "U01CURATOR"
MONDAY = date(2026, 3, 2)
QUICK = "promote: {cycles: 1}"
"""One cycle decides, so that a test needn't play two."""


def types(harness: BotHarness, member: str, command: str) -> Answer:
    """Type a command, and confirm an exception that asks for it."""
    person = harness.workspace.person(member)
    said = person.types(command, channel=SOLO_CHANNEL if member == MEMBER else None)
    if is_shown(said, ExceptionForm):
        person.submits()
        person.closes()
    harness.tick()
    return said


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
    in_dm = [one for one in bot_dms(harness, OWNER) if is_shown(one, PromotionProposed)]
    for_curators = [one for one in posts(harness, CURATORS) if is_shown(one, PromotionProposed)]
    return in_dm[-1], for_curators[-1]


def outcomes(harness: BotHarness) -> list[PromotionProposed]:
    """What the proposal of the draft became, in both places."""
    found = contexts(proposals(harness), PromotionProposed)
    assert [one.step_key for one in found] == ["draft"] * 2
    return found


def promotion_lines(harness: BotHarness, number: int, channel: str = SOLO_CHANNEL) -> str:
    """What the closing post of a cycle says about promotions, a line for each step."""
    [closing] = [one for one in contexts(posts(harness, channel), CycleClosed) if one.number == number]
    return "\n".join(closing.promotions)


def mode(harness: BotHarness) -> Mode:
    return next(row.mode for row in rows(harness, AdoptionStep) if row.step == "draft")


def test_two_cycles_that_show_it_propose_and_a_curator_promotes(tmp_path: Path) -> None:
    with solo(tmp_path) as harness:
        play_cycle(harness, 1, passes=30, samples=30)
        first = promotion(harness)
        assert (first.state, first.samples) == (PromotionState.INSUFFICIENT, 30)
        assert_golden(promotion_lines(harness, 1), "one-of-two-cycles")

        play_cycle(harness, 2, passes=30, samples=31)
        row = promotion(harness)
        assert (row.state, row.samples, row.passes, row.leads_to) == (
            PromotionState.OPEN,
            61,
            60,
            Mode.AI_LED,
        )
        mine, theirs = proposals(harness)
        proposed = shown(mine, PromotionProposed)
        assert replace(shown(theirs, PromotionProposed), approves=False) == proposed
        assert actions(mine) == [Action.DECLINE_PROMOTION, Action.WHY]
        assert actions(theirs) == [Action.APPROVE_PROMOTION, *actions(mine)]
        assert 0.92 <= proposed.numbers.bound < 0.93
        assert proposed.numbers == PromotionNumbers(
            cycles=2,
            samples=61,
            passes=60,
            risky=0,
            bound=proposed.numbers.bound,
            accuracy=0.9,
            max_risk=0.02,
            confidence=0.95,
            exceptions=0,
            runs=160,
            cap=0.1,
            answered=8,
            expected=8,
            kpi_met=2,
        )
        assert mode(harness) is Mode.COLLABORATIVE

        curator = harness.workspace.person(CURATOR)
        answer = curator.clicks(theirs, "Approve")
        assert_golden(answer, "promoted-by-the-curator")
        assert actions(answer) == [Action.DECLARE_MODE]
        harness.tick()
        assert mode(harness) is Mode.AI_LED
        for outcome in outcomes(harness):
            assert (outcome.state, outcome.after, outcome.decided_by) == ("approved", "ai-led", CURATOR)
            assert outcome.decided_at is not None
            assert outcome.decided_at.date() == date(2026, 4, 24)
        for channel in (SOLO_CHANNEL, CURATORS):
            assert_golden(promotion_lines(harness, 2, channel), f"promoted-at-the-close:{channel}")
            [told] = contexts(posts(harness, channel), Promoted)
            assert (told.step_key, told.after, told.approved_by) == ("draft", "ai-led", CURATOR)
        [change] = [one for one in rows(harness, ModeChange) if one.kind == "promotion"]
        assert (change.promotion_id, change.member) == (row.id, CURATOR)
        owner = harness.workspace.person(OWNER)
        why = owner.types("/cadence why reply draft").message
        assert why is not None
        explained = shown(why, Why).promotion
        assert explained is not None
        assert explained.numbers == proposed.numbers
        owner.clicks(why, "Show the math")
        looked = shown(owner.form(), WhyMath).promotion
        assert looked is not None
        assert [(one.number, one.samples, one.passes, one.risky) for one in looked.judged] == [
            (1, 30, 30, 0),
            (2, 31, 30, 0),
        ]
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
        assert_golden(again, "approved-before")
        harness.workspace.person(CURATOR).clicks(theirs, "Decline")
        harness.tick()
        assert mode(harness) is Mode.COLLABORATIVE
        assert len([one for one in rows(harness, ModeChange) if one.kind == "promotion"]) == 1
        [told] = contexts(posts(harness, SOLO_CHANNEL), Promoted)
        assert told.after == "collaborative"


def test_a_declined_promotion_keeps_the_mode_and_says_why(tmp_path: Path) -> None:
    with solo(tmp_path, TO_AI, then=a_proposal) as harness:
        mine, _ = proposals(harness)
        owner = harness.workspace.person(OWNER)
        owner.clicks(mine, "Decline")
        assert_golden(owner.submits({"reason": " "}).errors["reason"], "no-reason")
        reason = "Not before <the> audit."
        owner.submits({"reason": reason})
        harness.tick()
        assert mode(harness) is Mode.COLLABORATIVE
        assert promotion(harness).state is PromotionState.DECLINED
        for message in proposals(harness):
            assert_golden(message, "proposal-declined")
        for outcome in outcomes(harness):
            assert (outcome.state, outcome.reason, outcome.decided_by) == ("declined", reason, OWNER)
        [told] = [one for one in posts(harness, CURATORS) if is_shown(one, PromotionDeclined)]
        assert_golden(told, "curators-told-of-the-decline")
        declined = shown(told, PromotionDeclined)
        assert (declined.declined_by, declined.reason) == (OWNER, reason)
        assert (declined.before, declined.after) == ("collaborative", "ai-led")
        [entry] = entries(harness, "promotion-declined")
        assert entry.member == OWNER


@pytest.mark.parametrize(
    ("case", "command"),
    [
        ("rubric", "/cadence rubric reply draft revise tone is graded apart"),
        ("mode", "/exception reply draft critical sent it to the wrong person"),
    ],
)
def test_a_proposal_that_no_longer_fits_lapses(tmp_path: Path, case: str, command: str) -> None:
    with solo(tmp_path, TO_AI, then=a_proposal) as harness:
        _, before = proposals(harness)
        harness.play_until(at("2026-03-31 12:00"))
        types(harness, OWNER, command)
        for outcome in outcomes(harness):
            assert (outcome.state, outcome.decided_by) == ("lapsed", None)
            assert_golden(outcome.reason, f"lapsed-because:{case}")
        refused = harness.workspace.person(CURATOR).clicks(before, "Why")
        looked = shown(refused, Why).promotion
        assert looked is not None
        assert looked.state == "lapsed"
        assert promotion(harness).state is PromotionState.LAPSED
        assert not [one for one in rows(harness, ModeChange) if one.kind == "promotion"]


def test_a_proposal_lapses_when_a_corrected_number_takes_its_kpi_away(tmp_path: Path) -> None:
    with solo(tmp_path, TO_AI, then=a_proposal) as harness:
        _, before = proposals(harness)
        harness.play_until(at("2026-03-28 12:00"))
        types(harness, MEMBER, "/kpi reply 40m week=1")
        types(harness, MEMBER, "/kpi reply 40m week=2")
        for outcome in outcomes(harness):
            assert outcome.state == "lapsed"
            assert_golden(outcome.reason, "lapsed-because:corrected-number")
        looked = shown(harness.workspace.person(CURATOR).clicks(before, "Why"), Why).promotion
        assert looked is not None
        assert looked.state == "lapsed"
        assert mode(harness) is Mode.COLLABORATIVE


def test_a_newer_cycle_takes_the_place_of_an_undecided_proposal(tmp_path: Path) -> None:
    with solo(tmp_path, TO_AI, then=a_proposal) as harness:
        play_cycle(harness, 2, passes=25, samples=30)
        first, second = rows(harness, Promotion)
        assert (first.state, second.state) == (PromotionState.LAPSED, PromotionState.HELD)
        [outcome] = contexts(bot_dms(harness, OWNER), PromotionProposed)
        assert outcome.state == "lapsed"
        assert_golden(promotion_lines(harness, 2), "too-few-passes")
        assert judge_again(second).decision is PromotionDecision.HOLD


def test_after_a_demotion_the_rubric_is_revised_first(tmp_path: Path) -> None:
    lower = ("exception_cap: 0.10}\ninputs", f"exception_cap: 0.10, {QUICK}}}\ninputs")
    with solo(tmp_path, lower) as harness:
        harness.play_until(at("2026-03-03 12:00"))
        types(harness, MEMBER, "/exception reply send critical promised a refund")
        play_cycle(harness, 1, passes=29, samples=29, step="send")
        send = next(row for row in rows(harness, Promotion) if row.step == "send")
        assert send.state is PromotionState.HELD
        looked = shown(types(harness, OWNER, "/cadence why reply send"), Why).promotion
        assert looked is not None
        assert_golden("\n".join(looked.unmet), "unmet-after-a-demotion")
        types(harness, OWNER, "/cadence rubric reply send revise refunds name their case")
        play_cycle(harness, 2, passes=29, samples=29, step="send")
        send = [row for row in rows(harness, Promotion) if row.step == "send"][-1]
        assert (send.state, send.evidence["rubric_revision"]) == (PromotionState.OPEN, 2)
