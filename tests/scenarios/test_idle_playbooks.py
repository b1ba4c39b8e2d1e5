"""A playbook that nobody runs is no decision: the digest names it once, then counts it (SPEC §6)."""

from pathlib import Path

from bot.rehearsal.harness import Stage
from tests.scenarios.plays import CURATORS, DESK, REPLY, TRIAGE, at, posts, start_cycle
from tests.staging import on_stage


def digest_on(stage: Stage, monday: str) -> str:
    stage.play_until(at(f"{monday} 12:00"))
    return posts(stage, CURATORS)[-1].words


def test_it_is_named_in_the_week_it_began_and_counted_from_then_on(tmp_path: Path) -> None:
    playbooks = [REPLY, TRIAGE]
    with on_stage(tmp_path, workspace=DESK, playbooks=playbooks) as stage:
        start_cycle(stage, "reply")
        first, second = digest_on(stage, "2026-03-09"), digest_on(stage, "2026-03-16")
        assert "1 playbook without a running cycle, new this week: " in first
        assert "1 playbook without a running cycle" in second
        assert "new this week" not in second
        for told in (first, second):
            assert "Start a cycle" not in told
            assert "has no running cycle" not in told
