"""The demo users of the built-in workspace: they play a cycle, the same each time, until they are stopped."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.demo_users import DemoUsers
from bot.rehearsal.harness import BotHarness
from bot.sandbox.playback import Playback
from cadence.actor import Actor
from cadence.documents import read_workspace
from cadence.flows.core import adoption_views, current_modes
from cadence.flows.outbox import Asked, deliveries_of
from cadence.rules.modes import Mode
from storage.tables import Adoption, AdoptionState, Attestation, CheckIn
from storage.work import UnitOfWork
from templates.contexts.checkins import CheckinMessage
from templates.contexts.cycles import CycleClosed
from templates.contexts.handoffs import HandoffPost
from templates.contexts.overview.digests import Digest
from templates.contexts.promotions import Promoted
from templates.contexts.standards import Demoted, Watch
from tests.contexts import assert_golden, contexts, shown
from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.plays import posts, rows

USERS = DemoUsers(
    read_workspace((EXAMPLES / "workspace.yaml").read_text(encoding="utf-8")),
    EXAMPLES / "answers",
    starts="support-reply",
    pause=0,
)


HANDOFF = "/cadence handoff"


@dataclass
class Played:
    """What somebody at the page saw of a play: each report, each place it led to as its reader, and the end."""

    harness: BotHarness
    told: list[str] = field(default_factory=list)
    led: list[tuple[str, str]] = field(default_factory=list)
    playback: Playback = field(default_factory=Playback)


def play(harness: BotHarness, sentences: int | None = None) -> Played:
    """Play to the end, or until so many sentences were told, at which they are stopped."""
    seen = Played(harness)

    def listen() -> None:
        playback = seen.playback
        if playback.said and playback.said not in seen.told[-1:]:
            seen.told.append(playback.said)
        if playback.shown and (playback.shown.channel, playback.shown.reader) not in seen.led:
            seen.led.append((playback.shown.channel, playback.shown.reader))
        if len(seen.told) == sentences and not playback.stopped:
            playback.stop()

    seen.playback = Playback(listen)
    USERS.play(harness, seen.playback)
    return seen


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """A play to its end, which tests only look at."""
    with bot_harness(tmp_path_factory.mktemp("played")) as harness:
        yield play(harness)


@pytest.mark.long
def test_a_play_goes_on_until_the_demoted_step_is_promoted_again(played: Played) -> None:
    harness = played.harness
    assert_golden("\n".join(played.told), "three-cycles")
    assert modes(harness) == {"draft": Mode.COLLABORATIVE, "send": Mode.AI_LED}
    assert Attestation.AS_DECLARED in {row.attestation for row in rows(harness, CheckIn)}
    for_curators = posts(harness, "C01CURATORS")
    [watch] = contexts(for_curators, Watch)
    assert (watch.step, watch.ended, watch.answered_by) == ("Send the edited reply", "demoted", "U01LEAD")
    assert watch.answer
    closed = [(one.team, one.number, one.result) for one in contexts(for_curators, CycleClosed)]
    assert ("Support EMEA", 1, "met") in closed
    assert date(2026, 5, 11) in {one.week_start for one in contexts(for_curators, Digest)}
    promoted = shown(for_curators[-1], Promoted)  # the Monday after is a holiday
    assert (promoted.step, promoted.after) == ("Send the edited reply", Mode.AI_LED)


@pytest.mark.long
def test_a_play_leads_to_where_the_action_is_and_recaps_the_cycle_in_five_messages(played: Played) -> None:
    harness, playback = played.harness, played.playback
    assert {("C01SUPEMEA", ""), ("D01AGENT1", "U01AGENT1"), ("C01SUPEMEA", "U01LEAD")} <= set(played.led)
    assert [moment.channel for moment in playback.moments] == ["C01SUPEMEA"] * 5
    kinds = [sent_kind(harness, moment.channel, moment.ts) for moment in playback.moments]
    assert kinds == ["watch", "target-reached", "demoted", "cycle-closed", "promoted"]
    texts = [harness.workspace.messages.get(one.channel, one.ts).text for one in playback.moments]
    assert [moment.label for moment in playback.moments] == texts


@pytest.mark.long
@pytest.mark.parametrize(
    ("passed", "logged"),
    [
        ("2026-03-05 09:05", 5),
        ("2026-03-18 12:00", 0),
        ("2026-03-28 12:00", 0),
    ],
    ids=["demoted by hand", "in week 3", "after the close"],
)
def test_a_play_shows_a_demotion_and_a_recovery_whatever_came_before(
    tmp_path: Path, passed: str, logged: int
) -> None:
    with bot_harness(tmp_path) as harness:
        begin(harness, passed, logged)
        began = max(one.ts for one in harness.workspace.messages.everywhere())
        playback = play(harness).playback
        kinds = {sent_kind(harness, one.channel, one.ts): one.ts for one in playback.moments}
        assert {"demoted", "promoted", "cycle-closed"} <= kinds.keys()
        assert kinds["cycle-closed"] > began
        assert len(contexts(posts(harness, "C01SUPEMEA"), Demoted)) == 1
        assert modes(harness)["send"] == Mode.AI_LED


@pytest.mark.long
def test_pressed_after_its_end_the_story_begins_again(tmp_path: Path) -> None:
    with bot_harness(tmp_path) as harness:
        play(harness)
        first = {row.week_start for row in rows(harness, CheckIn)}
        play(harness)
        later = {row.week_start for row in rows(harness, CheckIn)} - first
        assert sorted(later) == [max(first) + timedelta(weeks=week) for week in range(1, 13)]
        assert len(contexts(posts(harness, "C01SUPEMEA"), Demoted)) == 2
        assert modes(harness)["send"] == Mode.AI_LED


def test_a_paused_cycle_is_resumed_before_it_is_played(tmp_path: Path) -> None:
    with bot_harness(tmp_path) as harness:
        begin(harness, "2026-03-05 09:05", 0)
        harness.workspace.person("U01LEAD").types("/cadence cycle pause support-reply", channel="C01SUPEMEA")
        assert_golden(play(harness, 1).told[0], "resumed")
        [adoption] = [row for row in rows(harness, Adoption) if row.id == 1]
        assert adoption.state is AdoptionState.ACTIVE


@pytest.mark.long
def test_a_play_says_what_it_leaves_below_plan(tmp_path: Path) -> None:
    with bot_harness(tmp_path) as harness:
        begin(harness, "2026-03-05 09:05", 8)
        assert_golden(play(harness).playback.said, "still-collaborative")


def test_a_cycle_without_a_demotion_is_played_alone(tmp_path: Path) -> None:
    quiet = tmp_path / "answers"
    quiet.mkdir()
    (quiet / "support-reply.csv").write_text(
        "1,Thu,10:04,U01AGENT1,press As planned runs=15\n", encoding="utf-8"
    )
    with bot_harness(tmp_path) as harness:
        playback = Playback()
        replace(USERS, answers=quiet).play(harness, playback)
        assert_golden(playback.said, "one-cycle-complete")
        assert harness.clock.now().date() == date(2026, 3, 30)


def test_a_whole_file_is_played_to_its_end(tmp_path: Path) -> None:
    longer = tmp_path / "answers"
    longer.mkdir()
    (longer / "support-reply.csv").write_text(
        "1,Thu,10:04,U01AGENT1,press As planned runs=15\n"
        f"1,Fri,10:04,U01LEAD,{HANDOFF} => contract=1:1:0 what='refund 4711'\n"
        "6,Thu,10:04,U01AGENT1,press As planned runs=14\n",
        encoding="utf-8",
    )
    with bot_harness(tmp_path) as harness:
        told: list[str] = []
        playback = Playback(lambda: told.append(playback.said))
        replace(USERS, answers=longer, whole=True).play(harness, playback)
        assert_golden(playback.said, "file-complete")
        assert harness.clock.now().date() == date(2026, 4, 9)
        [post] = contexts(posts(harness, "C08BILLING"), HandoffPost)
        assert (post.handoff.to, post.handoff.what) == ("Billing", "refund 4711")
        replace(USERS, answers=longer, whole=True).play(harness, playback)
        assert_golden(playback.said, "file-over")
        [typed] = {said for said in told if HANDOFF in said}
        assert typed.endswith(HANDOFF)
        assert harness.workspace.person("U01LEAD").user.shown in typed


def test_demo_users_follow_their_file_repeatably_and_stop_at_once(
    harness: BotHarness, tmp_path: Path
) -> None:
    first = play(harness, 4).told
    (tmp_path / "other").mkdir()
    with bot_harness(tmp_path / "other") as other:
        assert play(other, 4).told == first
    assert_golden("\n".join(first), "stopped-after-a-check-in")
    [row] = shown(harness.workspace.person("U01AGENT1").last_dm(), CheckinMessage).rows
    assert row.answer is not None
    assert row.answer.runs == 15


def begin(harness: BotHarness, until: str, exceptions: int) -> None:
    """Start the cycle by hand, move the clock, and log some exceptions."""
    jana = harness.workspace.person("U01LEAD")
    jana.types("/cadence cycle start support-reply", channel="C01SUPEMEA")
    harness.play_until(datetime.fromisoformat(until).replace(tzinfo=UTC))
    for number in range(exceptions):
        jana.types(f"/exception send tone was off {number}", channel="C01SUPEMEA")
    harness.tick()


def modes(harness: BotHarness) -> dict[str, Mode]:
    """The modes of the steps of Support EMEA now."""
    uow = UnitOfWork(harness.bot.db, Actor(BUILT_IN_TEAM, "", "cli"), harness.clock.now())
    with uow.read():
        [view] = adoption_views(uow, playbook="support-reply", team="support-emea")
        return {key: Mode(row.mode) for key, row in current_modes(uow, view).items()}


def sent_kind(harness: BotHarness, channel: str, ts: str) -> str:
    """The kind of a message of the bot, by where it is."""
    uow = UnitOfWork(harness.bot.db, Actor(BUILT_IN_TEAM, "", "cli"), harness.clock.now())
    sent = deliveries_of(uow, Asked(state="sent", limit=2_000)).messages
    return next(one.kind for one in sent if (one.channel, one.ts) == (channel, ts) and one.kind != "rewrite")
