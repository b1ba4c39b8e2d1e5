"""Four weeks, from a Monday to the fourth Friday, and then the next cycle on schedule (SPEC §3)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer, SubmitResult
from bot.sandbox.messages import Message
from cadence.rules.modes import Mode
from storage.tables import AdoptionStep, Cycle, CycleState, StepVerdict
from templates.contexts.base import ModeChange, StepEvidence
from templates.contexts.checkins import CheckinMessage, WhoIsMissing
from templates.contexts.cycles import CycleClosed, CycleShown, CycleStarted
from templates.contexts.exceptions import ExceptionForm, ExceptionLogged
from templates.contexts.overview.digests import Digest, Tally, TeamName
from templates.contexts.overview.statuses import Status, StatusRow
from templates.contexts.standards import Watch
from templates.contexts.trends import Months
from templates.ids import Action
from tests.contexts import assert_golden, contexts, is_shown, shown, words
from tests.harnesses import bot_harness, in_turn
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    SOLO_CHANNEL,
    InCycle,
    at,
    bot_dms,
    changed,
    entries,
    posts,
    rows,
    start_cycle,
)

LEAD, AGENT, SOLO, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"
THURSDAYS = ("2026-03-05", "2026-03-12", "2026-03-19", "2026-03-26")

REPLY_AT_THE_DESK = TeamName(playbook="Reply", team="Desk")


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[BotHarness]:
    """The Friday before; nothing has started."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        yield harness


def types(harness: BotHarness, member: str, text: str, channel: str = DESK_CHANNEL) -> Answer | SubmitResult:
    """Type a command, and confirm an exception that asks for it."""
    person = harness.workspace.person(member)
    said: Answer | SubmitResult = person.types(text, channel=channel)
    if is_shown(said, ExceptionForm):
        said = person.submits()
        person.closes()
    harness.tick()
    return said


def closing_post(harness: BotHarness) -> Message:
    """The desk's post on the close of its first cycle."""
    [post] = [one for one in posts(harness, DESK_CHANNEL) if is_shown(one, CycleClosed)]
    assert shown(post, CycleClosed).number == 1
    return post


def this_week(harness: BotHarness, member: str = LEAD, channel: str = DESK_CHANNEL) -> StatusRow:
    """What the status says about the only playbook that a team runs."""
    [row] = shown(types(harness, member, "/cadence status", channel), Status).rows
    return row


def the_cycle(harness: BotHarness, day: str = "") -> CycleShown:
    """The desk's cycle of a day, or the newest one."""
    return shown(types(harness, LEAD, f"/cadence cycle show reply {day}"), CycleShown)


def lead_of_draft(steps: tuple[StepEvidence, ...]) -> str:
    return next(one.mode for one in steps if one.title == "Draft the reply")


@dataclass(frozen=True, slots=True)
class Reported:
    """A play: both members answer on a Thursday; the lead's number comes with it, when there is one."""

    day: str
    number: str

    def __call__(self, harness: BotHarness) -> None:
        harness.play_until(at(f"{self.day} 11:00"))
        for member in (LEAD, AGENT):
            types(harness, member, "/attest as-declared runs=20")
        if self.number:
            types(harness, LEAD, f"/kpi {self.number}")


@contextmanager
def reported(folder: Path, *numbers: str) -> Iterator[BotHarness]:
    """The fourth Thursday of a cycle, after both reported each week with these numbers."""
    weeks = (Reported(day, number) for day, number in zip(THURSDAYS, numbers, strict=True))
    with bot_harness(folder, workspace=DESK, playbooks=[REPLY], played=in_turn(InCycle(), *weeks)) as harness:
        yield harness


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[BotHarness]:
    """The close of a cycle in which nobody said anything."""
    played = InCycle("2026-03-27 16:00")
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY], played=played) as harness:
        yield harness


@pytest.mark.parametrize(
    ("case", "asked"),
    [
        ("wednesday", "2026-03-04"),
        ("past", "2026-02-16"),
        ("far-away", "2027-06-07"),
        ("typo", "2026-03-02 team=dsek"),
    ],
)
def test_a_start_that_cant_be_is_refused_with_what_would_be_right(
    ready: BotHarness, case: str, asked: str
) -> None:
    assert_golden(types(ready, LEAD, f"/cadence cycle start reply {asked}"), f"refused-start:{case}")
    assert not rows(ready, Cycle)


