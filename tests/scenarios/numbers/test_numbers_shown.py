"""Displayed numbers are correct: this week's number, reported runs, check-ins that were asked for."""

from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.ops.terminal_output import plain
from bot.ops.whatif import as_parts, read_thresholds
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from cadence.flows.history.whatif import what_if
from storage.work import UnitOfWork
from tests.harnesses import bot_harness
from tests.scenarios.plays import CURATORS, DESK, DESK_CHANNEL, REPLY, SOLO_CHANNEL, at, posts, start_cycle
from tests.scenarios.standards.test_verdicts_end_to_end import alerts, attest, log, seed_playbook

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"


def opening(harness: BotHarness, week: int) -> str:
    return next(one.words for one in posts(harness, DESK_CHANNEL) if f"week {week}: " in one.text)


def test_the_week_opens_with_its_own_number_and_keeps_the_last_one_given(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        lead = harness.workspace.person(LEAD)
        harness.play_until(at("2026-03-05 12:00"))
        assert "First response time: no data yet" in opening(harness, 1)
        lead.types("/kpi 20m", channel=DESK_CHANNEL)
        harness.tick()
        assert "First response time 20 min" in opening(harness, 1)

        harness.play_until(at("2026-03-09 12:00"))
        assert "First response time 20 min last week → target 15 min" in opening(harness, 2)
        lead.types("/kpi 18m week=1", channel=DESK_CHANNEL)
        lead.types("/kpi 16m week=2", channel=DESK_CHANNEL)
        harness.tick()
        assert "First response time 18 min" in opening(harness, 1), "the last number, not the first"
        assert "First response time 16 min" in opening(harness, 2)


def test_runs_nobody_reported_are_no_runs(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-02 12:00"))
        lead = harness.workspace.person(LEAD)
        status = lead.types("/cadence status", channel=DESK_CHANNEL).words
        assert "Draft the reply\ncollaborative\nno runs reported yet\n10%" in status
        assert "0 in" not in status
        home = lead.opens_home().words
        assert "2 steps without runs yet" in home
        harness.play_until(at("2026-03-05 12:00"))
        lead.types("/attest as-declared runs=26", channel=DESK_CHANNEL)
        for number in range(4):
            lead.types(f"/exception send tone was off {number}", channel=DESK_CHANNEL)
        harness.tick()
        status = lead.types("/cadence status", channel=DESK_CHANNEL).words
        assert "\n4 in 26 reported runs (+20 estimated), 9%\n10%" in status


def test_a_digest_counts_only_check_ins_that_were_asked_for(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 12:00"))
        for member in (LEAD, AGENT):
            harness.workspace.person(member).types("/attest as-declared runs=9", channel=DESK_CHANNEL)
        harness.play_until(at("2026-03-09 11:01"))
        curator = harness.workspace.person(CURATOR)
        monday = curator.types("/cadence digest").words
        assert "No check-ins asked for yet this week" in monday
        assert "down from" not in monday
        assert "Check-ins: 2 of 2" in posts(harness, CURATORS)[-1].words
        harness.play_until(at("2026-03-12 12:00"))
        harness.workspace.person(LEAD).types("/attest as-declared runs=9", channel=DESK_CHANNEL)
        assert "Check-ins: 1 of 2 so far" in curator.types("/cadence digest").words


@pytest.mark.parametrize(("runs", "exceptions", "shown"), [(40, 5, "13%"), (48, 6, "13%"), (39, 4, "10.3%")])
def test_alert_digest_and_whatif_say_the_same_share(
    tmp_path: Path, runs: int, exceptions: int, shown: str
) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, runs)
        log(harness, exceptions)
        counts = f"{exceptions} exceptions in {runs} reported runs, {shown} (cap 10%)"
        [(in_team, _)] = alerts(harness, "“Send the edited reply” is over its cap")
        assert f"{exceptions} in {runs} reported runs\n*Rate / cap*\n{shown} / 10%" in in_team
        person = harness.workspace.person("U01AGENT2")
        in_table = f"\n{exceptions} in {runs} reported runs, {shown}\n10%"
        assert in_table in person.types("/cadence status", channel=SOLO_CHANNEL).words
        assert counts in person.types("/cadence why support-reply send", channel=SOLO_CHANNEL).words
        assert f"{in_table[:-4]} / 10%" in harness.workspace.person(CURATOR).types("/cadence digest").words
        found = what_if(
            UnitOfWork(harness.bot.db, Actor.system(BUILT_IN_TEAM), harness.clock.now()),
            playbook="support-reply",
            thresholds=read_thresholds(cap="0.1", rule=None, min_runs=None, confidence=None),
            step="send",
        )
        lines = "\n".join(
            plain(as_parts(found, read_thresholds(cap="0.1", rule=None, min_runs=None, confidence=None)))
        )
        assert f"in {runs} (" in lines
        [window] = found.windows
        assert window.happened.watched is not None
        first = window.happened.watched.evidence.exceptions
        if first == exceptions:
            assert f"{exceptions} in {runs} ({shown})" in lines
