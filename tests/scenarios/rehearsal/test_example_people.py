"""The demo users of the built-in workspace: they play a cycle, the same each time, until they are stopped."""

from pathlib import Path
from threading import Event

from bot.rehearsal.demo_users import DemoUsers
from bot.rehearsal.harness import BotHarness
from bot.sandbox.kinds import words_of
from cadence.documents import read_workspace
from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.plays import posts

USERS = DemoUsers(
    read_workspace((EXAMPLES / "workspace.yaml").read_text(encoding="utf-8")),
    EXAMPLES / "answers",
    starts="support-reply",
    pause=0,
)


def play(harness: BotHarness, last: str) -> list[str]:
    """Their reports until a sentence contains `last`, at which they are stopped."""
    told: list[str] = []
    stop = Event()

    def tell(sentence: str) -> None:
        told.append(sentence)
        if last in sentence:
            stop.set()

    USERS.play(harness, stop, tell)
    return told


def test_a_cycle_from_its_start_to_the_digest_after_it(harness: BotHarness) -> None:
    told = play(harness, "no such sentence")
    assert told[0] == "Jana Hoffmann started a cycle of Support reply."
    assert told[-1] == "The cycle is played."
    assert any("pressed Ran as declared" in sentence for sentence in told)
    assert any("pressed Say what changes" in sentence for sentence in told)
    texts = [post.text for post in posts(harness, "C01CURATORS")]
    ended = ("Back under the cap", "No longer watched")
    assert any(text.startswith(ended) for text in texts)
    assert any("cycle 1: met" in text for text in texts)
    assert texts[-1].startswith("Week of 23 Mar")


def test_demo_users_follow_their_file_repeatably_and_stop_at_once(
    harness: BotHarness, tmp_path: Path
) -> None:
    first = play(harness, "Mehmet Aydın: pressed Ran as declared")
    (tmp_path / "other").mkdir()
    with bot_harness(tmp_path / "other") as other:
        assert play(other, "Mehmet Aydın: pressed Ran as declared") == first
    assert first[-1] == "Stopped."
    answered = harness.workspace.person("U01AGENT1").last_dm()
    assert "15 runs" in words_of(answered.blocks)
