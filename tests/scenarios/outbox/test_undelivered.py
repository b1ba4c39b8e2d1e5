"""A channel that messages can't reach is a decision for the curators, and the ledger has the reason."""

from dataclasses import replace
from pathlib import Path

from bot.rehearsal.harness import BotHarness
from storage.tables import MessageState
from templates.contexts.overview.digests import Decision, Digest
from templates.ids import Action
from tests.contexts import Shown, assert_golden, shown
from tests.scenarios.plays import CURATORS, at, ledger, posts, says, start_cycle

ROOM = "C01SUPEMEA"


def shut(harness: BotHarness, *, archived: bool) -> None:
    room = harness.workspace.channel(ROOM)
    members = room.members if archived else room.members - {harness.workspace.app.user}
    harness.workspace.save_channel(replace(room, archived=archived, members=members))


def about_room(digest: Shown) -> list[str]:
    """What a digest asks the curators to do about the room."""
    return [words(one) for one in shown(digest, Digest).decisions if ROOM in one.text]


def words(decision: Decision) -> str:
    return f"{decision.title}\n{decision.text}"


def test_a_channel_the_bot_is_not_in_is_a_decision_until_it_is_invited(
    harness: BotHarness, tmp_path: Path
) -> None:
    start_cycle(harness, "support-reply", team="support-emea")
    shut(harness, archived=False)
    harness.play_until(at("2026-03-04 12:00"))
    owner = harness.workspace.person("U01LEAD")
    says(owner, "/exception send critical a price was made up")
    harness.tick()
    [waits] = ledger(harness, "demoted", MessageState.DUE)
    assert (waits.recipient, waits.reason, waits.attempts) == (ROOM, "not_in_channel", 1)
    digest = harness.workspace.person("U01CURATOR").types("/cadence", "digest", channel=CURATORS)
    bot = harness.workspace.app.user
    [decision] = about_room(digest)
    assert bot in decision
    assert_golden(decision, "not-in-the-channel")

    harness.workspace.save_channel(
        replace(harness.workspace.channel(ROOM), members=harness.workspace.channel(ROOM).members | {bot})
    )
    harness.play_until(at("2026-03-04 14:00"))
    assert ledger(harness, "demoted", MessageState.DUE) == []
    digest = harness.workspace.person("U01CURATOR").types("/cadence", "digest", channel=CURATORS)
    assert about_room(digest) == []


def test_an_archived_channel_is_named_first_in_mondays_digest(harness: BotHarness) -> None:
    start_cycle(harness, "support-reply", team="support-emea")
    harness.play_until(at("2026-03-04 12:00"))
    shut(harness, archived=True)
    says(harness.workspace.person("U01LEAD"), "/exception send critical a price was made up")
    harness.play_until(at("2026-03-09 12:00"))
    digest = posts(harness, CURATORS)[-1]
    first, *others = shown(digest, Digest).decisions
    assert words(first) in about_room(digest)
    assert_golden(words(first), "archived")
    assert Action.REVISE_RUBRIC in [one.offer.action for one in others if one.offer], (
        "the demotion comes later"
    )
