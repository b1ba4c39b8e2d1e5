"""The rollout by month: by command, and in the digest of a month's last week (SPEC §6)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
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
    said = types(march, "/cadence digest months", CURATOR)
    assert "Rollout by month" in said
    assert "Mar 2026\n0\n0\n1\n2 in 200 runs, 1%" in said
    assert "Apr 2026 so far\n0\n0\n0\n" in said
    assert "The chart comes to your DMs in a moment" in said
    march.play_until(at("2026-04-07 12:10"))
    [dm] = [one for one in bot_dms(march, CURATOR) if one.text.startswith("Rollout by month")]
    [alt] = pictures(dm)
    assert alt.startswith("Rollout by month, Feb to Apr 2026 so far. Playbooks published: ")
    assert "Cycles completed: Feb 0, Mar 1, Apr 0." in alt
    assert "Feb no runs, Mar 1%" in alt
    types(march, "/cadence digest months", CURATOR)
    march.play_until(at("2026-04-07 12:20"))
    assert len(ledger(march, "process-months-chart")) == 1, "once an hour"


def test_the_digest_of_a_months_last_week_shows_the_chart(march: BotHarness) -> None:
    digests = [post for post in posts(march, CURATORS) if post.text.startswith("Week of")]
    shown = {post.text.partition(":")[0]: pictures(post) for post in digests}
    [february] = [alts for week, alts in shown.items() if week == "Week of 23 Feb"] or [[]]
    assert february == [], "one month is no trend"
    assert [week for week, alts in shown.items() if alts] == ["Week of 30 Mar"]
    [alt] = shown["Week of 30 Mar"]
    assert alt.startswith("Rollout by month, Feb to Mar 2026. ")
    assert "Teams that adopted one: Feb 1, Mar 0." in alt


def test_only_curators_see_it(march: BotHarness) -> None:
    assert "Rollout by month" not in types(march, "/cadence digest months", AGENT)
    assert not ledger(march, "process-months")
    said = march.workspace.person(CURATOR).types("/cadence digest month")
    assert "`/cadence digest months`" in said.words


def test_the_digest_on_request_leads_to_it(tmp_path: Path) -> None:
    played = in_turn(InCycle(), Reported(0))
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY], played=played) as desk:
        curator = desk.workspace.person(CURATOR)
        said = curator.types("/cadence digest")
        assert said.message is not None
        assert "Rollout by month" in curator.clicks(said.message, "Show the months").words
