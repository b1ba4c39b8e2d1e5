"""A check-in that contradicts what tools counted: the member sees it at once, the owner when the week is over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.messages import Message
from storage.tables import MessageState
from templates.contexts.checkins import Attested, CheckinMessage, RunsDiffer, RunsSideBySide, WhoIsMissing
from tests.contexts import assert_golden, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.machines.tools import counts
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, InCycle, at, bot_dms, ledger, local_times

LEAD, AGENT = "U01LEAD", "U01AGENT1"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """A team of two on the Thursday of its cycle's first week, after the check-in came."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-05 12:00")
    ) as harness:
        yield harness


def attests(harness: BotHarness, member: str, words: str) -> Answer:
    said = harness.workspace.person(member).types(f"/attest {words}", channel=DESK_CHANNEL)
    harness.tick()
    return said


def counted(said: Answer) -> int | None:
    """The runs that tools counted, where the answer says that they contradict it."""
    [row] = shown(said, Attested).rows
    return row.answer.counted


def counted_in_dm(harness: BotHarness) -> int | None:
    """The same as the agent's DM says it."""
    [row] = shown(harness.workspace.person(AGENT).last_dm(), CheckinMessage).rows
    assert row.answer is not None
    return row.answer.counted


def asked(harness: BotHarness) -> list[Message]:
    return [one for one in bot_dms(harness, LEAD) if is_shown(one, RunsDiffer)]


def test_the_member_sees_the_count_next_to_their_answer(desk: BotHarness) -> None:
    counts(desk, 19, member=AGENT)
    said = attests(desk, AGENT, "as-planned runs=14")
    assert (counted(said), counted_in_dm(desk)) == (19, 19)
    assert_golden(said, "answer-with-count")
    assert_golden(desk.workspace.person(AGENT).last_dm(), "dm-with-count")
    said = attests(desk, AGENT, "as-planned runs=16")
    assert (counted(said), counted_in_dm(desk)) == (None, None), "close enough"
    assert_golden(said, "answer-close-to-count")
    assert_golden(desk.workspace.person(AGENT).last_dm(), "dm-close-to-count")
    assert counted(attests(desk, LEAD, "as-planned runs=14")) is None, "of them nothing was counted"


def test_a_missing_check_in_is_not_estimated_once_a_tool_counted(desk: BotHarness) -> None:
    counts(desk, 19, member=AGENT)
    attests(desk, LEAD, "as-planned runs=14")
    desk.play_until(at("2026-03-09 12:00"))
    [message] = [one for one in bot_dms(desk, LEAD) if is_shown(one, WhoIsMissing)]
    missing = shown(message, WhoIsMissing)
    assert (missing.missing, missing.own, missing.estimated) == ((AGENT,), False, False)
    assert_golden(message, "missing-but-counted")


def test_nothing_is_said_of_one_run(desk: BotHarness) -> None:
    counts(desk, 1, member=AGENT)
    assert counted(attests(desk, AGENT, "as-planned runs=2")) is None


def test_the_owner_is_asked_once_when_the_week_is_over(desk: BotHarness) -> None:
    counts(desk, 19, step="send", member=AGENT)
    counts(desk, 12, step="draft", member=AGENT)
    counts(desk, 10, member=LEAD)
    attests(desk, AGENT, "as-planned runs=14")
    attests(desk, LEAD, "as-planned runs=11")
    desk.play_until(at("2026-03-09 00:00"))
    assert asked(desk) == [], "nobody is nudged at night"
    desk.play_until(at("2026-03-10 12:00"))
    [message] = asked(desk)
    assert local_times([message], "Europe/Berlin") == ["Mon 09:00"]
    told = shown(message, RunsDiffer)
    assert (told.slug, told.week) == ("reply", 1)
    [row] = told.rows
    assert (row.reported, row.measured) == (14, 19), "the lead's own counts agree"
    assert row.name == desk.workspace.user(AGENT).real_name
    assert_golden(message, "runs-differ")
    assert_golden(message.text, "runs-differ-in-short")

    counts(desk, 40, member=LEAD, at=at("2026-03-08 12:00"))
    attests(desk, AGENT, "as-planned runs=2 week=1")
    desk.play_until(at("2026-03-16 12:00"))
    assert len(asked(desk)) == 1, "never again for that week"


def test_the_next_week_is_asked_about_again(desk: BotHarness) -> None:
    for day in ("2026-03-12 12:00", "2026-03-19 12:00"):
        desk.play_until(at(day))
        counts(desk, 19, member=AGENT)
        attests(desk, AGENT, "as-planned runs=14")
    desk.play_until(at("2026-03-23 12:00"))
    assert local_times(asked(desk), "Europe/Berlin") == ["Mon 09:00", "Mon 09:00"]


def test_counts_that_agree_ask_nothing(desk: BotHarness) -> None:
    counts(desk, 15, member=AGENT)
    attests(desk, AGENT, "as-planned runs=14")
    desk.play_until(at("2026-03-10 12:00"))
    assert asked(desk) == []
    [row] = ledger(desk, "runs-differ", MessageState.SKIPPED)
    assert_golden(row.reason, "skipped-because-they-agree")
    assert all(row.reason not in one.words for one in bot_dms(desk, LEAD))


def test_without_measured_runs_there_is_nothing_to_compare(desk: BotHarness) -> None:
    attests(desk, AGENT, "as-planned runs=14")
    desk.play_until(at("2026-03-10 12:00"))
    assert ledger(desk, "runs-differ") == []


def test_a_tool_that_names_nobody_is_compared_with_the_team_once_everybody_answered(
    desk: BotHarness,
) -> None:
    counts(desk, 60)
    assert counted(attests(desk, AGENT, "as-planned runs=14")) is None
    desk.play_until(at("2026-03-10 12:00"))
    assert asked(desk) == [], "the lead may have run the others"
    counts(desk, 60)
    attests(desk, AGENT, "as-planned runs=14 week=2")
    attests(desk, LEAD, "as-planned runs=16 week=2")
    desk.play_until(at("2026-03-17 12:00"))
    [message] = asked(desk)
    whole_team = RunsSideBySide(name="", reported=30, measured=60)
    assert shown(message, RunsDiffer).rows == (whole_team,)
    assert_golden(message, "runs-of-the-team-differ")
