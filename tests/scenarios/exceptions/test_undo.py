"""An exception can be undone for ten minutes, and isn't counted twice by accident (SPEC §5)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.messages import Message
from cadence.actor import Actor
from cadence.flows.exceptions.undoing import undo_exception
from cadence.flows.history.replay import replay
from cadence.refusals import NotAllowed
from cadence.rules.modes import Mode
from storage.tables import AdoptionStep, LoggedException, ModeChange, OutboxMessage, StepVerdict
from storage.work import UnitOfWork
from templates.contexts.base import MessageContext
from templates.contexts.cycles import CycleClosed
from templates.contexts.exceptions import ExceptionForm, ExceptionLogged
from templates.contexts.history import Trace
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.home import Home
from templates.contexts.overview.statuses import Status, Why
from templates.contexts.standards import Demoted, Watch
from templates.ids import Action
from tests.contexts import Shown, actions, assert_golden, contexts, is_shown, shown
from tests.harnesses import EXAMPLES, bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    SOLO_CHANNEL,
    at,
    changed,
    entries,
    posts,
    rows,
    says,
    start_cycle,
)

MEMBER, OWNER, CURATOR = "U01AGENT2", "U01LEAD", "U01CURATOR"


@pytest.fixture
def solo(tmp_path: Path) -> Iterator[BotHarness]:
    """The seed's playbook with `send` at a cap of 10%, in week 1 of a cycle of a team of one; 40 runs reported."""
    playbook = changed(
        EXAMPLES / "support-reply.yaml",
        tmp_path,
        ("exception_cap: 0.05", "exception_cap: 0.10"),
        ("pilot: support-emea", "pilot: solo"),
    )
    with bot_harness(tmp_path, workspace=DESK, playbooks=[playbook], played=forty_runs) as harness:
        yield harness


def forty_runs(harness: BotHarness) -> None:
    start_cycle(harness, "support-reply", team="solo")
    harness.play_until(at("2026-03-05 12:00"))
    types(harness, "/attest as-declared runs=40")


def types(harness: BotHarness, words: str, member: str = MEMBER) -> Answer:
    channel = SOLO_CHANNEL if member == MEMBER else None
    said = harness.workspace.person(member).types(words, channel=channel)
    harness.tick()
    return said


def log(harness: BotHarness, count: int) -> Answer:
    for number in range(count):
        said = types(harness, f"/exception send tone was off, case {number}")
    shown(said, ExceptionLogged)
    return said


def undo(harness: BotHarness, said: Answer) -> Answer:
    """Press [Undo] as it was first shown, also a second time."""
    assert said.message is not None
    undone = harness.workspace.person(MEMBER).clicks(said.message, "Undo", stale=True)
    harness.tick()
    return undone


def mode(harness: BotHarness) -> Mode:
    return next((row.mode for row in rows(harness, AdoptionStep) if row.step == "send"), Mode.AI_LED)


def alerts(harness: BotHarness, kind: type[MessageContext], channel: str = SOLO_CHANNEL) -> list[Message]:
    return [one for one in posts(harness, channel) if is_shown(one, kind)]


def watches(harness: BotHarness) -> list[tuple[str, str | None]]:
    """The steps of the alerts of a watch, and how each ended, if it did."""
    return [(one.step_key, one.ended) for one in contexts(posts(harness, SOLO_CHANNEL), Watch)]


def demotions(harness: BotHarness) -> list[tuple[str, str, str | None]]:
    """The steps of the alerts of a demotion, the mode of each since, and who undid it."""
    told = contexts(posts(harness, SOLO_CHANNEL), Demoted)
    return [(one.step_key, one.after, one.undone_by) for one in told]


def in_status(harness: BotHarness) -> tuple[int, int]:
    """The exceptions and the reported runs of the step, by the status."""
    [row] = shown(types(harness, "/cadence status"), Status).rows
    evidence = next(one.evidence for one in row.steps if one.key == "send")
    assert evidence is not None
    return evidence.exceptions, evidence.attested


def assert_asked_again(form: Shown) -> None:
    assert_golden(shown(form, ExceptionForm).notice or "", "asked-again")


def replayed(harness: BotHarness) -> tuple[str, ...]:
    with harness.bot.db.read() as session:
        return replay(
            UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM), harness.clock.now())
        ).differences


