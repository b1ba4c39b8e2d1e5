"""A channel that messages can't reach is a decision for the curators, and the ledger tells why."""

from dataclasses import replace
from pathlib import Path

from bot.rehearsal.harness import Stage
from storage.tables import MessageState
from tests.scenarios.plays import CURATORS, at, ledger, posts, says, start_cycle

ROOM = "C01SUPEMEA"


def shut(stage: Stage, *, archived: bool) -> None:
    room = stage.workspace.channel(ROOM)
    members = room.members if archived else room.members - {stage.workspace.app.user}
    stage.workspace.save_channel(replace(room, archived=archived, members=members))


def test_a_channel_the_bot_is_not_in_is_a_decision_until_it_is_invited(stage: Stage, tmp_path: Path) -> None:
    start_cycle(stage, "support-reply", team="support-emea")
    shut(stage, archived=False)
    stage.play_until(at("2026-03-04 12:00"))
    owner = stage.workspace.person("U01LEAD")
    says(owner, "/exception send critical a price was made up")
    stage.tick()
    [waits] = ledger(stage, "demoted", MessageState.DUE)
    assert (waits.recipient, waits.reason, waits.attempts) == (ROOM, "not_in_channel", 1)
    shown = stage.workspace.person("U01CURATOR").types("/cadence", "digest", channel=CURATORS).words
    bot = stage.workspace.app.user
    assert (
        f"couldn't go to <#{ROOM}> (Support EMEA): the bot isn't in it. Type /invite <@{bot}> there." in shown
    )

    stage.workspace.save_channel(
        replace(stage.workspace.channel(ROOM), members=stage.workspace.channel(ROOM).members | {bot})
    )
    stage.play_until(at("2026-03-04 14:00"))
    assert ledger(stage, "demoted", MessageState.DUE) == []
    shown = stage.workspace.person("U01CURATOR").types("/cadence", "digest", channel=CURATORS).words
    assert "couldn't go to" not in shown


def test_an_archived_channel_is_named_first_in_mondays_digest(stage: Stage) -> None:
    start_cycle(stage, "support-reply", team="support-emea")
    stage.play_until(at("2026-03-04 12:00"))
    shut(stage, archived=True)
    says(stage.workspace.person("U01LEAD"), "/exception send critical a price was made up")
    stage.play_until(at("2026-03-09 12:00"))
    digest = posts(stage, CURATORS)[-1].words
    assert f"couldn't go to <#{ROOM}> (Support EMEA): it is archived." in digest
    assert digest.index("couldn't go to") < digest.index("was demoted")
