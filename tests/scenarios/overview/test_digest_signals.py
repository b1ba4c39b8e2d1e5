"""Signals in the digest: unsettled drift, a contradiction, a hero, declared modes (SPEC §5, §6)."""

from pathlib import Path

from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.plays import CURATORS, DESK, DESK_CHANNEL, at, changed, posts, start_cycle

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
                assert said.text.startswith("✓"), said.words
            harness.tick()

        week("2026-03-05", 50)
        harness.workspace.person(MEMBER).types("/exception send tone was off", channel=DESK_CHANNEL)
        week("2026-03-12", 55)
        harness.play_until(at("2026-03-16 12:00"))
        second = posts(harness, CURATORS)[-1].words
        assert "got worse" not in second
        assert (
            "one person reports most of the runs. <@U01AGENT1> reported 90 of 100 runs (90%, limit 80%)"
            in second
        )
        assert "Exceptions: 0 (−1)" in second

        week("2026-03-19", 60)
        harness.play_until(at("2026-03-23 12:00"))
        third = posts(harness, CURATORS)[-1].words
        assert (
            "🟡 Support reply (Desk): every check-in says as planned (6 times), but First response time got worse "
            "3 weeks in a row: 42 min → 50 min → 55 min → " in third
        )
        assert "🟡 Busy, not improving" in third

        week("2026-03-26", 61, "drifted draft=human-led")
        shown = harness.workspace.person(CURATOR).types("/cadence digest", channel=DESK_CHANNEL)
        assert "Settle a drift" not in shown.words
        harness.workspace.person(OWNER).types(
            "/cadence mode support-reply draft human-led nobody trusts the drafts", channel=DESK_CHANNEL
        )
        shown = harness.workspace.person(CURATOR).types("/cadence digest", channel=DESK_CHANNEL)
        assert "Set by hand: “Draft three replies”, collaborative → human-led" in shown.words
