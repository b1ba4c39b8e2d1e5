"""The rollout by month: by command, and in the digest of a month's last week (SPEC §6)."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.process import ProcessMonth, ProcessMonths
from tests.contexts import assert_golden, is_shown, shown
from tests.harnesses import bot_harness, in_turn
from tests.scenarios.plays import CURATORS, DESK, REPLY, InCycle, at, bot_dms, ledger, posts
from tests.scenarios.trends.weeks import AGENT, CURATOR, Reported, report, types


@pytest.fixture
def march(tmp_path: Path) -> Iterator[BotHarness]:
    """A cycle that was planned in February, after the digest of the week of 30 March was posted."""
    played = in_turn(InCycle(), play_march)
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY], played=played) as harness:
        yield harness


def pictures(message: Message) -> list[str]:
    """The alternative texts of a message's pictures."""
    return [block["alt_text"] for block in message.blocks if block["type"] == "image"]


def play_march(harness: BotHarness) -> None:
    """Play five weeks of check-ins with two exceptions, until the digest of the week of 30 March was posted."""
    for week in range(5):
        report(harness, week, runs=20, number=14)
        if week in (1, 4):
            types(harness, f"/exception reply send the price was wrong in week {week}")
    harness.play_until(at("2026-04-07 12:00"))  # Monday is a holiday


def test_curators_see_the_months_as_a_table_then_as_a_chart(march: BotHarness) -> None:
    said = shown(march.workspace.person(CURATOR).types("/cadence digest months"), ProcessMonths)
    march.tick()
    assert said.rows[1:] == (
        ProcessMonth(first=date(2026, 3, 2), published=0, adopted=0, completed=1, exceptions=2, runs=200),
        ProcessMonth(
            first=date(2026, 4, 6), published=0, adopted=0, completed=0, exceptions=0, runs=0, so_far=True
        ),
    )
    assert (said.chart_comes, said.chart) == (True, None)
    march.play_until(at("2026-04-07 12:10"))
    [dm] = [one for one in bot_dms(march, CURATOR) if is_shown(one, ProcessMonths) and pictures(one)]
    assert shown(dm, ProcessMonths).rows == said.rows
    [alt] = pictures(dm)
    assert_golden(alt, "chart-until-april")
    types(march, "/cadence digest months", CURATOR)
    march.play_until(at("2026-04-07 12:20"))
    assert len(ledger(march, "process-months-chart")) == 1, "once an hour"


def test_the_digest_of_a_months_last_week_shows_the_chart(march: BotHarness) -> None:
    digests = [post for post in posts(march, CURATORS) if is_shown(post, Digest)]
    charts = {shown(post, Digest).week_start: pictures(post) for post in digests}
    assert not charts.get(date(2026, 2, 23)), "one month is no trend"
    assert [week for week, alts in charts.items() if alts] == [date(2026, 3, 30)]
    [alt] = charts[date(2026, 3, 30)]
    assert_golden(alt, "chart-until-march")


def test_only_curators_see_it(march: BotHarness) -> None:
    refused = march.workspace.person(AGENT).types("/cadence digest months")
    march.tick()
    assert not is_shown(refused, ProcessMonths)
    assert_golden(refused, "refused-not-a-curator")
    assert not ledger(march, "process-months")
    said = march.workspace.person(CURATOR).types("/cadence digest month")
    assert_golden(said, "refused-typo")


def test_the_digest_on_request_leads_to_it(tmp_path: Path) -> None:
    played = in_turn(InCycle(), Reported(0))
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY], played=played) as desk:
        curator = desk.workspace.person(CURATOR)
        said = curator.types("/cadence digest")
        assert said.message is not None
        months = shown(curator.clicks(said.message, "Show the months"), ProcessMonths)
        assert [one.first for one in months.rows] == [date(2026, 2, 2), date(2026, 3, 2)]
