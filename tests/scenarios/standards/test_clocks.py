"""Evidence is ordered by the sequence of writing, whatever the clocks of the processes say (SPEC §5)."""

from datetime import timedelta
from pathlib import Path

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from cadence.flows.core.adoptions import adoption_by_id, require_cycle
from cadence.flows.history.replay import replay
from cadence.flows.standards.drifts import see_drift
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Line
from storage.tables import Adoption, ModeChange
from storage.work import UnitOfWork
from templates.contexts.checkins import Attested, Drift
from templates.contexts.overview.digests import Digest
from templates.contexts.standards import Watch
from templates.ids import Action
from tests.contexts import actions, is_shown, shown
from tests.scenarios.plays import CURATORS, SOLO_CHANNEL, at, posts, rows
from tests.scenarios.standards.test_verdicts_end_to_end import (
    MEMBER,
    attest,
    log,
    mode,
    seed_playbook,
    verdicts,
    watches,
)

BEHIND = timedelta(minutes=10)


def step_back(harness: BotHarness, by: timedelta = BEHIND) -> None:
    """The next process to answer has a clock behind that of the last one."""
    harness.clock.set(harness.clock.now() - by)


def declare(harness: BotHarness, mode: str) -> None:
    said = harness.workspace.person("U01CURATOR").types(
        f"/cadence mode support-reply send {mode} team=solo we start over", channel=SOLO_CHANNEL
    )
    harness.tick()
    last = rows(harness, ModeChange)[-1]
    assert (last.kind, last.step, last.after) == ("declaration", "send", mode), said.words


def assert_replay_agrees(harness: BotHarness) -> None:
    with harness.bot.db.read() as session:
        again = replay(
            UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM), harness.clock.now() + timedelta(days=1))
        )
    assert again.differences == ()


def test_a_critical_exception_counts_although_the_clock_went_back(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        declare(harness, "collaborative")
        step_back(harness)
        log(harness, 1, "critical promised a refund")

        last = verdicts(harness)[-1]
        assert (last.line, last.exceptions, last.critical) == (Line.CRITICAL, 1, 1)
        assert_replay_agrees(harness)


def test_what_was_counted_before_a_demotion_stays_out_although_the_clock_was_ahead(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        attest(harness, 40)
        harness.clock.set(harness.clock.now() + BEHIND)
        log(harness, 6)
        step_back(harness)
        log(harness, 1)
        assert mode(harness) is Mode.COLLABORATIVE
        step_back(harness)
        said = log(harness, 1)
        last = verdicts(harness)[-1]
        assert (last.exceptions, last.attested, last.assumed) == (1, 0, 40), said
        assert_replay_agrees(harness)


def test_an_answer_after_a_demotion_is_attested_although_the_clock_went_back(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        declare(harness, "collaborative")
        step_back(harness)
        attest(harness, 30)
        log(harness, 1)
        last = verdicts(harness)[-1]
        assert (last.exceptions, last.attested, last.assumed) == (1, 30, 0)
        assert_replay_agrees(harness)


def test_a_watch_begun_and_answered_by_clocks_that_differ(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        declare(harness, "collaborative")
        step_back(harness)
        attest(harness, 40)
        log(harness, 5)
        assert verdicts(harness)[-1].decision is Decision.WATCH
        [alert] = [one for one in posts(harness, CURATORS) if is_shown(one, Watch)]
        step_back(harness)
        curator = harness.workspace.person("U01CURATOR")
        curator.clicks(alert, "Add a plan")
        curator.submits({"note": "Two people read each reply"})
        harness.tick()
        [watch] = watches(harness)
        assert (watch.step, watch.answer) == ("Send the edited reply", "Two people read each reply")
        said = curator.types("/cadence digest")
        [row] = shown(said, Digest).rows
        assert (row.demoted, row.critical, row.over) == (False, False, True)
        assert row.step == "Send the edited reply"
        assert Action.SAY_WHAT_CHANGES not in actions(said)


def test_drift_is_counted_after_a_declaration_by_another_clock(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as harness:
        declare(harness, "collaborative")
        step_back(harness)
        person = harness.workspace.person(MEMBER)
        for week, day in enumerate(("05", "12"), start=1):
            if week > 1:
                harness.play_until(at(f"2026-03-{day} 12:00"))
            said = person.types("/attest drifted runs=10 send=ai-led", channel=SOLO_CHANNEL)
            harness.tick()
            [row] = shown(said, Attested).rows
            assert row.answer.drifts == (Drift(step="Send the edited reply", mode="ai-led"),)
        with harness.bot.db.read() as session:
            [adoption] = rows(harness, Adoption)
            run = adoption_by_id(
                UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM), harness.clock.now()),
                adoption_id=adoption.id or 0,
            )
            seen = see_drift(
                UnitOfWork.around(session, Actor.system(run.workspace.id)),
                run,
                require_cycle(run),
                run.step("send"),
            )
        assert (seen.verdict.drifted, seen.verdict.attested) == (2, 2)
        assert_replay_agrees(harness)
