"""Every verdict, drift and promotion follows from the rows as of its time (SPEC §9)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from cadence.flows.history.replay import Replay, replay
from cadence.rules.verdicts import Decision
from storage.tables import ModeChange, StepVerdict
from storage.work import UnitOfWork
from tests.databases import copy_of
from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.plays import DESK, DESK_CHANNEL, at, changed, rows, says, start_cycle

OWNER, MEMBER, NEW, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"
PLAY = (
    ("2026-03-03 11:00", MEMBER, "/exception send tone was off"),
    ("2026-03-05 11:00", MEMBER, "/attest as-declared runs=20"),
    ("2026-03-05 12:00", OWNER, "/attest drifted draft=human-led runs=10"),
    ("2026-03-06 11:00", OWNER, "/attest drifted draft=human-led runs=20"),
    ("2026-03-06 11:30", MEMBER, "/exception send critical promised a refund"),
    *((f"2026-03-06 12:0{number}", MEMBER, "/exception draft not one was usable") for number in range(5)),
    ("2026-03-10 09:00", CURATOR, f"/cadence team join desk <@{NEW}>"),
    ("2026-03-10 10:00", MEMBER, "/exception send tone was off"),
    ("2026-03-10 11:00", MEMBER, "/exception send tone was off again"),
    ("2026-03-12 11:00", MEMBER, "/attest as-declared runs=9"),
    ("2026-03-12 12:00", MEMBER, "/exception send wrong policy"),
    ("2026-03-12 13:00", MEMBER, "/exception send wrong policy"),
    ("2026-03-13 10:00", NEW, "/attest drifted send=human-led runs=3"),
    ("2026-03-13 11:00", MEMBER, "/exception send wrong policy"),
    ("2026-03-16 10:00", OWNER, "/cadence rubric support-reply send revise refunds name their case"),
    ("2026-03-17 10:00", OWNER, "/cadence away 2026-03-16..2026-03-20"),
    ("2026-03-17 11:00", MEMBER, "/exception draft two of three were the same"),
    ("2026-03-18 10:00", NEW, "/attest as-declared runs=4"),
    ("2026-03-19 11:00", MEMBER, "/attest drifted send=human-led runs=12"),
    ("2026-03-20 11:00", OWNER, "/cadence away off"),
    ("2026-03-23 10:00", OWNER, "/cadence mode support-reply draft human-led nobody trusts the drafts"),
    ("2026-03-24 10:00", MEMBER, "/exception send tone was off"),
    ("2026-03-24 11:00", CURATOR, f"/cadence team leave desk <@{NEW}>"),
    ("2026-03-26 11:00", MEMBER, "/attest as-declared runs=15"),
    ("2026-03-26 12:00", MEMBER, "/attest as-declared runs=16"),
    ("2026-03-26 13:00", OWNER, "/cadence rubric support-reply send passes=19 samples=20"),
    ("2026-03-31 10:00", MEMBER, "/exception send critical promised a refund"),
    ("2026-04-02 11:00", MEMBER, "/attest as-declared runs=15"),
)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotHarness]:
    """Five weeks with demotions, watches, corrections, somebody who joins and leaves, and somebody away."""
    folder = tmp_path_factory.mktemp("replay")
    playbook = changed(
        EXAMPLES / "support-reply.yaml",
        folder,
        ("pilot: support-emea", "pilot: desk"),
        ("exception_cap: 0.05", "exception_cap: 0.10"),
    )
    with bot_harness(folder, workspace=DESK, playbooks=[playbook]) as harness:
        start_cycle(harness, "support-reply")
        for moment, member, words in PLAY:
            harness.play_until(at(moment))
            says(harness.workspace.person(member), words, channel=DESK_CHANNEL)
            assert harness.workspace.person(member).view() is None, words
            harness.tick()
        yield harness


def replayed(harness: BotHarness) -> Replay:
    with harness.bot.db.read() as session:
        return replay(UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM), harness.clock.now()))


def test_every_decision_is_the_same_when_it_is_judged_again(played: BotHarness) -> None:
    verdicts = rows(played, StepVerdict)
    decisions = {row.decision for row in verdicts}
    assert decisions == {Decision.DEMOTE, Decision.WATCH, Decision.HOLD}
    assert any(row.closing for row in verdicts)
    assert len([row for row in rows(played, ModeChange) if row.kind == "demotion"]) >= 2
    found = replayed(played)
    assert found.differences == ()
    assert (found.verdicts, found.skipped) == (len(verdicts), 0)
    assert found.verdicts >= 15
    assert found.drifts >= 1
    assert found.promotions >= 1


TAMPERINGS: dict[str, str] = {
    "a check-in's runs": "UPDATE check_in SET runs = runs + 30 WHERE id = 1",
    "an exception's step": "UPDATE exception SET step = 'send' WHERE step = 'draft'",
    "an exception that is gone": "DELETE FROM exception WHERE step = 'draft'",
    "who was in the team": "UPDATE team_member SET joined_at = '2026-03-30 00:00:00' WHERE member = 'U01LEAD'",
    "a verdict": "UPDATE verdict SET decision = 'hold' WHERE decision = 'watch'",
    "a mode change": "UPDATE mode_change SET \"after\" = 'ai-led' WHERE kind = 'demotion'",
    "the mode people attested": "UPDATE drifted_step SET mode = 'ai-led'",
    "what a promotion counted": "UPDATE promotion SET passes = passes + 1",
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_a_row_that_was_tampered_with_shows(played: BotHarness, what: str, tmp_path: Path) -> None:
    with copy_of(played.bot.db, tmp_path / "copy.db") as db:
        with db.write() as session:
            assert session.connection().exec_driver_sql(TAMPERINGS[what]).rowcount
        with db.read() as session:
            found = replay(UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM), played.clock.now()))
    assert found.differences, what