def test_only_the_owner_or_a_curator_starts_a_cycle(ready: BotHarness) -> None:
    agent = ready.workspace.person(AGENT)
    refused = agent.types("/cadence cycle start reply 2026-03-02", channel=DESK_CHANNEL)
    assert_golden(refused, "refused-to-an-agent")
    assert refused.message is not None
    agent.clicks(refused.message, "Ask them")
    ready.play_until(at("2026-03-02 10:00"))
    assert_golden(bot_dms(ready, LEAD)[-1], "owner-asked-for-an-agent")
    assert not rows(ready, Cycle)
    said = ready.workspace.person(CURATOR).types("/cadence cycle start reply 2026-03-02")
    assert shown(said, CycleStarted).starts == date(2026, 3, 2)


def test_a_cycle_that_runs_isnt_started_again(ready: BotHarness) -> None:
    start_cycle(ready)
    for monday in ("2026-03-02", "2026-03-09", "2026-03-30"):
        said = types(ready, LEAD, f"/cadence cycle start reply {monday}")
        assert_golden(said, "already-in-a-cycle")
    assert len(rows(ready, Cycle)) == 1
    start_cycle(ready, team="solo")  # another team's is another cycle
    assert len(rows(ready, Cycle)) == 2


def test_without_a_date_it_starts_on_the_next_monday(ready: BotHarness) -> None:
    said = types(ready, LEAD, "/cadence cycle start reply")
    assert shown(said, CycleStarted).starts == date(2026, 3, 2)


def test_the_form_starts_one_too(ready: BotHarness) -> None:
    lead = ready.workspace.person(LEAD)
    lead.types("/cadence cycle start")
    refused = lead.submits({"playbook": "reply", "team": "desk", "date": "2026-03-04"})
    assert_golden(refused.errors["date"], "refused-in-the-form")
    started = lead.submits({"date": "2026-03-02", "champion": AGENT})
    assert not started.errors
    assert started.view is not None
    [cycle] = rows(ready, Cycle)
    assert (str(cycle.starts_on), str(cycle.closes_on), cycle.started_by) == (
        "2026-03-02",
        "2026-03-27",
        LEAD,
    )


@pytest.mark.parametrize(
    ("numbers", "result", "value", "moved", "readings"),
    [
        (["24m", "18m", "14m", "13m"], "not met", 16.0, ("better", 62), (24, 18, 14, 13)),
        (["15m", "14m", "", "13m"], "met", 14.0, ("better", 67), (15, 14, None, 13)),
        (["9m", "", "", "9m"], "insufficient", 9.0, ("better", 79), (9, None, None, 9)),
        (["", "", "", ""], "insufficient", None, (None, None), (None, None, None, None)),
    ],
    ids=["not met", "met", "insufficient", "silence"],
)
def test_the_result_on_the_fourth_friday_at_four(
    tmp_path: Path,
    numbers: list[str],
    result: str,
    value: float | None,
    moved: tuple[str | None, int | None],
    readings: tuple[float | None, ...],
) -> None:
    with reported(tmp_path, *numbers) as ready:
        ready.play_until(at("2026-03-27 15:59"))
        assert rows(ready, Cycle)[0].state is CycleState.RUNNING
        ready.play_until(at("2026-03-27 16:00"))
        first, second = rows(ready, Cycle)
        assert (first.state, first.result, first.kpi_value) == (CycleState.CLOSED, result, value)
        assert first.closed_at == at("2026-03-27 16:00")
        for channel in (DESK_CHANNEL, CURATORS):
            closing = shown(posts(ready, channel)[-1], CycleClosed)
            assert (closing.result, closing.kpi.value, closing.readings) == (result, value, readings)
            percent = None if closing.share is None else round(100 * abs(closing.share))
            assert (closing.kpi.baseline, (closing.moved, percent)) == (42, moved)
            assert (closing.attested, closing.expected) == (8, 8)
            assert (closing.next_cycle, closing.begun) == (date(2026, 3, 30), False)
        assert (second.number, str(second.starts_on), second.started_by) == (2, "2026-03-30", "the calendar")
        [entry] = entries(ready, "cycle-closed")
        assert (entry.member, entry.surface, entry.after["result"]) == (None, "clock", result)


def test_it_closes_once_however_often_it_is_looked_at(silent: BotHarness) -> None:
    for moment in ("2026-03-27 15:00", "2026-03-26 16:00", "2026-03-27 16:00", "2026-03-27 16:05"):
        silent.clock.set(at(moment))
        silent.tick()
    assert len(entries(silent, "cycle-closed")) == 1
    assert len(contexts(posts(silent, DESK_CHANNEL), CycleClosed)) == 1
    assert len(rows(silent, Cycle)) == 2


