"""A champion is trained: checklist, lessons, samples graded like the owner (SPEC §6: no champion, no access)."""

from collections.abc import Iterator
from contextlib import contextmanager
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
from tests.harnesses import Play, bot_harness, in_turn
from tests.scenarios.plays import (
    DESK,
    REPLY,
    SOLO_CHANNEL,
    InCycle,
    bot_dms,
    changed,
    entries,
    posts,
    rows,
)

LEAD, AGENT, SOLO, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"
TEXTS = [f"Dear customer {number}, we're looking into it." for number in range(5)]


@contextmanager
def desk(folder: Path, *plays: Play) -> Iterator[BotHarness]:
    """Thursday of the desk's first week; a lesson is there, and `solo` has adopted the playbook."""
    file = changed(REPLY, folder, ("runs_per_week: 40", "runs_per_week: 40\nchecklist: [connect the queue]"))
    played = in_turn(InCycle("2026-03-05 10:42"), adopted, *plays)
    with bot_harness(folder, workspace=DESK, playbooks=[file], played=played) as harness:
        yield harness


def adopted(harness: BotHarness) -> None:
    types(harness, AGENT, "/cadence learn reply Load the policy first")
    types(harness, LEAD, f"/cadence adopt reply team=solo champion=<@{SOLO}>")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[BotHarness]:
    """The desk without samples."""
    with desk(tmp_path) as harness:
        yield harness


@pytest.fixture
def sampled(tmp_path: Path) -> Iterator[BotHarness]:
    """The desk with five samples."""
    with desk(tmp_path, add_five) as harness:
        yield harness


@pytest.fixture
def in_a_wave(tmp_path: Path) -> Iterator[BotHarness]:
    """The desk with five samples, and `solo` in an open wave."""
    with desk(tmp_path, in_wave, add_five) as harness:
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
    sampled: BotHarness,
) -> None:
    solo = sampled.workspace.person(SOLO)
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
        sampled.tick()
    result = solo.form()
    assert "Agreed on 2 of 5 (needs 80%)" in result.words
    assert "the owner would reject it, you would accept it" in result.words
    assert "Owner's note: “It promises a refund.”" in result.words
    assert (training(sampled).agreed, training(sampled).graded) == (2, 5)
    assert "Read the lessons" in solo.opens_home().words


def test_a_grade_is_changed_only_where_the_owner_differs_and_both_are_kept(sampled: BotHarness) -> None:
    grade(sampled, "reject", "accept", "accept", "accept", "accept")
    solo = sampled.workspace.person(SOLO)
    result = solo.form()
    solo.clicks(result, "Grade again", value="2:5")
    solo.submits({"grade": "reject"})
    sampled.tick()
    first, *_, last = [one for one in rows(sampled, TrainingGrade) if one.sample_id == 5]
    assert (first.passed, first.replaced_at is None) == (True, False)
    assert (last.passed, last.replaced_at) == (False, None)
    assert training(sampled).agreed == 4
    uow = UnitOfWork(sampled.bot.db, Actor(BUILT_IN_TEAM, SOLO, "form"), sampled.clock.now())
    with pytest.raises(Refusal, match="already"):
        grade_sample(uow, adoption_id=2, sample_id=2, grade="reject")
    other = UnitOfWork(sampled.bot.db, Actor(BUILT_IN_TEAM, AGENT, "form"), sampled.clock.now())
    with pytest.raises(NotAllowed, match="Only the champion"):
        grade_sample(other, adoption_id=2, sample_id=1, grade="reject")


def test_no_grade_is_changed_before_all_are_graded(sampled: BotHarness) -> None:
    grade(sampled, "reject")
    uow = UnitOfWork(sampled.bot.db, Actor(BUILT_IN_TEAM, SOLO, "form"), sampled.clock.now())
    with pytest.raises(Refusal, match="already"):
        grade_sample(uow, adoption_id=2, sample_id=1, grade="accept")
    assert len(rows(sampled, TrainingGrade)) == 1


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


