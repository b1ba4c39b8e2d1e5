"""Runs that tools count: they replace estimates, people's answers add to them, and every surface says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from bot.sandbox.views import View
from cadence.actor import Actor
from cadence.flows.history.replay import replay
from cadence.flows.history.whatif import Thresholds, what_if
from cadence.rules.modes import Mode
from cadence.rules.verdicts import Decision, Line
from storage.tables import AdoptionStep, ModeChange, StepVerdict
from storage.work import UnitOfWork
from templates.contexts.base import Evidence
from templates.contexts.cycles import CycleShown
from templates.contexts.exceptions import ExceptionLogged
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.process import ProcessMonths
from templates.contexts.overview.statuses import Status, VerdictDetail, Why, WhyMath
from templates.contexts.standards import Demoted, Watch
from tests.contexts import assert_golden, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.machines.tools import counts, notices
from tests.scenarios.plays import DESK, DESK_CHANNEL, REPLY, InCycle, at, posts, rows, says

LEAD, AGENT, CURATOR = "U01LEAD", "U01AGENT1", "U01CURATOR"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """A team of two, asked for 40 runs a week, on the Tuesday of its cycle's first week."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-03 12:00")
    ) as harness:
        yield harness


def types(harness: BotHarness, words: str, member: str = AGENT) -> None:
    says(harness.workspace.person(member), words, channel=DESK_CHANNEL)
    harness.tick()


def reads(harness: BotHarness, words: str, member: str = AGENT) -> Answer:
    said = harness.workspace.person(member).types(words, channel=DESK_CHANNEL)
    harness.tick()
    return said


def math(harness: BotHarness) -> View:
    person = harness.workspace.person(AGENT)
    answer = person.types("/cadence why reply send", channel=DESK_CHANNEL)
    assert answer.message is not None
    person.clicks(answer.message, "Show the math")
    form = person.form()
    person.closes()
    return form


def verdict_of(form: View) -> VerdictDetail:
    """The verdict whose arithmetic a form shows."""
    verdict = shown(form, WhyMath).verdict
    assert verdict is not None
    return verdict


def told(evidence: Evidence | None) -> tuple[int, int, int, int]:
    """Exceptions, measured, reported and estimated runs of evidence as people see it."""
    assert evidence is not None
    return (evidence.exceptions, evidence.measured, evidence.reported, evidence.assumed)


def of_send(harness: BotHarness) -> Evidence:
    """What the status says of `send`."""
    [row] = shown(reads(harness, "/cadence status"), Status).rows
    [evidence] = [one.evidence for one in row.steps if one.key == "send"]
    assert evidence is not None
    return evidence


def in_digest(harness: BotHarness) -> Evidence:
    """What the digest says of the team's step."""
    [row] = shown(reads(harness, "/cadence digest", CURATOR), Digest).rows
    assert row.evidence is not None
    return row.evidence


def parts(harness: BotHarness) -> tuple[int, int, int, int]:
    """Exceptions, measured, reported and estimated runs of the newest verdict on `send`."""
    row = [one for one in rows(harness, StepVerdict) if one.step == "send"][-1]
    return row.exceptions, row.measured, row.attested, row.assumed


