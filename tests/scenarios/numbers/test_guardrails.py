"""Guardrails: reported with the KPI, separate from it, and decisive at the close (SPEC §2, §3)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from storage.tables import Cycle, Reading
from templates.contexts.checkins import Answer as CheckinAnswer
from templates.contexts.checkins import CheckinMessage
from templates.contexts.cycles import CycleClosed
from templates.contexts.gates import WeekOpens
from templates.contexts.numbers import Guardrail, KpiForm, Recorded
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.statuses import Status
from tests.contexts import assert_golden, is_shown, shown
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

LEAD, AGENT = "U01LEAD", "U01AGENT1"
RAILS = (
    "window_days: 28}",
    "window_days: 28, guardrails: [{name: CSAT, unit: score, direction: higher, limit: 4.6}, "
    "{name: Reopen rate, unit: percent, direction: lower, limit: 5}]}",
)
CSAT = Guardrail(name="CSAT", unit="score", direction="higher", limit=4.6)
REOPENED = Guardrail(name="Reopen rate", unit="percent", direction="lower", limit=5)
"""The two guardrails, without a reading."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of week 1; the playbook has two guardrails."""
    reply = changed(REPLY, tmp_path, RAILS)
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[reply], played=InCycle("2026-03-05 11:00")
    ) as harness:
        yield harness


def types(harness: BotHarness, text: str) -> Answer:
    said = harness.workspace.person(LEAD).types(text, channel=DESK_CHANNEL)
    harness.tick()
    return said


def receipt(harness: BotHarness) -> CheckinAnswer:
    """The lead's answer, as their check-in message shows it."""
    [row] = next(
        shown(one, CheckinMessage).rows for one in bot_dms(harness, LEAD) if is_shown(one, CheckinMessage)
    )
    assert row.answer is not None
    return row.answer


def kept(harness: BotHarness) -> list[tuple[str, float, bool]]:
    return [(row.guardrail, row.value, row.replaced_at is None) for row in rows(harness, Reading)]


def test_by_command_beside_the_number_or_alone_corrections_kept(desk: BotHarness) -> None:
    recorded = shown(types(desk, '/kpi 14m CSAT=4.7 "reopen rate"=3% quiet week'), Recorded)
    assert (recorded.kpi.name, recorded.kpi.value) == ("First response time", 14)
    assert recorded.guardrails == (replace(CSAT, value=4.7, held=True), replace(REOPENED, value=3, held=True))
    alone = shown(types(desk, "/kpi reply csat=4.5"), Recorded)
    assert (alone.kpi.value, alone.guardrails) == (
        None,
        (replace(CSAT, value=4.5, held=False, replaced=4.7),),
    )
    assert kept(desk) == [
        ("", 14, True),
        ("CSAT", 4.7, False),
        ("Reopen rate", 3, True),
        ("CSAT", 4.5, True),
    ]
    assert rows(desk, Reading)[0].note == "quiet week"
    assert entries(desk, "reading-corrected")[-1].before == 4.7


@pytest.mark.parametrize(
    ("case", "typed"),
    [
        ("typo", "/kpi 14m CSTA=4.7"),
        ("wrong-unit", "/kpi 14m reopen-rate=3h"),
        ("twice", "/kpi 14m csat=4.7 CSAT=4.8"),
        ("without-a-number", "/kpi 14m csat="),
        ("unknown-without-a-number", "/kpi 14m hello="),
        ("no-number", "/kpi 14m csat=good"),
    ],
)
def test_what_cant_be_read_is_refused_and_nothing_is_kept(desk: BotHarness, case: str, typed: str) -> None:
    assert_golden(types(desk, typed), f"refused:{case}")
    assert kept(desk) == []


def test_a_guardrail_and_its_number_need_no_sign_and_a_note_is_repeated(desk: BotHarness) -> None:
    recorded = shown(types(desk, "/kpi 13m csat 4.2"), Recorded)
    assert recorded.guardrails == (replace(CSAT, value=4.2, held=False),)
    recorded = shown(types(desk, "/kpi reply csat 4.7"), Recorded)
    assert (recorded.kpi.value, recorded.guardrails[0].value) == (None, 4.7)
    recorded = shown(types(desk, "/kpi 12m with 3 people"), Recorded)
    assert (recorded.note, recorded.guardrails) == ("with 3 people", ())


def test_the_correction_of_an_earlier_week_names_it(desk: BotHarness) -> None:
    assert shown(types(desk, "/kpi 14m"), Recorded).week is None
    desk.play_until(at("2026-03-17 12:00"))
    said = types(desk, "/kpi reply week=1 31m")
    assert shown(said, Recorded).week == 1
    assert_golden(said, "of-an-earlier-week")


