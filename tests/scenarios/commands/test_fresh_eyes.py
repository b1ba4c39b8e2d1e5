"""What a newcomer tries first: wrong names, commands without arguments, typos, and ways back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM, import_into
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from cadence.documents import read_workspace
from cadence.flows.people.workspace_files import export_workspace
from cadence.flows.workspaces.settings import save_settings
from storage.tables import Attestation, CheckIn, Reading, Team
from storage.work import UnitOfWork
from templates.ids import Action
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    DESK,
    DESK_CHANNEL,
    REPLY,
    SOLO_CHANNEL,
    InCycle,
    at,
    bot_dms,
    rows,
    start_cycle,
)

LEAD, AGENT, SOLO, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Thursday of week 1, the check-ins are out."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-05 10:42")
    ) as harness:
        yield harness


# --- teams ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "right"),
    [
        ({"slug": "Night Desk!"}, "slug", "such as night-desk."),
        ({"slug": "drifted"}, "slug", "such as night-desk."),
        ({"title": "Ω", "slug": "Ω"}, "slug", "such as support-emea."),
        ({"country": "XX"}, "country", "XX"),
        ({"channel": DESK_CHANNEL}, "channel", "Desk"),
    ],
)
def test_the_team_form_says_what_would_be_right(
    desk: BotHarness, changes: dict[str, str], field: str, right: str
) -> None:
    lead = desk.workspace.person(LEAD)
    lead.types("/cadence team create")
    filled = {"title": "Night Desk", "slug": "night-desk", "function": "support", "channel": "C01CURATORS"}
    refused = lead.submits(filled | changes)
    assert right in refused.errors[field]
    assert [row.slug for row in rows(desk, Team)] == ["desk", "solo"]


def test_a_team_has_a_channel_and_a_member(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    opened = lead.types("/cadence team create").view
    assert opened is not None
    required = {block["block_id"] for block in opened.blocks if not block.get("optional", False)}
    assert {"channel", "members", "title", "slug"} <= required


def test_leaving_says_so_and_can_be_undone(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    left = agent.types("/cadence team leave desk")
    assert left.text == "You left Desk."
    assert left.message is not None
    assert left.message.buttons == ["Join again"]
    back = agent.clicks(left.message, "Join again")
    assert back.text == "You joined Desk."
    assert back.message is not None
    assert back.message.buttons == ["Leave"]
    again = agent.types("/cadence team join desk")
    assert again.text == "You are already in Desk."
    assert again.message is not None
    assert again.message.buttons == []


def test_leaving_a_team_one_is_not_in_changes_nothing(desk: BotHarness) -> None:
    assert desk.workspace.person(SOLO).types("/cadence team leave desk").text == "You are not in Desk."


def test_others_are_named_and_a_lost_reporter_is_said(desk: BotHarness) -> None:
    said = desk.workspace.person(AGENT).types(f"/cadence team leave desk <@{LEAD}>")
    assert said.text == f"<@{LEAD}> left Desk. Nobody reports its KPI now."
    assert said.message is not None
    assert said.message.buttons == []


def test_a_workspace_without_a_curator_channel_goes_out_and_in_again(
    desk: BotHarness, tmp_path: Path
) -> None:
    caller = Actor(workspace_id=BUILT_IN_TEAM, member=CURATOR, surface="form")
    given = {
        "curators": (CURATOR,),
        "curator_channel": None,
        "timezone": "Europe/Berlin",
        "rule": "balanced",
    }
    save_settings(UnitOfWork(desk.bot.db, caller, desk.clock.now()), given, named=frozenset())
    text = export_workspace(UnitOfWork(desk.bot.db, caller))
    assert read_workspace(text).curator_channel is None
    file = tmp_path / "out.yaml"
    file.write_text(text, encoding="utf-8")
    _, refused = import_into(desk.bot.db, BUILT_IN_TEAM, [file], now=desk.clock.now())
    assert refused == []


# --- bare commands --------------------------------------------------------------------------------------------


def test_snooze_alone_asks_until_when(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    asked = agent.types("/cadence snooze")
    assert asked.message is not None
    assert asked.message.buttons == ["In an hour", "Tomorrow"]
    said = agent.clicks(asked.message, "In an hour")
    assert "Thu 5 Mar, 11:42" in said.text


def test_playbook_alone_lists_them_to_choose_from(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    listed = agent.types("/cadence playbook")
    assert listed.message is not None
    assert listed.text == "1 playbook"
    [table] = [block for block in listed.message.blocks if block["type"] == "table"]
    assert [cell["text"] for cell in table["rows"][1]] == [
        "Reply", "support", "piloting", "draft 1", "1", "Jana Hoffmann"
    ]  # fmt: skip
    assert "Draft the reply" in agent.chooses(listed.message, Action.SHOW_PLAYBOOK, "reply").words


def test_cycle_alone_starts_for_owners_and_shows_for_others(desk: BotHarness) -> None:
    opened = desk.workspace.person(LEAD).types("/cadence cycle", channel=DESK_CHANNEL).view
    assert opened is not None
    assert opened.title == "Start a cycle"
    shown = desk.workspace.person(AGENT).types("/cadence cycle", channel=DESK_CHANNEL)
    assert shown.view is None
    assert "Reply" in shown.words


def test_team_alone_shows_ones_team(desk: BotHarness) -> None:
    said = desk.workspace.person(SOLO).types("/cadence team", channel=SOLO_CHANNEL)
    assert said.text == "Solo (1 member)"


# --- reports --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["week=2 draft tone was off", "draft tone was off week=2"])
def test_a_week_is_no_part_of_an_exception(desk: BotHarness, typed: str) -> None:
    agent = desk.workspace.person(AGENT)
    said = agent.types(f"/exception {typed}", channel=DESK_CHANNEL)
    assert said.text == "An exception counts from when it's logged. Leave out `week=2`."
    assert "week" not in agent.types("/exception help").words


def test_why_without_an_exception_says_what_it_waits_for(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    agent.types("/attest as-declared runs=14", channel=DESK_CHANNEL)
    said = agent.types("/cadence why reply draft", channel=DESK_CHANNEL)
    assert "No exceptions have been logged on this step, so there's nothing to check yet." in said.words


def test_only_curators_get_the_digest(tmp_path: Path) -> None:
    with bot_harness(tmp_path) as harness:
        for_curator = harness.workspace.person(CURATOR).types("/cadence digest").message
        for_member = harness.workspace.person(AGENT).types("/cadence digest")
        assert for_curator is not None
        assert for_curator.text.startswith("Week of 23 Feb:")
        assert f"Only a curator can read the digest: <@{CURATOR}>" in for_member.words


def test_far_too_many_runs_are_a_slip(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    said = agent.types("/attest as-declared runs=99,999", channel=DESK_CHANNEL)
    assert "99,999 runs is far above your usual 20. The most for a week is 400." in said.text
    assert rows(desk, CheckIn) == []
    agent.types("/attest as-declared runs=400", channel=DESK_CHANNEL)
    assert [(row.attestation, row.runs) for row in rows(desk, CheckIn)] == [(Attestation.AS_DECLARED, 400)]


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("840m", "20 times the baseline of 42 min. If that's a typo, send the right number"),
        ("1m", "less than a twentieth of the baseline of 42 min. If that's a typo"),
    ],
)
def test_a_number_far_from_the_beginning_is_kept_and_asked_about(
    desk: BotHarness, typed: str, asked: str
) -> None:
    lead = desk.workspace.person(LEAD)
    assert asked in lead.types(f"/kpi {typed}", channel=DESK_CHANNEL).words
    assert [row.typed for row in rows(desk, Reading)] == [typed]
    said = lead.types("/kpi 14m", channel=DESK_CHANNEL).words
    assert "slip" not in said
    assert "to correct it, send `/kpi reply` with the right number" in said.replace("_", "")


def test_the_same_number_with_a_note_replaces_nothing(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.types("/kpi 14m", channel=DESK_CHANNEL)
    assert "Replaces" not in lead.types("/kpi 14m two away", channel=DESK_CHANNEL).words


def test_the_drift_forms_error_teaches_no_command(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    agent.clicks(agent.last_dm(), "Something changed")
    [said] = agent.submits({"runs": "12"}).errors.values()
    assert said == "Please complete this required field."


def test_in_week_one_the_runs_filled_in_are_an_even_share(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    opened = agent.clicks(agent.last_dm(), "As planned").view
    assert opened is not None
    assert "We've suggested a typical number" in str(opened.blocks)
    agent.submits({"runs": "14"})
    desk.play_until(at("2026-03-12 10:42"))
    opened = agent.clicks(agent.last_dm(), "As planned").view
    assert opened is not None
    assert "Your usual. Change it if it's off." in str(opened.blocks)


def test_the_message_that_asks_for_the_number_is_settled_by_it(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-06 14:30"))
    [asked] = [one for one in bot_dms(desk, LEAD) if "What was “First response time”" in one.words]
    assert asked.buttons == ["Report the number"]
    desk.workspace.person(LEAD).types("/kpi 14m", channel=DESK_CHANNEL)
    desk.tick()
    [settled] = [one for one in bot_dms(desk, LEAD) if one.ts == asked.ts]
    assert "First response time in week 1: 14 min" in settled.words
    assert settled.buttons == []
    desk.workspace.person(LEAD).types("/kpi 15m", channel=DESK_CHANNEL)
    desk.tick()
    [settled] = [one for one in bot_dms(desk, LEAD) if one.ts == asked.ts]
    assert "in week 1: 15 min" in settled.words


# --- before anything runs -------------------------------------------------------------------------------------


def test_what_cannot_be_done_yet_says_what_is_missing(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        lead = harness.workspace.person(LEAD)
        assert "your teams don't run a playbook yet" in lead.types("/cadence snooze friday").words
        assert "No team runs a playbook yet" in lead.types("/cadence playbook move").words
        assert "A team that runs a playbook" in lead.types("/cadence handoff").words


def test_between_the_start_and_the_first_monday_status_says_when_it_starts(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        lead = harness.workspace.person(LEAD)
        for command in ("/cadence status", "/cadence playbook show reply"):
            said = lead.types(command, channel=DESK_CHANNEL).words
            assert "starts Mon 2 Mar" in said
            assert "between cycles" not in said
            assert "no check-ins due" not in said


def test_the_form_for_a_number_says_of_which_week(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-06 15:00"))
    lead = desk.workspace.person(LEAD)
    [asked] = [one for one in bot_dms(desk, LEAD) if "What was “First response time”" in one.text]
    desk.play_until(at("2026-03-09 10:00"))
    lead.clicks(asked, asked.buttons[0])
    assert "week of Mon 2 Mar" in lead.form().words
