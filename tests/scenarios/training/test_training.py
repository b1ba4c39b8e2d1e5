"""A champion is trained: checklist, lessons, samples graded like the owner (SPEC §6: no champion, no access)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.messages import Message
from bot.sandbox.views import View
from cadence.actor import Actor
from cadence.flows.core import adoption_by_id
from cadence.flows.training import ChampionTraining, grade_sample, training_of
from cadence.refusals import NotAllowed, Refusal
from storage.tables import (
    Adoption,
    Cycle,
    LessonsRead,
    Team,
    TrainingGrade,
    TrainingSample,
    Wave,
    WavePhase,
    WaveState,
    WaveTeam,
)
from storage.work import UnitOfWork
from templates.contexts.answers import Refused
from templates.contexts.cycles import CycleStarted
from templates.contexts.overview.home import Home
from templates.contexts.setup import SetupPost
from templates.contexts.training import ChampionTrained, GradeSampleForm, TrainingResult, TrainingShown
from templates.ids import Action
from tests.contexts import actions, assert_golden, is_shown, shown
from tests.harnesses import Play, bot_harness, in_turn
from tests.scenarios.plays import (
    DESK,
    REPLY,
    SOLO_CHANNEL,
    InCycle,
    bot_dms,
    changed,
    entries,
    ledger,
    posts,
    rows,
)

LEAD, AGENT, SOLO, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"
TEXTS = [f"Dear customer {number}, we're looking into it." for number in range(5)]
NOTE = "It promises a refund."


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


def types(harness: BotHarness, member: str, text: str, channel: str | None = None) -> Answer:
    said = harness.workspace.person(member).types(text, channel=channel)
    harness.tick()
    return said


def add(harness: BotHarness, text: str, grade: str = "accept", **more: str) -> View:
    owner = harness.workspace.person(LEAD)
    owner.types("/cadence train reply add")
    done = owner.submits({"step": "1:draft", "text": text, "grade": grade, **more})
    assert not done.errors, done.errors
    harness.tick()
    return owner.form()


def add_five(harness: BotHarness) -> None:
    """Four to accept, one to reject, with the reason."""
    for text in TEXTS[:4]:
        add(harness, text)
    add(harness, TEXTS[4], "reject", note=NOTE)


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


def grade(harness: BotHarness, *grades: str) -> View:
    """The champion grades sample after sample; returns what is shown at the end."""
    solo = harness.workspace.person(SOLO)
    solo.types("/cadence train")
    for one in grades:
        assert not solo.submits({"grade": one}).errors
        harness.tick()
    return solo.form()


def training_need(home: View) -> str:
    """What a Home says is to be done for the training."""
    needs = [item.need for item in shown(home, Home).items if item.need is not None]
    [need] = [one for one in needs if Action.TRAIN in [offer.action for offer in one.offers]]
    return f"{need.title}\n{need.text}"


def setup_post(harness: BotHarness) -> Message:
    """The post about the setup in the team's channel, as it is now."""
    return posts(harness, SOLO_CHANNEL)[0]


def setup_told(harness: BotHarness) -> Message:
    """What the owner is told about the setup."""
    [told] = ledger(harness, "setup-done")
    [message] = [one for one in bot_dms(harness, LEAD) if one.ts == told.ts]
    return message


def started(harness: BotHarness, team: str) -> bool:
    """Whether a cycle of a team was started."""
    [found] = [one.id for one in rows(harness, Team) if one.slug == team]
    adoptions = [one.id for one in rows(harness, Adoption) if one.team_id == found]
    return any(one.adoption_id in adoptions for one in rows(harness, Cycle))


def training(harness: BotHarness) -> ChampionTraining:
    with UnitOfWork(harness.bot.db, Actor.system(BUILT_IN_TEAM), harness.clock.now()).read() as uow:
        return training_of(uow, adoption_by_id(uow, adoption_id=2))