def test_a_cycle_closes_late_after_downtime_and_the_next_starts_on_a_monday_to_come(
    tmp_path: Path,
) -> None:
    with reported(tmp_path, "15m", "14m", "14m", "13m") as ready:
        ready.clock.set(at("2026-04-07 09:00"))  # Tuesday, eleven days later
        ready.tick()
        first, second = rows(ready, Cycle)
        assert (first.result, first.closed_at) == ("met", at("2026-04-07 09:00"))
        assert str(second.starts_on) == "2026-04-13"


def test_weeks_go_on_into_the_next_cycle(silent: BotHarness) -> None:
    silent.play_until(at("2026-03-29 23:59"))
    assert Action.PAUSE in str(closing_post(silent).blocks)
    silent.play_until(at("2026-03-30 12:00"))
    closing = shown(closing_post(silent), CycleClosed)
    assert (closing.next_cycle, closing.begun) == (date(2026, 3, 30), True)
    assert Action.PAUSE not in str(closing_post(silent).blocks)
    missing = contexts(bot_dms(silent, LEAD), WhoIsMissing)
    assert 4 not in [one.week for one in missing]
    digest = shown(posts(silent, CURATORS)[-1], Digest)
    assert digest.week_start == date(2026, 3, 23)
    assert (digest.no_reading_count, digest.no_reading) == (1, (REPLY_AT_THE_DESK,))
    assert (digest.cycles_running, digest.cycles_completed) == (1, Tally(now=1, before=0))
    silent.play_until(at("2026-04-02 12:00"))
    [asked] = shown(bot_dms(silent, AGENT)[-1], CheckinMessage).rows
    assert (asked.playbook, asked.week) == ("Reply", 1)
    newest, first = the_cycle(silent), the_cycle(silent, "2026-03-11")
    assert (newest.number, newest.week, newest.result) == (2, 1, None)
    assert (first.number, first.result) == (1, "insufficient")


def test_the_digest_after_the_close_counts_the_last_weeks_numbers(tmp_path: Path) -> None:
    with reported(tmp_path, "24m", "18m", "14m", "13m") as ready:
        ready.play_until(at("2026-03-30 12:00"))
        digest = shown(posts(ready, CURATORS)[-1], Digest)
        [row] = digest.rows
        assert (row.team, row.playbook, row.phase) == ("Desk", "Reply", "pilot")
        assert (row.kpi.name, row.kpi.baseline, row.kpi.value) == ("First response time", 42, 13)
        assert row.to_target == 0
        assert (digest.no_reading_count, digest.no_reading) == (0, ())
        assert (digest.moved_count, digest.improved) == (1, (REPLY_AT_THE_DESK,))


def test_a_running_cycle_shows_no_readings_and_no_missing_check_ins_of_weeks_to_come(
    ready: BotHarness,
) -> None:
    start_cycle(ready)
    ready.play_until(at("2026-03-05 12:00"))
    lead = ready.workspace.person(LEAD)
    assert the_cycle(ready).readings == ()
    [month] = shown(lead.types("/cadence trend reply"), Months).rows
    assert (month.answered, month.expected) == (0, 0)
    types(ready, LEAD, "/kpi 24m")
    assert the_cycle(ready).readings == (24,)
    ready.play_until(at("2026-03-10 12:00"))
    assert the_cycle(ready).readings == (24,)
    [month] = shown(lead.types("/cadence trend reply"), Months).rows
    assert month.answered < month.expected


def test_the_next_cycle_runs_on_the_newest_revision(ready: BotHarness, tmp_path: Path) -> None:
    start_cycle(ready)
    ready.play_until(at("2026-03-10 12:00"))
    revised = changed(
        REPLY, tmp_path, ("target: 15", "target: 12"), ("title: Draft the reply", "title: Draft replies")
    )
    lead = ready.workspace.person(LEAD)
    lead.types("/cadence playbook import")
    assert lead.submits({"yaml": revised.read_text(encoding="utf-8")}).view is not None
    assert this_week(ready).kpi.target == 15, "a KPI changes only with a new cycle"
    ready.play_until(at("2026-03-30 12:00"))
    first, second = rows(ready, Cycle)
    assert (first.version_id, second.version_id) == (1, 2)
    row = this_week(ready)
    assert row.kpi.target == 12
    assert [step.title for step in row.steps] == ["Draft replies", "Send the reply"]


