"""Four weeks, from a Monday to the fourth Friday, and then the next cycle on schedule (SPEC §3)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from cadence.rules.modes import Mode
from storage.tables import AdoptionStep, Cycle, CycleState, StepVerdict
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
    says,
    start_cycle,
)

LEAD, AGENT, SOLO = "U01LEAD", "U01AGENT1", "U01AGENT2"
THURSDAYS = ("2026-03-05", "2026-03-12", "2026-03-19", "2026-03-26")


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[BotHarness]:
    """The Friday before; nothing has started."""
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        yield harness


def types(harness: BotHarness, member: str, text: str, channel: str = DESK_CHANNEL) -> str:
    words = says(harness.workspace.person(member), text, channel=channel)
    harness.tick()
    return words


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
    ("asked", "told"),
    [
        (
            "2026-03-04",
            "A cycle starts on a Monday, and 4 March is a Wednesday. The nearest are 2026-03-02 and 2026-03-09.",
        ),
        ("2026-02-16", "16 February is in the past."),
        ("2027-06-07", "more than a year away"),
        ("2026-03-02 team=dsek", "Did you mean `desk`?"),
    ],
)
def test_a_start_that_cant_be_is_refused_with_what_would_be_right(
    ready: BotHarness, asked: str, told: str
) -> None:
    assert told in types(ready, LEAD, f"/cadence cycle start reply {asked}")
    assert not rows(ready, Cycle)


def test_only_the_owner_or_a_curator_starts_a_cycle(ready: BotHarness) -> None:
    agent = ready.workspace.person(AGENT)
    refused = agent.types("/cadence cycle start reply 2026-03-02", channel=DESK_CHANNEL)
    assert f"Only the owner (<@{LEAD}>) or a curator can start a cycle." in refused.words
    assert refused.message is not None
    agent.clicks(refused.message, "Ask them")
    ready.play_until(at("2026-03-02 10:00"))
    assert f"<@{AGENT}> would like to start a cycle" in bot_dms(ready, LEAD)[-1].words
    curator = ready.workspace.person("U01CURATOR")
    assert "starts Mon 2 Mar" in curator.types("/cadence cycle start reply 2026-03-02").words


def test_a_cycle_that_runs_isnt_started_again(ready: BotHarness) -> None:
    start_cycle(ready)
    for monday in ("2026-03-02", "2026-03-09", "2026-03-30"):
        said = types(ready, LEAD, f"/cadence cycle start reply {monday}")
        assert "Desk is already in cycle 1 of Reply, from 2 Mar to 27 Mar." in said
    assert len(rows(ready, Cycle)) == 1
    start_cycle(ready, team="solo")  # another team's is another cycle
    assert len(rows(ready, Cycle)) == 2


def test_without_a_date_it_starts_on_the_next_monday(ready: BotHarness) -> None:
    assert "starts Mon 2 Mar" in types(ready, LEAD, "/cadence cycle start reply")


def test_the_form_starts_one_too(ready: BotHarness) -> None:
    lead = ready.workspace.person(LEAD)
    lead.types("/cadence cycle start")
    refused = lead.submits({"playbook": "reply", "team": "desk", "date": "2026-03-04"})
    assert "A cycle starts on a Monday" in refused.errors["date"]
    shown = lead.submits({"date": "2026-03-02", "champion": AGENT})
    assert not shown.errors
    assert shown.view is not None
    [cycle] = rows(ready, Cycle)
    assert (str(cycle.starts_on), str(cycle.closes_on), cycle.started_by) == (
        "2026-03-02",
        "2026-03-27",
        LEAD,
    )


@pytest.mark.parametrize(
    ("numbers", "result", "value", "shown"),
    [
        (
            ["24m", "18m", "14m", "13m"],
            "not met",
            16.0,
            "42 min → 16 min (62% faster)",
        ),
        (["15m", "14m", "", "13m"], "met", 14.0, "42 min → 14 min (67% faster)"),
        (
            ["9m", "", "", "9m"],
            "insufficient",
            9.0,
            "Only 2 of 4 weekly readings came in. A result needs 3.",
        ),
        (["", "", "", ""], "insufficient", None, "No weekly readings came in. A result needs 3."),
    ],
    ids=["not met", "met", "insufficient", "silence"],
)
def test_the_result_on_the_fourth_friday_at_four(
    tmp_path: Path, numbers: list[str], result: str, value: float | None, shown: str
) -> None:
    with reported(tmp_path, *numbers) as ready:
        ready.play_until(at("2026-03-27 15:59"))
        assert rows(ready, Cycle)[0].state is CycleState.RUNNING
        ready.play_until(at("2026-03-27 16:00"))
        first, second = rows(ready, Cycle)
        assert (first.state, first.result, first.kpi_value) == (CycleState.CLOSED, result, value)
        assert first.closed_at == at("2026-03-27 16:00")
        outcomes = {
            "met": "hit its target",
            "not met": "missed its target",
            "insufficient": "not enough data",
        }
        for channel in (DESK_CHANNEL, CURATORS):
            closing = posts(ready, channel)[-1]
            assert outcomes[result] in closing.text
            assert shown in closing.words
            assert "Check-ins*\n8 of 8" in closing.words
            assert "Next cycle starts Mon 30 Mar" in closing.words
        assert (second.number, str(second.starts_on), second.started_by) == (2, "2026-03-30", "the calendar")
        [entry] = entries(ready, "cycle-closed")
        assert (entry.member, entry.surface, entry.after["result"]) == (None, "clock", result)


def test_it_closes_once_however_often_it_is_looked_at(silent: BotHarness) -> None:
    for moment in ("2026-03-27 15:00", "2026-03-26 16:00", "2026-03-27 16:00", "2026-03-27 16:05"):
        silent.clock.set(at(moment))
        silent.tick()
    assert len(entries(silent, "cycle-closed")) == 1
    assert len([post for post in posts(silent, DESK_CHANNEL) if "in cycle 1: " in post.text]) == 1
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
    [closing] = [one for one in posts(silent, DESK_CHANNEL) if "in cycle 1: " in one.text]
    assert "cycle.pause" in str(closing.blocks)
    silent.play_until(at("2026-03-30 12:00"))
    [closing] = [one for one in posts(silent, DESK_CHANNEL) if "in cycle 1: " in one.text]
    assert "Next cycle began Mon 30 Mar" in closing.words
    assert "cycle.pause" not in str(closing.blocks)
    assert not [one for one in bot_dms(silent, LEAD) if "missing: Reply, week 4" in one.words]
    digest = posts(silent, CURATORS)[-1].words
    assert "Week of 23 Mar" in digest
    assert "No KPI number yet (1): Reply (" in digest
    assert "1 active cycle · 1 completed (+1)" in digest
    silent.play_until(at("2026-04-02 12:00"))
    assert "Reply · week 1 check-in" in bot_dms(silent, AGENT)[-1].words
    shown = types(silent, LEAD, "/cadence cycle show reply")
    assert "Reply · cycle 2: week 1 of 4" in shown
    assert "Reply · cycle 1: not enough data" in types(silent, LEAD, "/cadence cycle show reply 2026-03-11")


def test_the_digest_after_the_close_counts_the_last_weeks_numbers(tmp_path: Path) -> None:
    with reported(tmp_path, "24m", "18m", "14m", "13m") as ready:
        ready.play_until(at("2026-03-30 12:00"))
        digest = posts(ready, CURATORS)[-1].words
        assert "Desk\nReply · pilot\nFirst response time 42 min → 13 min\nmet\n" in digest
        assert "No KPI number yet" not in digest
        assert "Improved (1): Reply (Desk)" in digest


def test_a_running_cycle_shows_no_readings_of_weeks_to_come(ready: BotHarness) -> None:
    start_cycle(ready)
    ready.play_until(at("2026-03-05 12:00"))
    types(ready, LEAD, "/kpi 24m")
    assert "*By week*\n24 min\n" in types(ready, LEAD, "/cadence cycle show reply")


def test_the_next_cycle_runs_on_the_newest_revision(ready: BotHarness, tmp_path: Path) -> None:
    start_cycle(ready)
    ready.play_until(at("2026-03-10 12:00"))
    revised = changed(
        REPLY, tmp_path, ("target: 15", "target: 12"), ("title: Draft the reply", "title: Draft replies")
    )
    lead = ready.workspace.person(LEAD)
    lead.types("/cadence playbook import")
    assert lead.submits({"yaml": revised.read_text(encoding="utf-8")}).view is not None
    assert "target 15 min" in types(ready, LEAD, "/cadence status")  # a KPI changes only with a new cycle
    ready.play_until(at("2026-03-30 12:00"))
    first, second = rows(ready, Cycle)
    assert (first.version_id, second.version_id) == (1, 2)
    status = types(ready, LEAD, "/cadence status")
    assert "target 12 min" in status
    assert "Draft replies" in status


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
        closing = posts(harness, SOLO_CHANNEL)[-1].words
        assert "“Send the reply”: AI-led → collaborative in week 1" in closing

        harness.play_until(at("2026-04-02 11:00"))
        modes = {row.step: row.mode for row in rows(harness, AdoptionStep)}
        assert modes == {"draft": Mode.COLLABORATIVE, "send": Mode.COLLABORATIVE}
        status = types(harness, SOLO, "/cadence status", SOLO_CHANNEL)
        assert "Draft the reply\ncollaborative\nno runs reported yet" in status
        assert "Send the reply\ncollaborative\nno runs reported yet" in status
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
        assert "is over its cap" in said
        [watch] = [message for message in posts(harness, SOLO_CHANNEL) if "is over its cap" in message.text]
        assert "at the close" not in watch.words


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
    assert "Demoted: “send”, AI-led → collaborative (Reply, Desk)" in posts(ready, CURATORS)[-1].words


def test_a_closed_cycle_is_shown_as_it_was_judged_whatever_changed_since(tmp_path: Path) -> None:
    with reported(tmp_path, "15m", "14m", "14m", "13m") as ready:
        ready.play_until(at("2026-03-27 17:00"))
        closed = types(ready, LEAD, "/cadence cycle show reply 2026-03-11")
        status = types(ready, LEAD, "/cadence status reply")
        assert "Desk · Mon 2 – Sun 29 Mar" in status
        assert "no data yet" not in status
        assert "Draft the reply\n🤝 Collaborative\n0 in 160 reported runs\n0% / 10%" in closed
        ready.play_until(at("2026-03-31 12:00"))
        types(ready, LEAD, "/cadence mode reply draft human-led nobody trusts the drafts")
        assert "Draft the reply\n🧑 Human-led" in types(ready, LEAD, "/cadence cycle show reply")
        assert types(ready, LEAD, "/cadence cycle show reply 2026-03-11") == closed
