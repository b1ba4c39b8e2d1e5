"""A channel that messages can't reach is a decision for the curators, and the ledger has the reason."""

from dataclasses import replace
from pathlib import Path

from bot.rehearsal.harness import BotHarness
from storage.tables import MessageState
from tests.scenarios.plays import CURATORS, at, ledger, posts, says, start_cycle

ROOM = "C01SUPEMEA"


def shut(harness: BotHarness, *, archived: bool) -> None:
    room = harness.workspace.channel(ROOM)
    members = room.members if archived else room.members - {harness.workspace.app.user}
    harness.workspace.save_channel(replace(room, archived=archived, members=members))


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
    shown = harness.workspace.person("U01CURATOR").types("/cadence", "digest", channel=CURATORS).words
    bot = harness.workspace.app.user
    assert (
        f"couldn't go to <#{ROOM}> (Support EMEA): the app isn't in it. Type /invite <@{bot}> there." in shown
    )

    harness.workspace.save_channel(
        replace(harness.workspace.channel(ROOM), members=harness.workspace.channel(ROOM).members | {bot})
    )
    harness.play_until(at("2026-03-04 14:00"))
    assert ledger(harness, "demoted", MessageState.DUE) == []
    shown = harness.workspace.person("U01CURATOR").types("/cadence", "digest", channel=CURATORS).words
    assert "couldn't go to" not in shown


def test_an_archived_channel_is_named_first_in_mondays_digest(harness: BotHarness) -> None:
    start_cycle(harness, "support-reply", team="support-emea")
    harness.play_until(at("2026-03-04 12:00"))
    shut(harness, archived=True)
    says(harness.workspace.person("U01LEAD"), "/exception send critical a price was made up")
    harness.play_until(at("2026-03-09 12:00"))
    digest = posts(harness, CURATORS)[-1].words
    assert f"couldn't go to <#{ROOM}> (Support EMEA): it's archived." in digest
    assert digest.index("couldn't go to") < digest.index("was demoted")
