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
from templates.contexts.base import Evidence, Kpi
from templates.contexts.gates import WeekOpens
from templates.contexts.overview.digests import Coverage, Digest
from templates.contexts.overview.home import Home
from templates.contexts.overview.statuses import Status, StepNow, Why
from templates.contexts.standards import Watch
from tests.contexts import Shown, assert_golden, contexts, is_shown, shown, words
from tests.harnesses import bot_harness
from tests.scenarios.plays import CURATORS, DESK, DESK_CHANNEL, REPLY, SOLO_CHANNEL, at, posts, start_cycle
from tests.scenarios.standards.test_verdicts_end_to_end import attest, log, seed_playbook

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"


def opening(harness: BotHarness, week: int) -> Kpi:
    """The number in the post that opens a week."""
    return next(one.kpi for one in contexts(posts(harness, DESK_CHANNEL), WeekOpens) if one.week == week)


def step(said: Shown, key: str) -> StepNow:
    """A step in the status of one playbook."""
    [row] = shown(said, Status).rows
    return next(one for one in row.steps if one.key == key)


def test_the_week_opens_with_its_own_number_and_keeps_the_last_one_given(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        lead = harness.workspace.person(LEAD)
        harness.play_until(at("2026-03-05 12:00"))
        assert (opening(harness, 1).value, opening(harness, 1).earlier) == (None, None)
        lead.types("/kpi 20m", channel=DESK_CHANNEL)
        harness.tick()
        assert (opening(harness, 1).name, opening(harness, 1).value) == ("First response time", 20)

        harness.play_until(at("2026-03-09 12:00"))
        second = opening(harness, 2)
        assert (second.value, second.earlier, second.earlier_week, second.target) == (None, 20, 1, 15)
        lead.types("/kpi 18m week=1", channel=DESK_CHANNEL)
        lead.types("/kpi 16m week=2", channel=DESK_CHANNEL)
        harness.tick()
        assert opening(harness, 1).value == 18, "the last number, not the first"
        assert opening(harness, 2).value == 16


def test_runs_nobody_reported_are_no_runs(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-02 12:00"))
        lead = harness.workspace.person(LEAD)
        status = lead.types("/cadence status", channel=DESK_CHANNEL)
        draft = step(status, "draft")
        assert (draft.title, draft.mode, draft.state) == ("Draft the reply", "collaborative", "idle")
        assert draft.evidence is not None
        assert (draft.evidence.exceptions, draft.evidence.reported, draft.evidence.cap) == (0, 0, 0.1)
        assert_golden(status, "no-runs-reported-yet")
        [playbook] = [one.playbook for one in shown(lead.opens_home(), Home).items if one.playbook]
        assert [one.state for one in playbook.steps] == ["idle", "idle"]
        harness.play_until(at("2026-03-05 12:00"))
        lead.types("/attest as-declared runs=26", channel=DESK_CHANNEL)
        for number in range(4):
            lead.types(f"/exception send tone was off {number}", channel=DESK_CHANNEL)
        harness.tick()
        status = lead.types("/cadence status", channel=DESK_CHANNEL)
        send = step(status, "send").evidence
        assert send is not None
        assert (send.exceptions, send.reported, send.assumed, send.cap) == (4, 26, 20, 0.1)
        assert send.percent == "9%"
        assert send.percent in status.words


def test_a_digest_counts_only_check_ins_that_were_asked_for(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 12:00"))
        for member in (LEAD, AGENT):
            harness.workspace.person(member).types("/attest as-declared runs=9", channel=DESK_CHANNEL)
        harness.play_until(at("2026-03-09 11:01"))
        curator = harness.workspace.person(CURATOR)
        monday = shown(curator.types("/cadence digest"), Digest)
        assert (monday.over, monday.coverage) == (False, None)
        two = Coverage(answered=2, asked=2)
        assert shown(posts(harness, CURATORS)[-1], Digest).coverage == two
        harness.play_until(at("2026-03-12 12:00"))
        harness.workspace.person(LEAD).types("/attest as-declared runs=9", channel=DESK_CHANNEL)
        thursday = shown(curator.types("/cadence digest"), Digest)
        assert (thursday.over, thursday.coverage) == (False, Coverage(answered=1, asked=2))


@pytest.mark.parametrize(("runs", "exceptions", "share"), [(40, 5, "13%"), (48, 6, "13%"), (39, 4, "10.3%")])
def test_alert_digest_and_whatif_say_the_same_share(
    tmp_path: Path, runs: int, exceptions: int, share: str
) -> None:
    def says_it(said: Shown, evidence: Evidence | None) -> None:
        assert evidence is not None
        assert (evidence.exceptions, evidence.runs, evidence.reported) == (exceptions, runs, runs)
        assert (evidence.percent, evidence.cap) == (share, 0.1)
        assert share in words(said)

    with seed_playbook(tmp_path) as harness:
        attest(harness, runs)
        log(harness, exceptions)
        [alert] = [one for one in posts(harness, SOLO_CHANNEL) if is_shown(one, Watch)]
        says_it(alert, shown(alert, Watch).evidence)
        [copy] = contexts(posts(harness, CURATORS), Watch)
        assert copy.evidence == shown(alert, Watch).evidence
        person = harness.workspace.person("U01AGENT2")
        status = person.types("/cadence status", channel=SOLO_CHANNEL)
        says_it(status, step(status, "send").evidence)
        why = person.types("/cadence why support-reply send", channel=SOLO_CHANNEL)
        decided = shown(why, Why).decided
        assert decided is not None
        says_it(why, decided.evidence)
        digest = harness.workspace.person(CURATOR).types("/cadence digest")
        [row] = shown(digest, Digest).rows
        says_it(digest, row.evidence)
        found = what_if(
            UnitOfWork(harness.bot.db, Actor.system(BUILT_IN_TEAM), harness.clock.now()),
            playbook="support-reply",
            thresholds=read_thresholds(cap="0.1", rule=None, min_runs=None, confidence=None),
            step="send",
        )
        lines = "\n".join(
            plain(as_parts(found, read_thresholds(cap="0.1", rule=None, min_runs=None, confidence=None)))
        )
        assert_golden(lines, f"whatif:{exceptions}-in-{runs}")
        [window] = found.windows
        assert window.happened.watched is not None
        assert window.happened.watched.evidence.runs == runs
        if window.happened.watched.evidence.exceptions == exceptions:
            assert share in lines
