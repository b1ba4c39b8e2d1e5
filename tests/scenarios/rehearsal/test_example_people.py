"""The demo users of the built-in workspace: they play a cycle, the same each time, until they are stopped."""

from pathlib import Path

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.demo_users import DemoUsers
from bot.rehearsal.harness import BotHarness
from bot.sandbox.kinds import words_of
from bot.sandbox.playback import Playback
from cadence.actor import Actor
from cadence.documents import read_workspace
from cadence.flows.outbox import Asked, deliveries_of
from storage.work import UnitOfWork
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

    def listen() -> None:
        if playback.said and playback.said not in told[-1:]:
            told.append(playback.said)
        if last in playback.said and not playback.stopped:
            playback.stop()

    playback = Playback(listen)
    USERS.play(harness, playback)
    return told


def test_a_cycle_from_its_start_to_the_digest_after_it(harness: BotHarness) -> None:
    told = play(harness, "no such sentence")
    assert told[0] == "Jana Hoffmann started a cycle of Support reply."
    assert told[-1] == "Cycle complete."
    assert any("pressed “As planned”" in sentence for sentence in told)
    assert any("pressed “Add a plan”" in sentence for sentence in told)
    texts = [post.text for post in posts(harness, "C01CURATORS")]
    ended = ("Back under its cap", "Watch ended")
    assert any(text.startswith(ended) for text in texts)
    assert any("hit its target in cycle 1" in text for text in texts)
    assert texts[-1].startswith("Week of 23 Mar")


def test_demo_users_follow_their_file_repeatably_and_stop_at_once(
    harness: BotHarness, tmp_path: Path
) -> None:
    first = play(harness, "Mehmet Aydın pressed")
    (tmp_path / "other").mkdir()
    with bot_harness(tmp_path / "other") as other:
        assert play(other, "Mehmet Aydın pressed") == first
    assert first[-1] == "Stopped."
    answered = harness.workspace.person("U01AGENT1").last_dm()
    assert "15 runs" in words_of(answered.blocks)


def test_a_play_leads_to_where_the_action_is_and_recaps_the_cycle_in_five_messages(
    harness: BotHarness,
) -> None:
    led: list[tuple[str, str]] = []

    def listen() -> None:
        if playback.shown and (playback.shown.channel, playback.shown.reader) not in led:
            led.append((playback.shown.channel, playback.shown.reader))

    playback = Playback(listen)
    USERS.play(harness, playback)
    assert {("C01SUPEMEA", ""), ("D01AGENT1", "U01AGENT1"), ("C01SUPEMEA", "U01LEAD")} <= set(led)
    assert [moment.channel for moment in playback.moments] == [*["C01SUPEMEA"] * 4, "C01CURATORS"]
    kinds = [sent_kind(harness, moment.channel, moment.ts) for moment in playback.moments]
    assert kinds == ["week-opens", "watch", "demoted", "cycle-closed", "digest"]
    texts = [harness.workspace.messages.get(one.channel, one.ts).text for one in playback.moments]
    assert [moment.label for moment in playback.moments] == texts


def sent_kind(harness: BotHarness, channel: str, ts: str) -> str:
    """The kind of a message of the bot, by where it is."""
    uow = UnitOfWork(harness.bot.db, Actor(BUILT_IN_TEAM, "", "cli"), harness.clock.now())
    sent = deliveries_of(uow, Asked(state="sent", limit=2_000)).messages
    return next(one.kind for one in sent if (one.channel, one.ts) == (channel, ts) and one.kind != "rewrite")