def test_measured_runs_replace_the_estimate_of_their_member(desk: BotHarness) -> None:
    counts(desk, 12, member=AGENT)
    counts(desk, 7, member=AGENT)
    assert told(of_send(desk)) == (0, 19, 0, 20)
    said = reads(desk, "/exception send tone was off")
    assert_golden(said, "exception-in-measured-and-estimated-runs")
    logged = shown(said, ExceptionLogged).evidence
    assert (told(logged), logged.cap, logged.missing, logged.restarted) == ((1, 19, 0, 20), 0.1, True, False)
    assert parts(desk) == (1, 19, 0, 20)
    form = math(desk)
    assert told(verdict_of(form).evidence) == (1, 19, 0, 20)
    assert_golden(form, "math-with-measured-and-estimated-runs")

    types(desk, "/attest as-planned runs=15")
    assert parts(desk) == (1, 19, 0, 20), "whatever of the answer was counted counts once"
    types(desk, "/attest as-planned runs=25")
    types(desk, "/attest as-planned runs=8", LEAD)
    assert parts(desk) == (1, 19, 14, 0)
    said = reads(desk, "/cadence why reply send")
    assert_golden(said, "why-with-measured-and-reported-runs")
    why = shown(said, Why)
    assert why.decided is not None
    assert (told(why.decided.evidence), why.decided.evidence.cap) == ((1, 19, 14, 0), 0.1)
    form = math(desk)
    assert told(verdict_of(form).evidence) == (1, 19, 14, 0)
    assert_golden(form, "math-with-measured-and-reported-runs")
    steps = shown(reads(desk, "/cadence cycle show"), CycleShown).steps
    assert (1, 19, 14, 0) in [told(one.evidence) for one in steps]


def test_the_digest_and_the_months_say_that_runs_were_measured(desk: BotHarness) -> None:
    counts(desk, 12, member=AGENT)
    desk.play_until(at("2026-03-05 12:00"))
    assert (told(in_digest(desk)), in_digest(desk).cap) == ((0, 12, 0, 20), 0.1)
    types(desk, "/attest as-planned runs=15")
    types(desk, "/attest as-planned runs=8", LEAD)
    types(desk, "/exception send tone was off")
    assert (told(in_digest(desk)), in_digest(desk).cap) == ((1, 12, 11, 0), 0.1)
    said = reads(desk, "/cadence digest months", CURATOR)
    assert_golden(said, "months-with-measured-runs")
    month = shown(said, ProcessMonths).rows[-1]
    assert (month.exceptions, month.measured, month.runs) == (1, 12, 12 + 11)


def test_the_months_count_a_run_of_several_steps_once(desk: BotHarness) -> None:
    counts(desk, 30, step="send")
    counts(desk, 4, step="draft")
    counts(desk, 2)
    types(desk, "/attest as-planned runs=33")
    month = shown(reads(desk, "/cadence digest months", CURATOR), ProcessMonths).rows[-1]
    assert (month.exceptions, month.measured, month.runs) == (0, 32, 32 + 1)


def test_a_tool_that_names_nobody_covers_the_team(desk: BotHarness) -> None:
    counts(desk, 31)
    types(desk, "/exception send tone was off")
    assert parts(desk) == (1, 31, 0, 0)
    types(desk, "/attest as-planned runs=36")
    assert parts(desk) == (1, 31, 5, 0)
    assert told(verdict_of(math(desk)).evidence) == (1, 31, 5, 0)


def test_runs_of_one_step_count_for_that_step(desk: BotHarness) -> None:
    counts(desk, 30, step="send")
    counts(desk, 4, step="draft")
    counts(desk, 2)
    types(desk, "/exception send tone was off")
    types(desk, "/exception draft it was empty")
    found = {row.step: row.measured for row in rows(desk, StepVerdict)}
    assert found == {"send": 32, "draft": 6}


def test_measured_runs_demote_as_reported_ones_do(desk: BotHarness) -> None:
    counts(desk, 10, member=AGENT)
    counts(desk, 10, member=LEAD)
    assert notices(desk, "send").decision is Decision.HOLD
    assert notices(desk, "send").decision is Decision.HOLD
    assert notices(desk, "send").decision is Decision.WATCH
    last = notices(desk, "send")
    assert (last.decision, last.line) == (Decision.DEMOTE, Line.EVIDENCE)
    [change] = [one for one in rows(desk, ModeChange) if one.kind == "demotion"]
    assert_golden(change.reason, "reason-of-the-demotion")
    desk.tick()
    [alert] = [one for one in posts(desk, DESK_CHANNEL) if is_shown(one, Demoted)]
    assert told(shown(alert, Demoted).evidence) == (4, 20, 0, 0)
    assert_golden(alert, "demoted-on-measured-runs")