def test_an_exception_taken_back_counts_no_more_and_stays_in_the_trail(solo: BotHarness) -> None:
    log(solo, 1)
    said = types(solo, "/exception send wrong name")
    evidence = shown(said, ExceptionLogged).evidence
    assert (evidence.exceptions, evidence.attested) == (2, 40)
    undone = undo(solo, said)
    assert_golden(undone, "undone")

    assert in_status(solo) == (1, 40)
    [entry] = entries(solo, "exception-withdrawn")
    assert (entry.member, entry.before["reason"]) == (MEMBER, "wrong name")
    trace = shown(types(solo, "/cadence trace support-reply send", OWNER), Trace)
    assert_golden("\n".join(f"{row.what}: {row.was} → {row.became}" for row in trace.rows), "trace")
    verdicts = shown(types(solo, "/cadence why support-reply send"), Why).rows
    assert ("hold", True) in [(row.newest.decision, row.newest.overtaken) for row in verdicts]
    assert undo(solo, said).words == undone.words
    assert len(entries(solo, "exception-withdrawn")) == 1
    assert replayed(solo) == ()


def test_the_author_can_undo_it_for_ten_minutes(solo: BotHarness) -> None:
    said = log(solo, 1)
    with pytest.raises(NotAllowed) as refused:
        undo_exception(
            UnitOfWork(solo.bot.db, Actor(BUILT_IN_TEAM, OWNER, "button"), solo.clock.now()), exception_id=1
        )
    assert_golden(str(refused.value), "refused-not-author")
    solo.play_until(at("2026-03-05 12:10"))
    assert_golden(undo(solo, said), "undone-just-in-time")
    said = log(solo, 1)
    solo.play_until(at("2026-03-05 12:20") + timedelta(seconds=1))
    assert_golden(undo(solo, said), "refused-too-late")
    assert [row.withdrawn_at is None for row in rows(solo, LoggedException)] == [False, True]


def test_what_was_undone_stands_in_place_of_the_card_that_announced_it(solo: BotHarness) -> None:
    person = solo.workspace.person(MEMBER)
    logged = log(solo, 1).message
    assert logged is not None
    undone = person.clicks(logged, "Undo").message
    assert undone is not None
    assert (undone.ts, actions(undone)) == (logged.ts, [])

    late = log(solo, 1).message
    assert late is not None
    solo.play_until(at("2026-03-05 12:11"))
    refused = person.clicks(late, "Undo").message
    assert refused is not None
    assert refused.ts != late.ts, "a refusal leaves the card"

    person.types("/exception send", channel=SOLO_CHANNEL)
    card = person.submits({"reason": "tone was off again"}).view
    assert card is not None
    assert shown(card, ExceptionLogged).reason == "tone was off again"
    person.clicks(card, "Undo")
    assert_golden(person.form(), "undone-in-form")
    assert person.closes() is None, "the form's answer was replaced, not covered"

    log(solo, 1)
    trace = types(solo, "/cadence trace support-reply send").message
    assert trace is not None
    answer = person.clicks(trace, "Undo your last exception").message
    assert answer is not None
    assert answer.ts != trace.ts, "the trace stays"


def test_it_is_taken_back_by_command_and_from_the_trail(solo: BotHarness) -> None:
    assert_golden(types(solo, "/exception undo"), "refused-none-logged")
    log(solo, 2)
    assert_golden(types(solo, "/exception undo"), "undone-by-command")
    trace = types(solo, "/cadence trace support-reply send")
    assert trace.message is not None
    said = solo.workspace.person(MEMBER).clicks(trace.message, "Undo your last exception")
    assert_golden(said, "undone-from-trail")
    assert Action.UNDO_LAST_EXCEPTION in actions(trace)
    assert Action.UNDO_LAST_EXCEPTION not in actions(types(solo, "/cadence trace support-reply send"))


def test_a_demotion_that_rested_on_it_is_taken_back(solo: BotHarness) -> None:
    log(solo, 6)
    assert watches(solo) == [("send", None)]
    said = types(solo, "/exception send promised a refund")
    assert mode(solo) is Mode.COLLABORATIVE
    assert demotions(solo) == [("send", Mode.COLLABORATIVE, None)]
    assert watches(solo) == [("send", "demoted")]

    assert_golden(undo(solo, said), "undone-with-demotion")
    assert mode(solo) is Mode.AI_LED
    [change] = [row for row in rows(solo, ModeChange) if row.kind == "taken-back"]
    assert (change.before, change.after, change.member) == (Mode.COLLABORATIVE, Mode.AI_LED, MEMBER)
    judged = next(row for row in rows(solo, StepVerdict) if row.id == change.verdict_id)
    assert (judged.decision, judged.exceptions, judged.attested) == ("watch", 6, 40)
    for channel in (SOLO_CHANNEL, CURATORS):
        [undone] = alerts(solo, Demoted, channel)
        told = shown(undone, Demoted)
        assert (told.undone_by, told.undone_at) == (MEMBER, at("2026-03-05 12:00"))
        assert actions(undone) == [Action.WHY]
        [watched] = alerts(solo, Watch, channel)
        assert shown(watched, Watch).ended is None
        assert Action.SAY_WHAT_CHANGES in actions(watched)

    digest = shown(solo.workspace.person(CURATOR).types("/cadence digest", channel=CURATORS), Digest)
    assert (digest.demotions, [row.demoted for row in digest.rows]) == ((), [False])
    assert Action.REVISE_RUBRIC not in [one.offer.action for one in digest.decisions if one.offer]
    home = solo.workspace.person(OWNER).opens_home()
    assert shown(home, Home).items
    assert Action.REVISE_RUBRIC not in actions(home)
    assert in_status(solo) == (6, 40)
    why = shown(types(solo, "/cadence why support-reply send"), Why)
    assert why.decided is not None
    assert (why.decided.decision, why.reset) == ("watch", None)
    assert_golden(str(why.changed), "why-after-demotion-undone")
    assert replayed(solo) == ()
    # the seventh demotes again, as the sixth would have before it
    types(solo, "/exception send promised a refund, and this time it was so")
    assert mode(solo) is Mode.COLLABORATIVE
    assert demotions(solo)[-1] == ("send", Mode.COLLABORATIVE, None)
    assert len([one for one in demotions(solo) if one[-1] is None]) == 1
    assert replayed(solo) == ()