def test_a_demoted_step_stays_demoted_and_its_count_restarts(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness, team="solo")
        harness.play_until(at("2026-03-05 11:00"))
        types(harness, SOLO, "/attest as-declared runs=40", SOLO_CHANNEL)
        for _ in range(7):
            types(harness, SOLO, "/exception send tone was off", SOLO_CHANNEL)
        for _ in range(2):
            types(harness, SOLO, "/exception draft too long", SOLO_CHANNEL)
        harness.play_until(at("2026-03-27 16:00"))
        closing = shown(posts(harness, SOLO_CHANNEL)[-1], CycleClosed)
        change = ModeChange(step="Send the reply", before="ai-led", after="collaborative", week=1)
        assert closing.changes == (change,)

        harness.play_until(at("2026-04-02 11:00"))
        modes = {row.step: row.mode for row in rows(harness, AdoptionStep)}
        assert modes == {"draft": Mode.COLLABORATIVE, "send": Mode.COLLABORATIVE}
        steps = this_week(harness, SOLO, SOLO_CHANNEL).steps
        assert [(one.title, one.mode) for one in steps] == [
            ("Draft the reply", "collaborative"),
            ("Send the reply", "collaborative"),
        ]
        for one in steps:
            assert one.evidence is not None
            assert (one.evidence.exceptions, one.evidence.known, one.evidence.restarted) == (0, "", False)
        types(harness, SOLO, "/exception draft too long", SOLO_CHANNEL)
        last = rows(harness, StepVerdict)[-1]
        assert (last.step, last.exceptions, last.window_from) == ("draft", 1, at("2026-03-30 00:00"))


def test_at_the_weekend_after_the_close_a_watch_names_no_date_that_is_past(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness, team="solo")
        for day, answer in zip(THURSDAYS, ("as-declared runs=10", *["not-run"] * 3), strict=True):
            harness.play_until(at(f"{day} 11:00"))
            types(harness, SOLO, f"/attest {answer}", SOLO_CHANNEL)
        harness.play_until(at("2026-03-28 11:00"))
        for _ in range(2):
            said = types(harness, SOLO, "/exception send tone was off", SOLO_CHANNEL)
        assert shown(said, ExceptionLogged).decision == "watch"
        [watch] = contexts(posts(harness, SOLO_CHANNEL), Watch)
        assert (watch.ended, watch.close_date) == (None, None)


def test_a_demotion_is_in_the_digest_even_if_its_step_is_gone_from_the_next_revision(
    ready: BotHarness, tmp_path: Path
) -> None:
    start_cycle(ready)
    ready.play_until(at("2026-03-25 11:00"))
    types(ready, LEAD, "/exception send critical promised a refund")
    renamed = changed(REPLY, tmp_path, ("key: send", "key: answer"))
    lead = ready.workspace.person(LEAD)
    lead.types("/cadence playbook import")
    lead.submits({"yaml": renamed.read_text(encoding="utf-8")})
    ready.play_until(at("2026-03-30 12:00"))
    change = ModeChange(step="send", before="ai-led", after="collaborative")
    digest = shown(posts(ready, CURATORS)[-1], Digest)
    [told] = digest.demotions
    assert (told.playbook, told.team, told.change) == ("Reply", "Desk", change)


def test_a_closed_cycle_is_shown_as_it_was_judged_whatever_changed_since(tmp_path: Path) -> None:
    with reported(tmp_path, "15m", "14m", "14m", "13m") as ready:
        ready.play_until(at("2026-03-27 17:00"))
        said = types(ready, LEAD, "/cadence cycle show reply 2026-03-11")
        [row] = shown(types(ready, LEAD, "/cadence status reply"), Status).rows
        assert (row.team, row.week_start, row.week_end) == ("Desk", date(2026, 3, 2), date(2026, 3, 29))
        assert row.kpi.value is not None
        closed = shown(said, CycleShown)
        assert lead_of_draft(closed.steps) == "collaborative"
        evidence = next(one.evidence for one in closed.steps if one.title == "Draft the reply")
        assert (evidence.exceptions, evidence.reported, evidence.assumed) == (0, 160, 0)
        assert (evidence.percent, evidence.cap) == ("0%", 0.1)
        ready.play_until(at("2026-03-31 12:00"))
        types(ready, LEAD, "/cadence mode reply draft human-led nobody trusts the drafts")
        assert lead_of_draft(the_cycle(ready).steps) == "human-led"
        again = types(ready, LEAD, "/cadence cycle show reply 2026-03-11")
        assert (shown(again, CycleShown), words(again)) == (closed, words(said))
