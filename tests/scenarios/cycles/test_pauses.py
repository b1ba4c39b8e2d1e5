"""Weeks in which a paused adoption wasn't asked: no estimated runs, and no missing check-ins (SPEC §5)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from cadence.flows.nudging.forecasting import forecast
from cadence.rules.modes import Mode
from storage.tables import AdoptionStep, MessageState, StepVerdict
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    at,
    ledger,
    posts,
    rows,
    says,
    start_cycle,
)

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of week 1: both answered, 5 exceptions in 40 runs are watched, and the adoption is paused."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 10:05"))
        for member in (LEAD, AGENT):
            types(harness, "/attest as-declared runs=20", member)
        for reason in ("tone", "link", "refund", "name", "price"):
            types(harness, f"/exception reply send {reason}", AGENT)
        types(harness, "/cadence cycle pause reply")
        yield harness


def types(harness: BotHarness, text: str, member: str = LEAD) -> str:
    said = harness.workspace.person(member).types(text, channel=DESK_CHANNEL)
    harness.tick()
    return said.words


def test_a_pause_clears_no_watch(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 16:05"))
    assert "\n5 in 40 reported runs," in types(desk, "/cadence status"), "nothing is estimated"
    [send] = [row for row in rows(desk, AdoptionStep) if row.step == "send"]
    last = [row for row in rows(desk, StepVerdict) if row.step == "send"][-1]
    assert (last.exceptions, last.attested, last.assumed, send.mode) == (5, 40, 0, Mode.COLLABORATIVE)
    closed = next(post for post in posts(desk, DESK_CHANNEL) if "in cycle 1: " in post.text)
    assert "Check-ins*\n2 of 2" in closed.words
    digest = desk.workspace.person(CURATOR).types("/cadence digest").words
    assert "check-ins came" not in digest, digest


def test_the_weeks_after_a_pause_are_asked_about_again(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-18 12:00"))
    assert "is running again" in types(desk, "/cadence cycle start reply")
    desk.play_until(at("2026-03-27 16:05"))
    closed = next(post for post in posts(desk, DESK_CHANNEL) if "in cycle 1: " in post.text)
    assert "Check-ins*\n2 of 6" in closed.words, closed.words


def test_a_pause_after_the_check_in_came_leaves_its_week_asked(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 12:00"))
        types(harness, "/cadence cycle pause reply")
        harness.play_until(at("2026-03-27 16:05"))
        closed = next(post for post in posts(harness, DESK_CHANNEL) if "in cycle 1: " in post.text)
        assert "Check-ins*\n0 of 2" in closed.words, closed.words


def test_curators_get_the_digest_of_a_paused_cycle(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 12:00"))
        says(harness.workspace.person(AGENT), "/exception send critical oops", channel=DESK_CHANNEL)
        types(harness, "/cadence cycle pause reply")
        [planned] = forecast(harness.bot.db, now=harness.clock.now(), until=at("2026-03-10 12:00"))
        assert planned.slot.kind == "digest"
        harness.play_until(at("2026-03-09 12:00"))
        digest = posts(harness, CURATORS)[-1]
        assert "Update the rubric" in digest.words
        assert "Update" in digest.buttons
        harness.play_until(at("2026-05-01 12:00"))
        assert len(ledger(harness, "digest", MessageState.SENT)) == 4, "one for each week of the cycle"
