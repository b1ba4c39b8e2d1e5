"""The example people of the built-in workspace: they play a cycle, the same each time, until they are stopped."""

from pathlib import Path
from threading import Event

from bot.rehearsal.demo_users import EXAMPLE, Cast
from bot.rehearsal.harness import Stage
from bot.sandbox.kinds import words_of
from cadence.documents import read_workspace
from tests.scenarios.plays import posts
from tests.staging import EXAMPLES, on_stage

CAST = Cast(
    read_workspace((EXAMPLES / "workspace.yaml").read_text(encoding="utf-8")),
    starts="support-reply",
    pause=0,
)


def play(stage: Stage, last: str) -> list[str]:
    """What they tell until a sentence holds `last`, at which they are stopped."""
    told: list[str] = []
    stop = Event()

    def tell(sentence: str) -> None:
        told.append(sentence)
        if last in sentence:
            stop.set()

    CAST.play(stage, stop, tell)
    return told


def test_a_cycle_from_its_start_to_the_digest_after_it(stage: Stage) -> None:
    told = play(stage, "no such sentence")
    assert told[0] == "Jana Hoffmann started a cycle of Support reply."
    assert told[-1] == "The cycle is played."
    assert any("ran as declared" in sentence for sentence in told)
    assert any("said what changes" in sentence for sentence in told)
    texts = [post.text for post in posts(stage, "C01CURATORS")]
    ended = ("Back under the cap", "No longer watched")
    assert any(text.startswith(ended) for text in texts)
    assert any("cycle 1: met" in text for text in texts)
    assert texts[-1].startswith("Week of 23 Mar")


def test_they_say_the_same_each_time_mark_it_and_stop_at_once(stage: Stage, tmp_path: Path) -> None:
    first = play(stage, "Mehmet Aydın: ran as declared")
    (tmp_path / "other").mkdir()
    with on_stage(tmp_path / "other") as other:
        assert play(other, "Mehmet Aydın: ran as declared") == first
    assert first[-1] == "Stopped."
    answered = stage.workspace.person("U01AGENT1").last_dm()
    assert EXAMPLE in words_of(answered.blocks)