def test_the_owner_adds_samples_with_a_grade(running: BotHarness) -> None:
    assert_golden(add(running, TEXTS[0]), "sample-added")
    owner = running.workspace.person(LEAD)
    owner.types("/cadence train reply add")
    assert owner.submits({"step": "1:draft", "text": " "}).errors["grade"]
    assert_golden(owner.submits({"grade": "accept"}).errors["text"], "refused-without-output")
    (row,) = rows(running, TrainingSample)
    assert (row.step, row.text, row.passed, row.added_by) == ("draft", TEXTS[0], True, LEAD)
    (entry,) = entries(running, "training-sample-added")
    assert entry.after == {"sample": 1, "step": "draft"}
    assert_golden(types(running, AGENT, "/cadence train reply add"), "refused-adding")


def test_the_champion_grades_without_seeing_the_owners_grade_and_is_told_the_difference(
    sampled: BotHarness,
) -> None:
    solo = sampled.workspace.person(SOLO)
    home = solo.opens_home()
    assert_golden(training_need(home), "home-grade")
    solo.clicks(home, "Continue")
    form = shown(solo.form(), GradeSampleForm)
    assert (form.number, form.total, form.text) == (1, 5, TEXTS[0])
    assert any("tone" in criterion for criterion in form.criteria)
    for number in range(5):
        assert NOTE not in solo.form().words
        solo.submits({"grade": "reject" if number in (0, 1) else "accept"})
        sampled.tick()
    result = solo.form()
    found = shown(result, TrainingResult)
    assert (found.agreed, found.graded, found.samples, found.agrees) == (2, 5, 5, False)
    differs = [(one.accepted, one.note) for one in found.disagreements if one.text == TEXTS[4]]
    assert differs == [(False, NOTE)]
    assert_golden(result, "disagreed")
    assert (training(sampled).agreed, training(sampled).graded) == (2, 5)
    assert_golden(training_need(solo.opens_home()), "home-lessons")


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
    with pytest.raises(Refusal) as refused:
        grade_sample(uow, adoption_id=2, sample_id=2, grade="reject")
    assert_golden(str(refused.value), "already-graded-like-the-owner")
    other = UnitOfWork(sampled.bot.db, Actor(BUILT_IN_TEAM, AGENT, "form"), sampled.clock.now())
    with pytest.raises(NotAllowed) as not_allowed:
        grade_sample(other, adoption_id=2, sample_id=1, grade="reject")
    assert_golden(str(not_allowed.value), "refused-grading")


def test_no_grade_is_changed_before_all_are_graded(sampled: BotHarness) -> None:
    grade(sampled, "reject")
    uow = UnitOfWork(sampled.bot.db, Actor(BUILT_IN_TEAM, SOLO, "form"), sampled.clock.now())
    with pytest.raises(Refusal) as refused:
        grade_sample(uow, adoption_id=2, sample_id=1, grade="accept")
    assert_golden(str(refused.value), "already-graded")
    assert len(rows(sampled, TrainingGrade)) == 1


def first_need(harness: BotHarness) -> str:
    """What the button of the owner's need about the team does on Home."""
    home = shown(harness.workspace.person(LEAD).opens_home(), Home)
    possible = {Action.ADD_SAMPLE, Action.SHOW_TRAINING, Action.START_CYCLE}
    offers = [offer.action for item in home.items if item.need for offer in item.need.offers]
    [action] = [one for one in offers if one in possible]
    return action


def test_a_team_in_a_wave_starts_once_its_champion_is_trained(running: BotHarness) -> None:
    in_wave(running)
    start = "/cadence cycle start reply 2026-03-09 team=solo"
    refused = types(running, LEAD, start)
    assert_golden(refused, "refused-start-without-samples")
    assert actions(refused)[-1] == Action.ADD_SAMPLE
    assert first_need(running) == Action.ADD_SAMPLE, "Home offers what works, not a start that is refused"
    add_five(running)
    assert first_need(running) == Action.SHOW_TRAINING
    assert_golden(types(running, LEAD, start).words, "refused-start-untrained")
    assert not started(running, "solo")
    set_up(running)
    solo = running.workspace.person(SOLO)
    assert_golden(solo.clicks(posts(running, SOLO_CHANNEL)[0], "I've read them"), "lessons-read")
    running.tick()
    assert shown(setup_post(running), SetupPost).lessons_read
    assert len(rows(running, LessonsRead)) == 1
    assert not [one for one in bot_dms(running, SOLO) if is_shown(one, ChampionTrained)]
    result = grade(running, "accept", "accept", "accept", "accept", "accept")
    assert shown(result, TrainingResult).trained
    assert_golden(result, "trained")
    for who in (SOLO, LEAD):
        (told,) = [one for one in bot_dms(running, who) if is_shown(one, ChampionTrained)]
        trained = shown(told, ChampionTrained)
        assert (trained.playbook, trained.team, trained.champion) == ("Reply", "Solo", SOLO)
        assert (trained.agreed, trained.samples) == (4, 5)
        assert (Action.START_CYCLE in actions(told)) is (who == LEAD)
    assert first_need(running) == Action.START_CYCLE
    assert shown(types(running, LEAD, start), CycleStarted).team == "Solo"
    assert len(entries(running, "champion-trained")) == 1


