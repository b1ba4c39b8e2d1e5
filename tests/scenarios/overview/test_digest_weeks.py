"""A week's digest is about that week, whenever it is read (SPEC §4, §5)."""

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
    local_times,
    posts,
    says,
    start_cycle,
)

OWNER, MEMBER, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"
UNANSWERED = "*🟡 Add a plan:* “Send the reply” of Reply (Desk) is over its cap"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday noon of week 1, the check-ins are open."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-05 12:00")
    ) as harness:
        yield harness


def types(harness: BotHarness, member: str, *texts: str) -> str:
    words = ""
    for text in texts:
        words = says(harness.workspace.person(member), text, channel=DESK_CHANNEL)
        harness.tick()
    return words


def digest_of(harness: BotHarness, monday: str) -> str:
    """The digest on a Monday about the week before."""
    harness.play_until(at(f"{monday} 12:00"))
    return posts(harness, CURATORS)[-1].words


def over_the_cap(harness: BotHarness) -> None:
    """Three exceptions in 29 attested runs: 10.3% of at most 10%, too few to demote."""
    types(harness, OWNER, "/attest as-declared runs=14")
    types(harness, MEMBER, "/attest as-declared runs=15")
    types(harness, MEMBER, *(f"/exception send wrong tone {number}" for number in range(3)))


def test_mondays_digest_reports_last_week_and_asks_only_open_decisions(desk: BotHarness) -> None:
    over_the_cap(desk)
    desk.play_until(at("2026-03-08 12:00"))
    sunday = types(desk, CURATOR, "/cadence digest")
    monday = digest_of(desk, "2026-03-09")
    for shown in (sunday, monday):
        assert "3 in 29 reported runs, 10.3% / 10%\n🟡 Over its cap: Send the reply" in shown
    assert UNANSWERED in sunday
    assert UNANSWERED not in monday, "the new week's estimated runs brought it back under its cap"


def test_a_watch_that_outlives_its_week_waits_in_mondays_digest(desk: BotHarness) -> None:
    types(desk, OWNER, "/attest as-declared runs=4")
    types(desk, MEMBER, "/attest as-declared runs=5")
    types(desk, MEMBER, *(f"/exception send wrong tone {number}" for number in range(2)))
    assert UNANSWERED in digest_of(desk, "2026-03-09")


def test_a_step_watched_for_a_critical_exception_is_named_so(desk: BotHarness) -> None:
    types(desk, OWNER, "/cadence mode reply draft human-led nobody trusts it", "/attest as-declared runs=3")
    types(desk, MEMBER, "/attest as-declared runs=3", "/exception draft critical it quoted a price")
    shown = digest_of(desk, "2026-03-09")
    assert "*🟡 Add a plan:* “Draft the reply” of Reply (Desk) had a critical exception" in shown
    assert "1 in 6 reported runs / 10%\n🟡 Critical exception: Draft the reply" in shown
    assert "Over its cap" not in shown


def test_a_late_check_in_settles_the_watch_of_its_week(desk: BotHarness) -> None:
    over_the_cap(desk)
    desk.play_until(at("2026-03-09 09:00"))
    types(desk, MEMBER, "/attest as-declared runs=30 week=1")
    monday = digest_of(desk, "2026-03-09")
    assert UNANSWERED not in monday
    assert "over its cap" not in monday.casefold()


def test_on_a_public_holiday_the_digest_comes_the_day_after(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness, monday="2026-03-30")
        harness.play_until(at("2026-04-06 23:00"))  # Easter Monday in DE
        before = len(posts(harness, CURATORS))
        harness.play_until(at("2026-04-07 12:00"))
        new = posts(harness, CURATORS)[before:]
        assert local_times(new, "Europe/Berlin") == ["Tue 11:00"]
        assert "Week of 30 Mar" in new[0].words


def test_a_demoted_step_waits_in_every_digest_until_its_rubric_is_revised(desk: BotHarness) -> None:
    types(desk, OWNER, "/attest as-declared runs=14")
    types(desk, MEMBER, "/attest as-declared runs=15")
    types(desk, MEMBER, *(f"/exception send wrong tone {number}" for number in range(7)))
    waiting = "*🔴 Update the rubric:* “Send the reply” of Reply (Desk) was demoted Thu 5 Mar"
    first = digest_of(desk, "2026-03-09")
    assert "2 decisions, 1 team needs attention" in first
    assert "🔴 Demoted" in first
    assert "Exceptions: 7" in first
    assert waiting in first
    assert waiting in digest_of(desk, "2026-03-16")
    types(desk, OWNER, "/cadence rubric reply send revise the greeting is checked first")
    assert waiting not in digest_of(desk, "2026-03-23")
