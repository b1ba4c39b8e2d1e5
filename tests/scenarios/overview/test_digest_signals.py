"""Signals in the digest: unsettled drift, a contradiction, a hero, declared modes (SPEC §5, §6)."""

from pathlib import Path

from cadence.rules.modes import Mode
from storage.tables import AdoptionStep
from templates.contexts.checkins import Attested
from templates.contexts.numbers import Recorded
from templates.contexts.overview.digests import Digest, Tally
from tests.contexts import assert_golden, is_shown, shown
from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.plays import CURATORS, DESK, DESK_CHANNEL, at, changed, posts, rows, start_cycle

OWNER, MEMBER, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"


def test_the_digest_names_what_no_number_shows(tmp_path: Path) -> None:
    playbook = changed(EXAMPLES / "support-reply.yaml", tmp_path, ("pilot: support-emea", "pilot: desk"))
    with bot_harness(tmp_path, workspace=DESK, playbooks=[playbook]) as harness:
        start_cycle(harness, "support-reply")

        def week(thursday: str, minutes: int, answer: str = "as-declared") -> None:
            harness.play_until(at(f"{thursday} 12:00"))
            for member, words in (
                (OWNER, f"/kpi {minutes}m"),
                (OWNER, "/attest as-declared runs=5"),
                (MEMBER, f"/attest {answer} runs=45"),
            ):
                said = harness.workspace.person(member).types(words, channel=DESK_CHANNEL)
                assert is_shown(said, Attested) or is_shown(said, Recorded), said.words
            harness.tick()

        def digest() -> Digest:
            curator = harness.workspace.person(CURATOR)
            return shown(curator.types("/cadence digest", channel=DESK_CHANNEL), Digest)

        week("2026-03-05", 50)
        harness.workspace.person(MEMBER).types("/exception send tone was off", channel=DESK_CHANNEL)
        week("2026-03-12", 55)
        harness.play_until(at("2026-03-16 12:00"))
        second = shown(posts(harness, CURATORS)[-1], Digest)
        [hero] = second.notes
        assert_golden(hero, "hero")
        assert second.exceptions == Tally(now=0, before=1)

        week("2026-03-19", 60)
        harness.play_until(at("2026-03-23 12:00"))
        third = shown(posts(harness, CURATORS)[-1], Digest)
        assert_golden(third.notes[0], "contradiction")
        [row] = third.rows
        assert row.busy
        assert (row.demoted, row.over, row.broken) == (False, False, None)

        week("2026-03-26", 61, "drifted draft=human-led")
        assert digest().decisions == ()
        harness.workspace.person(OWNER).types(
            "/cadence mode support-reply draft human-led nobody trusts the drafts", channel=DESK_CHANNEL
        )
        assert {row.step: row.mode for row in rows(harness, AdoptionStep)}["draft"] is Mode.HUMAN_LED
        assert_golden(digest().notes[-1], "set-by-hand")