def test_in_quotes_such_words_are_a_note_without_the_quotes(desk: BotHarness) -> None:
    types(desk, '/kpi 14m two said "csat=good" today')
    types(desk, '/kpi 13m "csat=good"')
    assert [(row.guardrail, row.note) for row in rows(desk, Reading)] == [
        ("", "two said csat=good today"),
        ("", "csat=good"),
    ]


def test_without_guardrails_such_words_are_a_note(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        harness.play_until(at("2026-03-05 11:00"))
        types(harness, "/kpi 14m two away backlog=12")
        types(harness, "/kpi 14m backlog=low two away")
        assert [row.note for row in rows(harness, Reading)] == [
            "two away backlog=12",
            "backlog=low two away",
        ]


def test_the_forms_ask_the_reporter_for_them(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.clicks(bot_dms(desk, LEAD)[-1], "As planned")
    errors = lead.submits({"runs": "9", "guardrail:csat": "3h"}).errors
    assert_golden(errors["guardrail:csat"], "refused-no-score")
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
    closing = posts(desk, DESK_CHANNEL)[-1]
    closed = shown(closing, CycleClosed)
    assert (closed.result, closed.kpi.baseline, closed.kpi.value, closed.kpi.target) == (
        "not met",
        42,
        14,
        15,
    )
    assert closed.kpi.is_met
    assert closed.guardrails == (replace(CSAT, value=4.5, held=False), REOPENED)
    assert_golden(closing, "closed-guardrail-missed")


def test_a_new_revision_changes_nothing_of_the_cycle_that_runs(desk: BotHarness, tmp_path: Path) -> None:
    lead = desk.workspace.person(LEAD)
    lead.types("/cadence playbook import")
    text = (
        REPLY.read_text(encoding="utf-8")
        .replace("target: 15", "target: 5")
        .replace("baseline: 42", "baseline: 30")
    )
    assert not lead.submits({"yaml": text}).errors
    recorded = shown(types(desk, "/kpi 14m CSAT=4.7"), Recorded)
    assert (recorded.kpi.baseline, recorded.kpi.value, recorded.kpi.target) == (42, 14, 15)
    assert recorded.met
    for day in ("2026-03-12", "2026-03-19"):
        desk.play_until(at(f"{day} 12:00"))
        types(desk, "/kpi 14m CSAT=4.7")
    desk.play_until(at("2026-03-30 10:00"))
    assert rows(desk, Cycle)[0].result == "met"
    assert shown(posts(desk, DESK_CHANNEL)[-1], WeekOpens).kpi.target == 5


def test_status_and_the_digest_say_when_one_is_past_its_limit(desk: BotHarness) -> None:
    [row] = shown(types(desk, "/cadence status"), Status).rows
    assert row.guardrails == (CSAT, REOPENED)
    types(desk, "/kpi 14m csat=4.1")
    [row] = shown(types(desk, "/cadence status"), Status).rows
    missed = replace(CSAT, value=4.1, held=False)
    assert row.guardrails == (missed, REOPENED)
    desk.play_until(at("2026-03-09 12:00"))
    digest = shown(posts(desk, CURATORS)[-1], Digest)
    assert digest.slipping == 1
    [team] = digest.rows
    assert (team.team, team.playbook, team.phase) == ("Desk", "Reply", "pilot")
    assert (team.kpi.baseline, team.kpi.value, team.to_target, team.broken) == (42, 14, 0, missed)


def test_a_number_of_an_earlier_week_is_shown_with_its_week(desk: BotHarness) -> None:
    types(desk, "/kpi 14m csat=4.7")
    desk.play_until(at("2026-03-17 12:00"))
    said = types(desk, "/cadence status")
    [row] = shown(said, Status).rows
    assert row.guardrails == (replace(CSAT, value=4.7, held=True, week=1), REOPENED)
    assert_golden(said, "status-of-an-earlier-week")
    types(desk, "/kpi csat=4.8 week=3")
    [row] = shown(types(desk, "/cadence status"), Status).rows
    assert row.guardrails == (replace(CSAT, value=4.8, held=True), REOPENED)


def test_the_check_in_shows_the_numbers_its_member_gave(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.clicks(bot_dms(desk, LEAD)[-1], "As planned")
    assert not lead.submits({"runs": "9", "value": "14", "guardrail:csat": "4.5"}).errors
    desk.tick()
    missed, held = replace(CSAT, value=4.5, held=False), replace(REOPENED, value=3, held=True)
    assert receipt(desk).guardrails == (missed,)
    assert_golden(bot_dms(desk, LEAD)[-1], "check-in-guardrail-missed")
    types(desk, "/kpi reply reopen-rate=3%")
    assert receipt(desk).guardrails == (missed, held)
    desk.workspace.person(AGENT).types("/kpi reply csat=4.7", channel=DESK_CHANNEL)
    desk.tick()
    others = replace(CSAT, value=4.7, held=True, given_by=AGENT)
    assert receipt(desk).guardrails == (others, held), "the reporter's receipt names who corrected it"
    assert_golden(bot_dms(desk, LEAD)[-1], "check-in-guardrail-corrected")


def test_a_number_replaced_by_another_person_is_named_and_shown_in_the_reporters_check_in(
    desk: BotHarness,
) -> None:
    lead = desk.workspace.person(LEAD)
    lead.clicks(bot_dms(desk, LEAD)[-1], "As planned")
    assert not lead.submits({"runs": "9", "value": "36"}).errors
    said = desk.workspace.person(AGENT).types("/kpi 40m", channel=DESK_CHANNEL)
    desk.tick()
    recorded = shown(said, Recorded)
    assert (recorded.replaced, recorded.replaced_of) == (36, LEAD)
    assert_golden(said, "replaces-another-persons")
    assert (receipt(desk).kpi, receipt(desk).kpi_from) == (40, AGENT)
    assert_golden(bot_dms(desk, LEAD)[-1], "check-in-number-corrected")


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


def test_a_guardrail_replaced_by_another_person_is_named(desk: BotHarness) -> None:
    types(desk, "/kpi 30m csat=4.7 reopen-rate=3%")
    said = desk.workspace.person(AGENT).types("/kpi 30m csat=4.5 reopen-rate=3%", channel=DESK_CHANNEL)
    csat, reopened = shown(said, Recorded).guardrails
    assert (csat.replaced, csat.replaced_of, reopened.replaced) == (4.7, LEAD, None)
    assert_golden(said, "replaces-another-persons-guardrail")
    [own] = shown(
        desk.workspace.person(AGENT).types("/kpi csat=4.6", channel=DESK_CHANNEL), Recorded
    ).guardrails
    assert (own.replaced, own.replaced_of) == (4.5, "")


def test_a_guardrail_typed_with_an_unclear_week_is_in_the_form(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-09 11:00"))
    lead = desk.workspace.person(LEAD)
    form = shown(lead.types("/kpi 14m csat=4.7 calm", channel=DESK_CHANNEL), KpiForm)
    assert [rail.typed for rail in form.guardrails] == ["4.7", ""]
    assert (form.value, form.note, form.only_guardrails) == ("14m", "calm", False)
    assert not lead.submits({}).errors
    assert kept(desk) == [("", 14, True), ("CSAT", 4.7, True)]
    form = shown(lead.types("/kpi reopen-rate=3%", channel=DESK_CHANNEL), KpiForm)
    assert ([rail.typed for rail in form.guardrails], form.only_guardrails) == (["", "3%"], True)
    assert not lead.submits({}).errors
    assert kept(desk)[2:] == [("Reopen rate", 3, True)]


def test_a_guardrail_typed_with_an_unclear_playbook_is_in_the_form(tmp_path: Path) -> None:
    reply = changed(REPLY, tmp_path, RAILS)
    with bot_harness(tmp_path, workspace=DESK, playbooks=[reply, TRIAGE]) as harness:
        for slug in ("reply", "triage"):
            types(harness, f"/cadence cycle start {slug} 2026-03-02 team=desk")
        harness.play_until(at("2026-03-12 11:00"))
        lead = harness.workspace.person(LEAD)
        form = shown(lead.types("/kpi 14m csat=4.7 backlog=12 week=1", channel=DESK_CHANNEL), KpiForm)
        assert ([rail.typed for rail in form.guardrails], form.note) == (["4.7"], "backlog=12")
        assert form.named == 1
        choices = {one.label.partition(" ")[0]: one.value for one in form.adoptions}
        assert not lead.submits({"adoption": choices["Reply"]}).errors
        assert kept(harness) == [("", 14, True), ("CSAT", 4.7, True)]
        assert {row.week for row in rows(harness, Reading)} == {1}
        lead.types("/kpi csat=4.7", channel=DESK_CHANNEL)
        errors = lead.submits({"adoption": choices["Triage"]}).errors
        assert_golden(errors["guardrail:csat"], "refused-unknown-in-form")
        assert lead.submits({"adoption": choices["Triage"], "guardrail:csat": ""}).errors.keys() == {"value"}