def test_who_sets_up_a_team_in_a_wave_reads_what_is_left_before_it_can_start(in_a_wave: BotHarness) -> None:
    solo = in_a_wave.workspace.person(SOLO)
    solo.clicks(posts(in_a_wave, SOLO_CHANNEL)[0], "Start setup")
    in_a_wave.tick()
    solo.clicks(posts(in_a_wave, SOLO_CHANNEL)[0], "Check off")
    in_a_wave.tick()
    said = solo.clicks(posts(in_a_wave, SOLO_CHANNEL)[0], "Setup done")
    assert said.message is not None
    assert_golden(said.message, "set-up-and-untrained")
    assert actions(said.message) == [Action.TRAIN]
    in_a_wave.tick()
    told = setup_told(in_a_wave)
    assert_golden(told, "owner-told-untrained")
    assert Action.START_CYCLE not in actions(told)
    assert_golden(setup_post(in_a_wave), "setup-post-untrained")
    solo.clicks(posts(in_a_wave, SOLO_CHANNEL)[0], "I've read them")
    grade(in_a_wave, "accept", "accept", "accept", "accept", "reject")
    told = setup_told(in_a_wave)
    assert_golden(told, "owner-told-trained")
    assert Action.START_CYCLE in actions(told)
    assert_golden(setup_post(in_a_wave), "setup-post-trained")


def test_a_team_outside_waves_isnt_held_to_it(sampled: BotHarness) -> None:
    said = types(sampled, LEAD, "/cadence cycle start reply 2026-03-09 team=solo")
    assert shown(said, CycleStarted).team == "Solo"
    assert started(sampled, "solo")


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
    everybody = shown(types(sampled, LEAD, "/cadence train reply show"), TrainingShown)
    assert (everybody.playbook, everybody.samples) == ("Reply", 5)
    assert [one.trained for one in everybody.champions] == [False, False]
    assert {one.team: (one.graded, one.agreed) for one in everybody.champions}["Solo"] == (5, 5)
    said = types(sampled, SOLO, "/cadence train show")
    own = shown(said, TrainingResult)
    assert (own.team, own.agreed, own.graded) == ("Solo", 5, 5)
    assert not is_shown(said, TrainingShown)
    assert_golden(said.words, "own-training")
    assert_golden(types(sampled, AGENT, "/cadence train reply show"), "refused-everybodys")
    assert_golden(types(sampled, AGENT, "/cadence train"), "refused-neither-champion-nor-owner")


def test_a_removed_sample_no_longer_counts(sampled: BotHarness) -> None:
    grade(sampled, "accept", "accept", "accept", "accept", "accept")
    owner = sampled.workspace.person(LEAD)
    owner.types("/cadence train reply remove")
    owner.submits({"sample": "5"})
    assert_golden(owner.form(), "sample-removed")
    found = training(sampled)
    assert (found.samples, found.graded, found.agreed) == (4, 4, 4)
    assert len(entries(sampled, "training-sample-removed")) == 1
    assert_golden(types(sampled, AGENT, "/cadence train reply remove"), "refused-removing")


def test_a_mistyped_word_is_explained(running: BotHarness) -> None:
    for case, typed in (("word", "reply shwo"), ("playbook", "rpely"), ("no-samples", "reply remove")):
        refused = types(running, LEAD, f"/cadence train {typed}")
        assert is_shown(refused, Refused)
        assert_golden(refused, f"mistyped:{case}")