def test_who_sets_up_a_team_in_a_wave_reads_what_is_left_before_it_can_start(in_a_wave: BotHarness) -> None:
    solo = in_a_wave.workspace.person(SOLO)
    solo.clicks(posts(in_a_wave, SOLO_CHANNEL)[0], "Start setup")
    in_a_wave.tick()
    solo.clicks(posts(in_a_wave, SOLO_CHANNEL)[0], "Check off")
    in_a_wave.tick()
    said = solo.clicks(posts(in_a_wave, SOLO_CHANNEL)[0], "Setup done")
    left = "The first cycle can start once @Solo is trained. Left: read the lessons of earlier teams"
    assert left.replace("@Solo", "@") in said.words.replace(f"<@{SOLO}>", "@")
    assert said.message is not None
    assert said.message.buttons == ["Continue the training"]
    in_a_wave.tick()
    (told,) = [one for one in bot_dms(in_a_wave, LEAD) if "set up Reply in" in one.text]
    assert "once" in told.text
    assert "Start the first cycle" not in told.buttons
    assert "Left: read the lessons" in posts(in_a_wave, SOLO_CHANNEL)[0].words
    solo.clicks(posts(in_a_wave, SOLO_CHANNEL)[0], "I've read them")
    grade(in_a_wave, "accept", "accept", "accept", "accept", "reject")
    (told,) = [one for one in bot_dms(in_a_wave, LEAD) if "set up Reply in" in one.text]
    assert "can start the first cycle" in told.text
    assert "Start the first cycle" in told.buttons
    assert "can start the first cycle" in posts(in_a_wave, SOLO_CHANNEL)[0].words


def posts_after_tick(harness: BotHarness) -> str:
    harness.tick()
    return posts(harness, SOLO_CHANNEL)[0].words


def test_a_team_outside_waves_isnt_held_to_it(sampled: BotHarness) -> None:
    assert " starts " in types(sampled, LEAD, "/cadence cycle start reply 2026-03-09 team=solo")


def test_a_new_champion_starts_again(in_a_wave: BotHarness) -> None:
    set_up(in_a_wave)
    in_a_wave.workspace.person(SOLO).clicks(posts(in_a_wave, SOLO_CHANNEL)[0], "I've read them")
    grade(in_a_wave, "accept", "accept", "accept", "accept", "reject")
    assert training(in_a_wave).trained
    with in_a_wave.bot.db.write() as session:
        session.get_one(Adoption, 2).champion = LEAD
    found = training(in_a_wave)
    assert (found.champion, found.trained, found.lessons_read) == (LEAD, False, False)
    assert found.graded == found.agreed == 5, "the owner's own samples count as graded"


def test_everybodys_training_is_shown_to_the_owner_and_ones_own_to_a_champion(sampled: BotHarness) -> None:
    grade(sampled, "accept", "accept", "accept", "accept", "reject")
    shown = types(sampled, LEAD, "/cadence train reply show")
    assert "Reply: 0 of 2 champions trained" in shown
    assert "5 of 5" in shown
    own = types(sampled, SOLO, "/cadence train show")
    assert "Agreed on 5 of 5" in own
    assert "Desk" not in own
    assert "Only the owner" in types(sampled, AGENT, "/cadence train reply show")
    assert "Only champions and owners" in types(sampled, AGENT, "/cadence train")


def test_a_removed_sample_no_longer_counts(sampled: BotHarness) -> None:
    grade(sampled, "accept", "accept", "accept", "accept", "accept")
    owner = sampled.workspace.person(LEAD)
    owner.types("/cadence train reply remove")
    owner.submits({"sample": "5"})
    assert "Sample removed. Reply has 4 training samples." in owner.form().words
    found = training(sampled)
    assert (found.samples, found.graded, found.agreed) == (4, 4, 4)
    assert len(entries(sampled, "training-sample-removed")) == 1
    assert "Only the owner" in types(sampled, AGENT, "/cadence train reply remove")


def test_a_mistyped_word_is_explained(running: BotHarness) -> None:
    assert "Did you mean" in types(running, LEAD, "/cadence train reply shwo")
    assert "There's no playbook" in types(running, LEAD, "/cadence train rpely")
    assert "There are no training samples yet" in types(running, LEAD, "/cadence train reply remove")