def test_counting_runs_judges_the_steps_with_exceptions(desk: BotHarness) -> None:
    types(desk, "/attest as-planned runs=5")
    types(desk, "/attest as-planned runs=5", LEAD)
    types(desk, "/exception send tone was off")
    types(desk, "/exception send tone was off again")
    [watch] = [row for row in rows(desk, StepVerdict) if row.decision is Decision.WATCH]
    row_id, saved = counts(desk, 30, member=AGENT)
    [verdict] = saved
    assert (verdict.decision, verdict.cause) == (Decision.HOLD, f"runs:{row_id}")
    assert parts(desk) == (2, 30, 5, 0)
    desk.tick()
    [alert] = [one for one in posts(desk, DESK_CHANNEL) if is_shown(one, Watch)]
    over = shown(alert, Watch)
    assert (over.ended, told(over.latest), told(over.evidence)) == ("under", (2, 30, 5, 0), (2, 0, 10, 0))
    assert_golden(alert, "back-under-the-cap")
    form = math(desk)
    assert verdict_of(form).trigger == "runs"
    assert_golden(form, "math-after-a-count")
    assert verdict.id != watch.id


def test_counts_that_decide_nothing_are_judged_once_an_hour(desk: BotHarness) -> None:
    types(desk, "/exception send tone was off")
    for _ in range(3):
        assert counts(desk, 1, member=AGENT)[1] == []
    desk.play_until(at("2026-03-03 13:00"))
    [verdict] = counts(desk, 1, member=AGENT)[1]
    assert verdict.measured == 4
    assert counts(desk, 1, member=AGENT)[1] == []


def test_a_correction_counts_instead(desk: BotHarness) -> None:
    wrong, _ = counts(desk, 91, member=AGENT)
    right, _ = counts(desk, 19, member=AGENT, replaces=wrong)
    types(desk, "/exception send tone was off")
    assert parts(desk) == (1, 19, 0, 20)
    counts(desk, 18, member=AGENT, replaces=right)
    types(desk, "/exception send tone was off again")
    assert parts(desk) == (2, 18, 0, 20)


def test_a_restarted_window_counts_from_the_next_row_on(desk: BotHarness) -> None:
    wrong, _ = counts(desk, 12, member=AGENT)
    says(
        desk.workspace.person(LEAD),
        "/cadence mode reply send collaborative we want to look",
        channel=DESK_CHANNEL,
    )
    [step] = [one for one in rows(desk, AdoptionStep) if one.step == "send"]
    assert (step.mode, step.after_measured) == (Mode.COLLABORATIVE, wrong)
    since = of_send(desk)
    assert (since.exceptions, since.known, since.restarted) == (0, "", True)
    types(desk, "/exception send tone was off")
    assert parts(desk) == (1, 0, 0, 40)
    counts(desk, 3, member=AGENT)
    types(desk, "/exception send tone was off again")
    assert parts(desk) == (2, 3, 0, 20)
    later, _ = counts(desk, 14, member=AGENT, replaces=wrong)
    counts(desk, 15, member=AGENT, replaces=later)
    types(desk, "/exception send tone was off once more")
    assert parts(desk) == (3, 3, 0, 20), "a correction of what ran before is about runs before"
    types(desk, "/exception draft it was empty")
    [draft] = [one for one in rows(desk, StepVerdict) if one.step == "draft"]
    assert draft.measured == 18, "the other step's window is the cycle's"


