"""Guardrails: reported with the KPI, separate from it, and decisive at the close (SPEC §2, §3)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from storage.tables import Cycle, Reading
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    TRIAGE,
    InCycle,
    at,
    bot_dms,
    changed,
    entries,
    posts,
    rows,
    start_cycle,
)

LEAD = "U01LEAD"
RAILS = (
    "window_days: 28}",
    "window_days: 28, guardrails: [{name: CSAT, unit: score, direction: higher, limit: 4.6}, "
    "{name: Reopen rate, unit: percent, direction: lower, limit: 5}]}",
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of week 1; the playbook has two guardrails."""
    reply = changed(REPLY, tmp_path, RAILS)
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[reply], played=InCycle("2026-03-05 11:00")
    ) as harness:
        yield harness


def types(harness: BotHarness, text: str) -> str:
    said = harness.workspace.person(LEAD).types(text, channel=DESK_CHANNEL)
    harness.tick()
    return said.words


def kept(harness: BotHarness) -> list[tuple[str, float, bool]]:
    return [(row.guardrail, row.value, row.replaced_at is None) for row in rows(harness, Reading)]


def test_by_command_beside_the_number_or_alone_corrections_kept(desk: BotHarness) -> None:
    said = types(desk, '/kpi 14m CSAT=4.7 "reopen rate"=3% quiet week')
    assert "Recorded: First response time 14 min" in said
    assert "CSAT 4.7 (min 4.6 ✓)" in said
    assert "Reopen rate 3% (max 5% ✓)" in said
    assert "Recorded: CSAT 4.5" in types(desk, "/kpi reply csat=4.5")
    assert kept(desk) == [
        ("", 14, True),
        ("CSAT", 4.7, False),
        ("Reopen rate", 3, True),
        ("CSAT", 4.5, True),
    ]
    assert rows(desk, Reading)[0].note == "quiet week"
    assert entries(desk, "reading-corrected")[-1].before == 4.7


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("/kpi 14m CSTA=4.7", "Reply doesn't have a guardrail `CSTA`. Did you mean `csat=`?"),
        (
            "/kpi 14m reopen-rate=3h",
            "Reopen rate: “3h” isn't a percentage. Try `/kpi reply reopen-rate=92%`.",
        ),
        ("/kpi 14m csat=4.7 CSAT=4.8", "twice"),
    ],
)
def test_what_cant_be_read_is_refused_and_nothing_is_kept(desk: BotHarness, typed: str, told: str) -> None:
    assert told in types(desk, typed)
    assert kept(desk) == []


def test_without_guardrails_such_words_are_a_note(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 11:00"))
        types(harness, "/kpi 14m two away backlog=12")
        assert [row.note for row in rows(harness, Reading)] == ["two away backlog=12"]


def test_the_forms_ask_the_reporter_for_them(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.clicks(bot_dms(desk, LEAD)[-1], "As planned")
    assert "isn't a score" in lead.submits({"runs": "9", "guardrail:csat": "3h"}).errors["guardrail:csat"]
    assert not lead.submits({"runs": "9", "value": "14", "guardrail:csat": "4.7"}).errors
    lead.types("/kpi")
    assert not lead.submits({"value": "13", "guardrail:reopen-rate": "6"}).errors
    assert kept(desk) == [("", 14, False), ("CSAT", 4.7, True), ("", 13, True), ("Reopen rate", 6, True)]


def test_one_past_its_limit_stops_a_cycle_from_being_met_and_one_unread_is_named(desk: BotHarness) -> None:
    for day in ("2026-03-05", "2026-03-12", "2026-03-19", "2026-03-26"):
        desk.play_until(at(f"{day} 12:00"))
        types(desk, "/kpi 14m CSAT=4.5")
    desk.play_until(at("2026-03-27 16:00"))
    cycle = rows(desk, Cycle)[0]
    assert (cycle.result, cycle.kpi_value) == ("not met", 14)
    assert cycle.guardrails == {"CSAT": 4.5, "Reopen rate": None}
    closing = posts(desk, DESK_CHANNEL)[-1].words
    assert closing.startswith("Reply hit its target but missed a guardrail\n")
    assert "\n*Result*\n42 min → 14 min (67% faster)\n*Target*\n15 min ✓" in closing
    assert "*CSAT*\n4.5 (min 4.6, *missed*)" in closing
    assert "*Reopen rate*\nno reading (max 5%)" in closing
    assert "☐ Week 2: First check-in with runs; First rubric result" in closing


def test_a_new_revision_changes_nothing_of_the_cycle_that_runs(desk: BotHarness, tmp_path: Path) -> None:
    lead = desk.workspace.person(LEAD)
    lead.types("/cadence playbook import")
    text = (
        REPLY.read_text(encoding="utf-8")
        .replace("target: 15", "target: 5")
        .replace("baseline: 42", "baseline: 30")
    )
    assert not lead.submits({"yaml": text}).errors
    assert "14 min: 28 min faster than baseline, target of 15 min met." in types(desk, "/kpi 14m CSAT=4.7")
    for day in ("2026-03-12", "2026-03-19"):
        desk.play_until(at(f"{day} 12:00"))
        types(desk, "/kpi 14m CSAT=4.7")
    desk.play_until(at("2026-03-30 10:00"))
    assert rows(desk, Cycle)[0].result == "met"
    assert "target 5 min" in posts(desk, DESK_CHANNEL)[-1].words


def test_status_and_the_digest_say_when_one_is_past_its_limit(desk: BotHarness) -> None:
    assert "*CSAT*\nno data yet (min 4.6)" in types(desk, "/cadence status")
    types(desk, "/kpi 14m csat=4.1")
    shown = types(desk, "/cadence status")
    assert "*CSAT*\n4.1 (min 4.6, *missed*)" in shown
    assert "*Reopen rate*\nno data yet (max 5%)" in shown
    desk.play_until(at("2026-03-09 12:00"))
    digest = posts(desk, CURATORS)[-1].words
    assert "1 team needs attention" in digest
    assert "Desk\nReply · pilot\nFirst response time 42 min → 14 min\nmet\n" in digest
    assert "🟡 CSAT past its limit" in digest


def test_several_check_ins_in_one_form_ask_for_them_too(tmp_path: Path) -> None:
    reply = changed(REPLY, tmp_path, RAILS)
    with bot_harness(tmp_path, workspace=DESK, playbooks=[reply, TRIAGE]) as harness:
        for slug in ("reply", "triage"):
            types(harness, f"/cadence cycle start {slug} 2026-03-02 team=desk")
        harness.play_until(at("2026-03-05 11:00"))
        lead = harness.workspace.person(LEAD)
        lead.clicks(lead.last_dm(), "All as planned")
        fields = [field for field in lead.form().fields if field.startswith("guardrail")]
        assert len(fields) == 2
        assert lead.submits({fields[0]: "lots"}).errors.keys() == {fields[0]}
        assert lead.submits({fields[0]: "4.7/5"}).errors == {}
        assert kept(harness) == [("CSAT", 4.7, True)]
