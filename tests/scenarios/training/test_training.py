"""A champion is trained: checklist, lessons, samples graded like the owner (SPEC §6: no champion, no access)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from cadence.flows.core import adoption_by_id
from cadence.flows.training import ChampionTraining, grade_sample, training_of
from cadence.refusals import NotAllowed, Refusal
from storage.tables import (
    Adoption,
    LessonsRead,
    TrainingGrade,
    TrainingSample,
    Wave,
    WavePhase,
    WaveState,
    WaveTeam,
)
from storage.work import UnitOfWork
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    DESK,
    REPLY,
    SOLO_CHANNEL,
    at,
    bot_dms,
    changed,
    entries,
    posts,
    rows,
    start_cycle,
)

LEAD, AGENT, SOLO, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"
TEXTS = [f"Dear customer {number}, we're looking into it." for number in range(5)]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of the desk's first week; a lesson is there, and `solo` has adopted the playbook."""
    file = changed(
        REPLY, tmp_path, ("runs_per_week: 40", "runs_per_week: 40\nchecklist: [connect the queue]")
    )
    with bot_harness(tmp_path, workspace=DESK, playbooks=[file]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 10:42"))
        types(harness, AGENT, "/cadence learn reply Load the policy first")
        types(harness, LEAD, f"/cadence adopt reply team=solo champion=<@{SOLO}>")
        yield harness


def types(harness: BotHarness, member: str, text: str, channel: str | None = None) -> str:
    said = harness.workspace.person(member).types(text, channel=channel)
    harness.tick()
    return said.words


def add(harness: BotHarness, text: str, grade: str = "accept", **more: str) -> str:
    owner = harness.workspace.person(LEAD)
    owner.types("/cadence train reply add")
    done = owner.submits({"step": "1:draft", "text": text, "grade": grade, **more})
    assert not done.errors, done.errors
    harness.tick()
    return owner.form().words


def add_five(harness: BotHarness) -> None:
    """Four to accept, one to reject, with the reason."""
    for text in TEXTS[:4]:
        add(harness, text)
    add(harness, TEXTS[4], "reject", note="It promises a refund.")


def in_wave(harness: BotHarness) -> None:
    """Put `solo` in an open wave."""
    with harness.bot.db.write() as session:
        (team,) = [one.team_id for one in rows(harness, Adoption) if one.champion == SOLO]
        about: dict[str, Any] = {
            "workspace_id": BUILT_IN_TEAM,
            "planned_by": LEAD,
            "planned_at": harness.clock.now(),
        }
        wave = Wave(
            **about, playbook_id=1, number=1, phase=WavePhase.CONTROLLED, state=WaveState.OPEN, reason="next"
        )
        session.add(wave)
        session.flush()
        session.add(
            WaveTeam(
                workspace_id=BUILT_IN_TEAM,
                wave_id=wave.id or 0,
                team_id=team,
                champion=SOLO,
                added_by=LEAD,
                added_at=harness.clock.now(),
            )
        )


def set_up(harness: BotHarness) -> None:
    solo = harness.workspace.person(SOLO)
    solo.clicks(posts(harness, SOLO_CHANNEL)[0], "Start setup")
    harness.tick()
    solo.clicks(posts(harness, SOLO_CHANNEL)[0], "Check off")
    harness.tick()
    solo.clicks(posts(harness, SOLO_CHANNEL)[0], "Setup done")
    harness.tick()


def grade(harness: BotHarness, *grades: str) -> str:
    """The champion grades sample after sample; returns what is shown at the end."""
    solo = harness.workspace.person(SOLO)
    solo.types("/cadence train")
    for one in grades:
        assert not solo.submits({"grade": one}).errors
        harness.tick()
    return solo.form().words


def training(harness: BotHarness) -> ChampionTraining:
    with UnitOfWork(harness.bot.db, Actor.system(BUILT_IN_TEAM), harness.clock.now()).read() as uow:
        return training_of(uow, adoption_by_id(uow, adoption_id=2))


def test_the_owner_adds_samples_with_a_grade(running: BotHarness) -> None:
    assert "Sample added. Reply has 1 training sample; a wave needs at least 5" in add(running, TEXTS[0])
    owner = running.workspace.person(LEAD)
    owner.types("/cadence train reply add")
    assert owner.submits({"step": "1:draft", "text": " "}).errors["grade"]
    assert "Paste the output" in owner.submits({"grade": "accept"}).errors["text"]
    (row,) = rows(running, TrainingSample)
    assert (row.step, row.text, row.passed, row.added_by) == ("draft", TEXTS[0], True, LEAD)
    (entry,) = entries(running, "training-sample-added")
    assert entry.after == {"sample": 1, "step": "draft"}
    assert "Only the owner" in types(running, AGENT, "/cadence train reply add")


def test_the_champion_grades_without_seeing_the_owners_grade_and_is_told_the_difference(
    running: BotHarness,
) -> None:
    add_five(running)
    solo = running.workspace.person(SOLO)
    home = solo.opens_home()
    assert "Grade 5 training samples" in home.words
    solo.clicks(home, "Continue")
    shown = solo.form()
    assert "sample 1 of 5" in shown.words
    assert TEXTS[0] in shown.words
    assert "tone" in shown.words
    for number in range(5):
        assert "refund" not in solo.form().words
        solo.submits({"grade": "reject" if number in (0, 1) else "accept"})
        running.tick()
    result = solo.form()
    assert "Agreed on 2 of 5 (needs 80%)" in result.words
    assert "the owner would reject it, you would accept it" in result.words
    assert "Owner's note: “It promises a refund.”" in result.words
    assert (training(running).agreed, training(running).graded) == (2, 5)
    assert "Read the lessons" in solo.opens_home().words


def test_a_grade_is_changed_only_where_the_owner_differs_and_both_are_kept(running: BotHarness) -> None:
    add_five(running)
    grade(running, "reject", "accept", "accept", "accept", "accept")
    solo = running.workspace.person(SOLO)
    result = solo.form()
    solo.clicks(result, "Grade again", value="2:5")
    solo.submits({"grade": "reject"})
    running.tick()
    first, *_, last = [one for one in rows(running, TrainingGrade) if one.sample_id == 5]
    assert (first.passed, first.replaced_at is None) == (True, False)
    assert (last.passed, last.replaced_at) == (False, None)
    assert training(running).agreed == 4
    uow = UnitOfWork(running.bot.db, Actor(BUILT_IN_TEAM, SOLO, "form"), running.clock.now())
    with pytest.raises(Refusal, match="already"):
        grade_sample(uow, adoption_id=2, sample_id=2, grade="reject")
    other = UnitOfWork(running.bot.db, Actor(BUILT_IN_TEAM, AGENT, "form"), running.clock.now())
    with pytest.raises(NotAllowed, match="Only the champion"):
        grade_sample(other, adoption_id=2, sample_id=1, grade="reject")


def test_no_grade_is_changed_before_all_are_graded(running: BotHarness) -> None:
    add_five(running)
    grade(running, "reject")
    uow = UnitOfWork(running.bot.db, Actor(BUILT_IN_TEAM, SOLO, "form"), running.clock.now())
    with pytest.raises(Refusal, match="already"):
        grade_sample(uow, adoption_id=2, sample_id=1, grade="accept")
    assert len(rows(running, TrainingGrade)) == 1


def test_a_team_in_a_wave_starts_once_its_champion_is_trained(running: BotHarness) -> None:
    in_wave(running)
    start = "/cadence cycle start reply 2026-03-09 team=solo"
    refused = types(running, LEAD, start)
    assert "can't start in Solo before its champion is trained" in refused
    assert "the owner adds 5 more training samples" in refused
    assert refused.endswith("Add a training sample")
    add_five(running)
    refused = types(running, LEAD, start)
    assert (
        "finish the setup checklist; read the lessons of earlier teams; grade 5 training samples" in refused
    )
    set_up(running)
    solo = running.workspace.person(SOLO)
    assert (
        "Left: grade 5 training samples"
        in solo.clicks(posts(running, SOLO_CHANNEL)[0], "I've read them").words
    )
    assert "✓ Read by" in posts_after_tick(running)
    assert len(rows(running, LessonsRead)) == 1
    assert not [one for one in bot_dms(running, SOLO) if "Champion trained" in one.text]
    assert "You're trained" in grade(running, "accept", "accept", "accept", "accept", "accept")
    for who in (SOLO, LEAD):
        (told,) = [one for one in bot_dms(running, who) if "Champion trained" in one.text]
        assert told.text == "✓ Champion trained: Reply in Solo"
        assert "*Agreed with the owner*\n4 of 5 samples" in told.words
        assert ("Start the first cycle" in told.buttons) is (who == LEAD)
    assert " starts " in types(running, LEAD, start)
    assert len(entries(running, "champion-trained")) == 1


def test_who_sets_up_a_team_in_a_wave_reads_what_is_left_before_it_can_start(running: BotHarness) -> None:
    in_wave(running)
    add_five(running)
    solo = running.workspace.person(SOLO)
    solo.clicks(posts(running, SOLO_CHANNEL)[0], "Start setup")
    running.tick()
    solo.clicks(posts(running, SOLO_CHANNEL)[0], "Check off")
    running.tick()
    said = solo.clicks(posts(running, SOLO_CHANNEL)[0], "Setup done")
    left = "The first cycle can start once @Solo is trained. Left: read the lessons of earlier teams"
    assert left.replace("@Solo", "@") in said.words.replace(f"<@{SOLO}>", "@")
    assert said.message is not None
    assert said.message.buttons == ["Continue the training"]
    running.tick()
    (told,) = [one for one in bot_dms(running, LEAD) if "set up Reply in" in one.text]
    assert "once" in told.text
    assert "Start the first cycle" not in told.buttons
    assert "Left: read the lessons" in posts(running, SOLO_CHANNEL)[0].words
    solo.clicks(posts(running, SOLO_CHANNEL)[0], "I've read them")
    grade(running, "accept", "accept", "accept", "accept", "reject")
    (told,) = [one for one in bot_dms(running, LEAD) if "set up Reply in" in one.text]
    assert "can start the first cycle" in told.text
    assert "Start the first cycle" in told.buttons
    assert "can start the first cycle" in posts(running, SOLO_CHANNEL)[0].words


def posts_after_tick(harness: BotHarness) -> str:
    harness.tick()
    return posts(harness, SOLO_CHANNEL)[0].words


def test_a_team_outside_waves_isnt_held_to_it(running: BotHarness) -> None:
    add_five(running)
    assert " starts " in types(running, LEAD, "/cadence cycle start reply 2026-03-09 team=solo")


def test_a_new_champion_starts_again(running: BotHarness) -> None:
    in_wave(running)
    add_five(running)
    set_up(running)
    running.workspace.person(SOLO).clicks(posts(running, SOLO_CHANNEL)[0], "I've read them")
    grade(running, "accept", "accept", "accept", "accept", "reject")
    assert training(running).trained
    with running.bot.db.write() as session:
        session.get_one(Adoption, 2).champion = LEAD
    found = training(running)
    assert (found.champion, found.trained, found.lessons_read) == (LEAD, False, False)
    assert found.graded == found.agreed == 5, "the owner's own samples count as graded"


def test_everybodys_training_is_shown_to_the_owner_and_ones_own_to_a_champion(running: BotHarness) -> None:
    add_five(running)
    grade(running, "accept", "accept", "accept", "accept", "reject")
    shown = types(running, LEAD, "/cadence train reply show")
    assert "Reply: 0 of 2 champions trained" in shown
    assert "5 of 5" in shown
    own = types(running, SOLO, "/cadence train show")
    assert "Agreed on 5 of 5" in own
    assert "Desk" not in own
    assert "Only the owner" in types(running, AGENT, "/cadence train reply show")
    assert "Only champions and owners" in types(running, AGENT, "/cadence train")


def test_a_removed_sample_no_longer_counts(running: BotHarness) -> None:
    add_five(running)
    grade(running, "accept", "accept", "accept", "accept", "accept")
    owner = running.workspace.person(LEAD)
    owner.types("/cadence train reply remove")
    owner.submits({"sample": "5"})
    assert "Sample removed. Reply has 4 training samples." in owner.form().words
    found = training(running)
    assert (found.samples, found.graded, found.agreed) == (4, 4, 4)
    assert len(entries(running, "training-sample-removed")) == 1
    assert "Only the owner" in types(running, AGENT, "/cadence train reply remove")


def test_a_mistyped_word_is_explained(running: BotHarness) -> None:
    assert "Did you mean" in types(running, LEAD, "/cadence train reply shwo")
    assert "There's no playbook" in types(running, LEAD, "/cadence train rpely")
    assert "There are no training samples yet" in types(running, LEAD, "/cadence train reply remove")
