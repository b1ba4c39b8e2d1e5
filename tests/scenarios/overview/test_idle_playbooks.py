"""A playbook that nobody runs is no decision: the digest names it once, then counts it (SPEC §6)."""

from pathlib import Path

from bot.rehearsal.harness import BotHarness
from tests.harnesses import bot_harness
from tests.scenarios.plays import CURATORS, DESK, REPLY, TRIAGE, at, posts, start_cycle


def digest_on(harness: BotHarness, monday: str) -> str:
    harness.play_until(at(f"{monday} 12:00"))
    return posts(harness, CURATORS)[-1].words


def test_it_is_named_in_the_week_it_began_and_counted_from_then_on(tmp_path: Path) -> None:
    playbooks = [REPLY, TRIAGE]
    with bot_harness(tmp_path, workspace=DESK, playbooks=playbooks) as harness:
        start_cycle(harness, "reply")
        first, second = digest_on(harness, "2026-03-09"), digest_on(harness, "2026-03-16")
        assert "1 playbook idle, new this week: " in first
        assert "1 playbook idle" in second
        assert "new this week" not in second
        for told in (first, second):
            assert "Start a cycle" not in told