def test_what_was_logged_after_the_demotion_counts_in_the_window_that_comes_back(solo: BotHarness) -> None:
    person = solo.workspace.person(MEMBER)
    person.types("/exception send critical promised a refund", channel=SOLO_CHANNEL)
    person.submits()
    logged = person.view()
    assert logged is not None
    assert mode(solo) is Mode.COLLABORATIVE
    log(solo, 1)
    person.clicks(logged, "Undo")
    assert mode(solo) is Mode.AI_LED
    last = rows(solo, StepVerdict)[-1]
    assert (last.cause, last.exceptions, last.critical, last.decision) == ("undo:1", 1, 0, "hold")
    assert replayed(solo) == ()
    assert [one for one in rows(solo, OutboxMessage) if one.kind == "demoted" and one.state == "due"] == []


def test_a_demotion_that_holds_without_it_stays(solo: BotHarness) -> None:
    for reason in ("promised a refund", "named another customer"):
        says(solo.workspace.person(MEMBER), f"/exception send critical {reason}", channel=SOLO_CHANNEL)
    solo.tick()
    assert mode(solo) is Mode.HUMAN_LED
    assert_golden(types(solo, "/exception undo"), "collaborative-again")
    assert mode(solo) is Mode.COLLABORATIVE
    log(solo, 1)
    solo.play_until(at("2026-03-05 12:01"))
    types(solo, "/cadence mode support-reply send human-led not before the policy is clear", OWNER)
    for count in range(2):
        assert_golden(types(solo, "/exception undo"), f"undone-after-declaration:{count}")
    assert rows(solo, LoggedException)[0].withdrawn_after is not None
    assert mode(solo) is Mode.HUMAN_LED  # a person has declared the mode since
    assert replayed(solo) == ()


def test_two_demotions_go_whichever_exception_is_taken_back_first(solo: BotHarness) -> None:
    for reason in ("promised a refund", "named another customer"):
        says(solo.workspace.person(MEMBER), f"/exception send critical {reason}", channel=SOLO_CHANNEL)
        solo.tick()
    caller = Actor(BUILT_IN_TEAM, MEMBER, "button")
    undo_exception(UnitOfWork(solo.bot.db, caller, solo.clock.now()), exception_id=1)
    solo.tick()
    assert mode(solo) is Mode.HUMAN_LED  # the second demoted a collaborative step
    assert_golden(types(solo, "/exception undo"), "ai-led-again")
    assert mode(solo) is Mode.AI_LED
    assert [undone_by for *_, undone_by in demotions(solo)] == [MEMBER, MEMBER]
    assert replayed(solo) == ()


def test_a_watch_ends_with_its_window(solo: BotHarness) -> None:
    says(solo.workspace.person(MEMBER), "/exception send critical promised a refund", channel=SOLO_CHANNEL)
    log(solo, 5)
    assert watches(solo) == [("send", None)]
    caller = Actor(BUILT_IN_TEAM, MEMBER, "button")
    undo_exception(UnitOfWork(solo.bot.db, caller, solo.clock.now()), exception_id=1)
    solo.tick()
    assert mode(solo) is Mode.AI_LED
    assert watches(solo) == [("send", "restarted"), ("send", None)]
    ended, _ = contexts(posts(solo, SOLO_CHANNEL), Watch)
    assert (ended.opened_at, ended.ended_at) == (at("2026-03-05 12:00"), at("2026-03-05 12:00"))
    types(solo, "/exception undo")
    assert not any(Action.SAY_WHAT_CHANGES in actions(one) for one in posts(solo, SOLO_CHANNEL))
    assert replayed(solo) == ()


