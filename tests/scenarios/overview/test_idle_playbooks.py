"""A playbook that nobody runs is no decision: the digest names it once, then counts it (SPEC §6)."""

from pathlib import Path

from bot.rehearsal.harness import BotHarness
from bot.sandbox.messages import Message
from templates.contexts.overview.digests import Digest
from templates.ids import Action
from tests.contexts import actions, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import CURATORS, DESK, REPLY, TRIAGE, at, posts, start_cycle


def digest_on(harness: BotHarness, monday: str) -> Message:
    harness.play_until(at(f"{monday} 12:00"))
    return posts(harness, CURATORS)[-1]


def test_it_is_named_in_the_week_it_began_and_counted_from_then_on(tmp_path: Path) -> None:
    playbooks = [REPLY, TRIAGE]
    with bot_harness(tmp_path, workspace=DESK, playbooks=playbooks) as harness:
        start_cycle(harness, "reply")
        first, second = digest_on(harness, "2026-03-09"), digest_on(harness, "2026-03-16")
        told = [shown(one, Digest) for one in (first, second)]
        assert [one.idle for one in told] == [("Triage",), ()]
        assert [one.idle_count for one in told] == [1, 1]
        for post in (first, second):
            assert Action.START_CYCLE not in actions(post)