def test_a_late_exception_is_listed_and_does_not_count(desk: BotHarness) -> None:
    counts(desk, 20, member=AGENT)
    desk.play_until(at("2026-03-04 12:00"))
    says(
        desk.workspace.person(LEAD),
        "/cadence mode reply send collaborative we want to look",
        channel=DESK_CHANNEL,
    )
    desk.play_until(at("2026-03-04 13:00"))
    assert notices(desk, "send", at=at("2026-03-03 11:00"), critical=True).exceptions == 0
    assert notices(desk, "send", at=at("2026-03-04 12:30")).exceptions == 1
    assert notices(desk, "send", at=at("2026-03-04 11:59")).exceptions == 1
    assert parts(desk)[0] == 1
    why = shown(reads(desk, "/cadence why reply send"), Why)
    assert [one.evidence.exceptions for one in (why.decided, why.latest) if one is not None] == [1]
    now = of_send(desk)
    assert (now.exceptions, now.known, now.restarted) == (1, "", False)
    assert same_again(desk)


def same_again(harness: BotHarness) -> bool:
    """Whether every verdict follows from the rows as of its time."""
    with harness.bot.db.read() as session:
        found = replay(UnitOfWork.around(session, Actor.system(BUILT_IN_TEAM), harness.clock.now()))
    assert found.differences == ()
    return found.verdicts == len(rows(harness, StepVerdict)) > 0


def test_every_verdict_follows_from_the_rows_as_of_its_time(desk: BotHarness) -> None:
    first, _ = counts(desk, 9, member=AGENT)
    types(desk, "/exception send tone was off")
    counts(desk, 8, member=AGENT, replaces=first)
    types(desk, "/exception draft it was empty")
    counts(desk, 5, step="send")
    desk.play_until(at("2026-03-05 15:00"))
    types(desk, "/attest as-planned runs=20")
    notices(desk, "send", at=at("2026-03-04 10:00"))
    second, _ = counts(desk, 6, member=LEAD)
    notices(desk, "send", critical=True)
    assert [one.kind for one in rows(desk, ModeChange) if one.before].count("demotion") == 1
    third, _ = counts(desk, 7, member=LEAD, replaces=second)
    notices(desk, "send", at=at("2026-03-05 14:00"))
    notices(desk, "send")
    counts(desk, 11, member=AGENT)
    desk.play_until(at("2026-03-10 09:00"))
    counts(desk, 4, member=LEAD, at=at("2026-03-06 10:00"), replaces=third)
    counts(desk, 2, member=AGENT, at=at("2026-03-08 23:59"))
    counts(desk, 21, member=AGENT)
    types(desk, "/attest as-planned runs=30")
    says(desk.workspace.person(LEAD), "/cadence rubric reply send revise be kind", channel=DESK_CHANNEL)
    types(desk, "/exception send critical wrong tone again")
    counts(desk, 6)
    desk.play_until(at("2026-03-27 16:00"))
    counts(desk, 13, member=AGENT, at=at("2026-03-27 15:00"))
    desk.play_until(at("2026-04-01 12:00"))
    found = rows(desk, StepVerdict)
    assert {bool(row.after_measured) for row in found} == {True, False}
    assert any(row.closing and row.measured for row in found)
    assert any(row.cause.startswith("runs:") for row in found)
    assert same_again(desk)
    uow = UnitOfWork(desk.bot.db, Actor.system(BUILT_IN_TEAM), desk.clock.now())
    tried = what_if(uow, playbook="reply", thresholds=Thresholds(cap=0.3))
    assert (tried.broken, tried.verdicts) == (0, len(found))


def test_runs_counted_on_the_weekend_after_the_close_count_for_the_cycle(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-27 16:00"))
    desk.play_until(at("2026-03-28 12:00"))
    _, saved = counts(desk, 13, member=AGENT, at=at("2026-03-26 15:00"))
    assert {(row.step, row.closing, row.measured) for row in saved} == {
        ("send", True, 13),
        ("draft", True, 13),
    }
    assert counts(desk, 2, member=AGENT, at=at("2026-03-26 15:00"))[1] == [], "judged a moment ago"
    desk.play_until(at("2026-03-31 12:00"))
    assert counts(desk, 2, member=AGENT, at=at("2026-03-26 15:00"))[1] == [], "the weekend is over"
    assert same_again(desk)