@pytest.mark.parametrize(
    ("step", "title", "lines"),
    [
        ("send", "Send the edited reply", 0),
        ("draft", "Draft three replies", 1),
    ],
)
def test_after_the_close_the_closing_post_looks_at_the_step_again(
    solo: BotHarness, step: str, title: str, lines: int
) -> None:
    for week in (2, 3, 4):
        solo.play_until(at(f"2026-03-{7 * week - 2:02d} 12:00"))
        types(solo, "/attest not-run")
    solo.play_until(at("2026-03-27 15:55"))
    for number in range(5):
        types(solo, f"/exception {step} tone was off, case {number}")

    def closing() -> list[str]:
        """What the closing post says of the step's promotion."""
        [post] = contexts(posts(solo, SOLO_CHANNEL), CycleClosed)
        assert post.number == 1
        return [line for line in post.promotions if title in line]

    solo.play_until(at("2026-03-27 16:01"))
    [demoted] = closing()
    assert_golden(demoted, f"closing-demoted:{step}")
    assert_golden(types(solo, "/exception undo"), f"undone-after-close:{step}")
    assert len(closing()) == lines
    for line in closing():
        assert_golden(line, f"closing-undone:{step}")
    looked = shown(types(solo, f"/cadence why support-reply {step}"), Why).promotion
    assert (looked is not None) == bool(lines)
    if looked is not None:
        assert_golden("\n".join(looked.unmet), f"unmet-undone:{step}")
    assert replayed(solo) == ()


@pytest.mark.parametrize("again", ["tone was off", "Tone  was OFF"])
def test_the_same_words_within_a_minute_are_asked_about(solo: BotHarness, again: str) -> None:
    person = solo.workspace.person(MEMBER)
    types(solo, "/exception send tone was off")
    types(solo, f"/exception send {again}")
    assert_asked_again(person.form())
    assert len(rows(solo, LoggedException)) == 1
    person.closes()
    assert len(rows(solo, LoggedException)) == 1
    types(solo, f"/exception send {again}")
    done = person.submits().view
    assert done is not None
    evidence = shown(done, ExceptionLogged).evidence
    assert (evidence.exceptions, evidence.attested) == (2, 40)
    person.closes()


def test_the_same_words_are_asked_about_with_others_between(solo: BotHarness) -> None:
    for words in ("tone was off", "wrong name", "tone was off"):
        types(solo, f"/exception send {words}")
    assert_asked_again(solo.workspace.person(MEMBER).form())
    assert len(rows(solo, LoggedException)) == 2


def test_other_words_another_step_or_a_minute_later_are_not(solo: BotHarness) -> None:
    for words in ("send tone was off", "send tone was off again", "draft tone was off"):
        assert types(solo, f"/exception {words}").view is None
    solo.play_until(at("2026-03-05 12:01"))
    assert types(solo, "/exception draft tone was off").view is None
    assert len(rows(solo, LoggedException)) == 4


def test_a_critical_one_says_what_it_will_do_before_it_does_it(solo: BotHarness) -> None:
    person = solo.workspace.person(MEMBER)

    def form() -> ExceptionForm:
        return shown(person.form(), ExceptionForm)

    types(solo, "/exception send critical promised a refund")
    notice = form().notice
    assert notice is not None
    assert_golden(notice, "demotes-send")
    assert person.form().words.count(notice) == 1
    assert (rows(solo, LoggedException), mode(solo)) == ([], Mode.AI_LED)
    # another step than the first one needs confirmation as well
    person.submits({"step": "Draft three replies (collaborative)"})
    of_draft = form().notice
    assert of_draft is not None
    assert_golden(of_draft, "demotes-draft")
    assert of_draft in person.form().words
    assert rows(solo, LoggedException) == []
    person.submits({"critical": []})
    assert [row.critical for row in rows(solo, LoggedException)] == [False]
    person.closes()

    person.types("/exception", channel=SOLO_CHANNEL)
    assert (form().notice, form().effect) == (None, ""), "no step is chosen yet"
    person.fills(person.form(), {"reason": "promised a refund", "link": "https://acme.example/1"})
    person.fills(person.form(), {"step": "Draft three replies (collaborative)"})
    assert form().effect == of_draft
    assert of_draft in person.form().words
    given = {"step": "Send the edited reply (AI-led)"}
    person.fills(person.form(), given)
    assert form().effect == notice
    assert notice in person.form().words
    person.submits({**given, "critical": ["Critical: demotes the step right away"]})
    assert form().notice == notice
    assert notice in person.form().words
    assert mode(solo) is Mode.AI_LED
    person.submits()
    assert mode(solo) is Mode.COLLABORATIVE
