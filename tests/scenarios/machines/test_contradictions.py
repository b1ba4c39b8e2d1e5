"""A check-in that contradicts what tools counted: the member sees it at once, the owner when the week is over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from storage.tables import MessageState
from tests.harnesses import bot_harness
from tests.scenarios.machines.tools import counts
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, InCycle, at, bot_dms, ledger, local_times, says

LEAD, AGENT = "U01LEAD", "U01AGENT1"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """A team of two on the Thursday of its cycle's first week, after the check-in came."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-05 12:00")
    ) as harness:
        yield harness


def attests(harness: BotHarness, member: str, words: str) -> str:
    said = says(harness.workspace.person(member), f"/attest {words}", channel=DESK_CHANNEL)
    harness.tick()
    return said


def asked(harness: BotHarness) -> list[Message]:
    return [one for one in bot_dms(harness, LEAD) if "runs differ" in one.text]


def test_the_member_sees_the_count_next_to_their_answer(desk: BotHarness) -> None:
    counts(desk, 19, member=AGENT)
    told = "Tools counted 19 of your runs so far."
    assert told in attests(desk, AGENT, "as-planned runs=14")
    assert told in desk.workspace.person(AGENT).last_dm().words
    assert "Tools counted" not in attests(desk, AGENT, "as-planned runs=16"), "close enough"
    assert "Tools counted" not in desk.workspace.person(AGENT).last_dm().words
    assert "Tools counted" not in attests(desk, LEAD, "as-planned runs=14"), "of them nothing was counted"


def test_a_missing_check_in_is_not_estimated_once_a_tool_counted(desk: BotHarness) -> None:
    counts(desk, 19, member=AGENT)
    attests(desk, LEAD, "as-planned runs=14")
    desk.play_until(at("2026-03-09 12:00"))
    [message] = [one for one in bot_dms(desk, LEAD) if "missing: Reply" in one.text]
    assert f"1 check-in missing: <@{AGENT}>. Tools counted their runs." in message.words


def test_nothing_is_said_of_one_run(desk: BotHarness) -> None:
    counts(desk, 1, member=AGENT)
    assert "Tools counted" not in attests(desk, AGENT, "as-planned runs=2")


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
    assert message.text == "Reported and measured runs differ: Reply, week 1"
    assert "\n14\n19" in message.words
    assert "\n10\n" not in message.words, "the lead's own counts agree"

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
    assert row.reason == "reported and measured runs agree"
    assert "runs agree" not in "".join(one.words for one in bot_dms(desk, LEAD))


def test_without_measured_runs_there_is_nothing_to_compare(desk: BotHarness) -> None:
    attests(desk, AGENT, "as-planned runs=14")
    desk.play_until(at("2026-03-10 12:00"))
    assert ledger(desk, "runs-differ") == []


def test_a_tool_that_names_nobody_is_compared_with_the_team_once_everybody_answered(
    desk: BotHarness,
) -> None:
    counts(desk, 60)
    assert "Tools counted" not in attests(desk, AGENT, "as-planned runs=14")
    desk.play_until(at("2026-03-10 12:00"))
    assert asked(desk) == [], "the lead may have run the others"
    counts(desk, 60)
    attests(desk, AGENT, "as-planned runs=14 week=2")
    attests(desk, LEAD, "as-planned runs=16 week=2")
    desk.play_until(at("2026-03-17 12:00"))
    [message] = asked(desk)
    assert "The whole team\n30\n60" in message.words
