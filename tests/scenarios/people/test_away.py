"""Days away: a member is told when somebody else sets them; adjacent ranges count together."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    InCycle,
    at,
    bot_dms,
    posts,
)

LEAD, AGENT, NEWCOMER = "U01LEAD", "U01AGENT1", "U01AGENT2"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-02 09:00")
    ) as harness:
        yield harness


def types(harness: BotHarness, member: str, text: str) -> str:
    return harness.workspace.person(member).types(text, channel=DESK_CHANNEL).words


def test_a_member_set_away_by_somebody_else_is_told_by_day(desk: BotHarness) -> None:
    desk.workspace.change_user(AGENT, tz="Australia/Sydney")
    types(desk, LEAD, f"/cadence away 2026-03-04..2026-03-06 <@{AGENT}>")
    desk.play_until(at("2026-03-04 00:30"))
    told = bot_dms(desk, AGENT)[-1].words
    assert f"<@{LEAD}> marked you as away from Wednesday 4 March to Friday 6 March" in told
    assert "Back early? Type `/cadence away off`." in told


def test_adjoining_days_away_count_as_one_absence(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence away 2026-03-02..2026-03-04")
    types(desk, AGENT, "/cadence away 2026-03-05..2026-03-06")
    types(desk, LEAD, "/attest as-declared runs=9")
    desk.play_until(at("2026-03-09 12:00"))
    shown = types(desk, LEAD, "/cadence status")
    # Two are in the team; the one who was away all of last week is expected this week only.
    assert "\n0 in 9 reported runs (+29 estimated)" in shown


def test_who_joined_at_the_weekend_isnt_missing_on_monday(desk: BotHarness) -> None:
    types(desk, LEAD, "/attest as-declared runs=9")
    types(desk, AGENT, "/attest as-declared runs=9")
    desk.play_until(at("2026-03-07 12:00"))
    desk.workspace.invite(DESK_CHANNEL, NEWCOMER)
    types(desk, NEWCOMER, "/cadence team join desk")
    desk.play_until(at("2026-03-09 12:00"))
    assert not [one for one in bot_dms(desk, LEAD) if "missing for" in one.words]


def test_coming_back_leaves_the_days_away_that_are_over(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence away 2026-03-02..2026-04-12")
    types(desk, LEAD, "/attest as-declared runs=9")
    desk.play_until(at("2026-03-14 12:00"))
    assert "\n0 in 9 reported runs (+9 estimated)" in types(desk, LEAD, "/cadence status")
    types(desk, AGENT, "/cadence away off")
    shown = types(desk, LEAD, "/cadence status")
    assert "\n0 in 9 reported runs (+9 estimated)" in shown, "both weeks were asked of one person"


def test_a_week_away_from_thursday_on_is_asked_of_nobody_anywhere(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence away 2026-03-04..2026-03-06")
    desk.play_until(at("2026-03-09 12:00"))
    [told] = [one for one in bot_dms(desk, LEAD) if "missing" in one.words]
    assert f"Away: <@{AGENT}>" in told.words
    assert "1 of 1" in told.words
    digest = posts(desk, CURATORS)[-1].words
    assert "Check-ins: 0 of 1" in digest, digest
