"""Evidence is told apart by the order in which it was written, whatever the clocks of the processes say (SPEC §5)."""

from datetime import timedelta
from pathlib import Path

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import Stage
from cadence.actor import Actor
from cadence.flows.core.adoptions import require_cycle, run_by_id
from cadence.flows.history.replay import replay
from cadence.flows.standards.drifts import see_drift
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Line
from storage.tables import Adoption
from storage.work import UnitOfWork
from tests.scenarios.plays import CURATORS, SOLO_CHANNEL, at, posts, rows
from tests.scenarios.test_verdicts_end_to_end import (
    MEMBER,
    alerts,
    attest,
    log,
    mode,
    seed_playbook,
    verdicts,
)

BEHIND = timedelta(minutes=10)


def step_back(stage: Stage, by: timedelta = BEHIND) -> None:
    """The next process that answers has a clock behind the one that answered last."""
    stage.clock.set(stage.clock.now() - by)


def declare(stage: Stage, mode: str) -> None:
    said = stage.workspace.person("U01CURATOR").types(
        f"/cadence mode support-reply send {mode} team=solo we start over", channel=SOLO_CHANNEL
    )
    stage.tick()
    assert "from now on" in said.text, said.words


def assert_replay_agrees(stage: Stage) -> None:
    with stage.bot.db.read() as session:
        again = replay(
            UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM), stage.clock.now() + timedelta(days=1))
        )
    assert again.differences == ()


def test_a_critical_exception_counts_although_the_clock_went_back(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        declare(stage, "collaborative")
        step_back(stage)
        log(stage, 1, "critical promised a refund")

        last = verdicts(stage)[-1]
        assert (last.line, last.exceptions, last.critical) == (Line.CRITICAL, 1, 1)
        assert_replay_agrees(stage)


def test_what_was_counted_before_a_demotion_stays_out_although_the_clock_was_ahead(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        attest(stage, 40)
        stage.clock.set(stage.clock.now() + BEHIND)
        log(stage, 6)
        step_back(stage)
        log(stage, 1)
        assert mode(stage) is Mode.COLLABORATIVE
        step_back(stage)
        said = log(stage, 1)
        last = verdicts(stage)[-1]
        assert (last.exceptions, last.attested, last.assumed) == (1, 0, 40), said
        assert_replay_agrees(stage)


def test_an_answer_after_a_demotion_is_attested_although_the_clock_went_back(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        declare(stage, "collaborative")
        step_back(stage)
        attest(stage, 30)
        log(stage, 1)
        last = verdicts(stage)[-1]
        assert (last.exceptions, last.attested, last.assumed) == (1, 30, 0)
        assert_replay_agrees(stage)


def test_a_watch_begun_and_answered_by_clocks_that_differ(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        declare(stage, "collaborative")
        step_back(stage)
        attest(stage, 40)
        log(stage, 5)
        assert verdicts(stage)[-1].decision is Decision.WATCH
        [alert] = [one for one in posts(stage, CURATORS) if "Over the cap" in one.text]
        step_back(stage)
        curator = stage.workspace.person("U01CURATOR")
        curator.clicks(alert, "Say what changes")
        curator.submits({"note": "Two people read each reply"})
        stage.tick()
        for told in alerts(stage, "Over the cap:")[0]:
            assert "Two people read each reply" in told
        digest = curator.types("/cadence digest").words
        assert "nobody has said what changes" not in digest
        assert "Over the cap: Send the edited reply" in digest


def test_drift_is_counted_after_a_declaration_by_another_clock(tmp_path: Path) -> None:
    with seed_playbook(tmp_path) as stage:
        declare(stage, "collaborative")
        step_back(stage)
        person = stage.workspace.person(MEMBER)
        for week, day in enumerate(("05", "12"), start=1):
            if week > 1:
                stage.play_until(at(f"2026-03-{day} 12:00"))
            said = person.types("/attest drifted runs=10 send=ai-led", channel=SOLO_CHANNEL)
            stage.tick()
            assert "Recorded" in said.text, said.words
        with stage.bot.db.read() as session:
            [adoption] = rows(stage, Adoption)
            run = run_by_id(
                UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM), stage.clock.now()),
                adoption_id=adoption.id or 0,
            )
            seen = see_drift(
                UnitOfWork.around(session, Actor.system(run.workspace.id)),
                run,
                require_cycle(run),
                run.step("send"),
            )
        assert (seen.verdict.drifted, seen.verdict.attested) == (2, 2)
        assert_replay_agrees(stage)
