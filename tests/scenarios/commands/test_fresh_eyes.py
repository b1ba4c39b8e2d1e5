"""What a newcomer tries first: wrong names, commands without arguments, typos, and ways back."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import select

from bot.ops.commands import BUILT_IN_TEAM, import_into
from bot.rehearsal.harness import BotHarness
from bot.sandbox.forms import REQUIRED
from cadence.actor import Actor
from cadence.documents import read_workspace
from cadence.flows.people.workspace_files import export_workspace
from cadence.flows.workspaces.settings import save_settings
from storage.tables import Attestation, CheckIn, LoggedException, Playbook, Reading, Team, TeamMember
from storage.work import UnitOfWork
from templates.contexts.answers import Help
from templates.contexts.checkins import CheckinForm, KpiMissing, SnoozeAsked, Snoozed
from templates.contexts.cycles import CycleShown, CycleStartForm
from templates.contexts.numbers import KpiForm, Recorded
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.statuses import Status, Why
from templates.contexts.people import TeamShown
from templates.contexts.playbooks import PlaybookList, PlaybookShown
from templates.ids import Action
from tests.contexts import actions, assert_golden, is_shown, shown
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


def members(harness: BotHarness) -> set[str]:
    """Who is in the desk's team now."""
    [team] = [row for row in rows(harness, Team) if row.slug == "desk"]
    return {row.member for row in rows(harness, TeamMember) if row.team_id == team.id and row.left_at is None}


# --- teams ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "changes", "field"),
    [
        ("no-slug", {"slug": "Night Desk!"}, "slug"),
        ("reserved-slug", {"slug": "drifted"}, "slug"),
        ("no-letters", {"title": "Ω", "slug": "Ω"}, "slug"),
        ("unknown-country", {"country": "XX"}, "country"),
        ("taken-channel", {"channel": DESK_CHANNEL}, "channel"),
    ],
)
def test_the_team_form_says_what_would_be_right(
    desk: BotHarness, case: str, changes: dict[str, str], field: str
) -> None:
    lead = desk.workspace.person(LEAD)
    lead.types("/cadence team create")
    filled = {"title": "Night Desk", "slug": "night-desk", "function": "support", "channel": "C01CURATORS"}
    refused = lead.submits(filled | changes)
    assert_golden(refused.errors[field], f"team-form:{case}")
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
    assert_golden(left, "left")
    assert left.message is not None
    assert actions(left.message) == [Action.TEAM_JOIN]
    assert AGENT not in members(desk)
    back = agent.clicks(left.message, "Join again")
    assert_golden(back, "joined-again")
    assert back.message is not None
    assert actions(back.message) == [Action.TEAM_LEAVE]
    assert AGENT in members(desk)
    again = agent.types("/cadence team join desk")
    assert_golden(again, "already-in")
    assert again.message is not None
    assert actions(again.message) == []


def test_leaving_a_team_one_is_not_in_changes_nothing(desk: BotHarness) -> None:
    before = members(desk)
    assert_golden(desk.workspace.person(SOLO).types("/cadence team leave desk"), "not-in-it")
    assert members(desk) == before


def test_others_are_named_and_a_lost_reporter_is_said(desk: BotHarness) -> None:
    said = desk.workspace.person(AGENT).types(f"/cadence team leave desk <@{LEAD}>")
    assert_golden(said, "reporter-left")
    assert said.message is not None
    assert actions(said.message) == []
    assert [row.reporter for row in rows(desk, Team) if row.slug == "desk"] == [None]


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
    assert actions(asked.message) == [Action.SNOOZE, Action.SNOOZE]
    assert [one.until for one in shown(asked, SnoozeAsked).choices] == ["hour", "tomorrow"]
    said = agent.clicks(asked.message, "In an hour")
    until = shown(said, Snoozed).until
    assert f"{until:%Y-%m-%d %H:%M}" == "2026-03-05 11:42"


def test_playbook_alone_lists_them_to_choose_from(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    listed = agent.types("/cadence playbook")
    assert listed.message is not None
    assert shown(listed, PlaybookList).total == 1
    [table] = [block for block in listed.message.blocks if block["type"] == "table"]
    assert [cell["text"] for cell in table["rows"][1]] == [
        "Reply", "support", "piloting", "draft 1", "1", "Jana Hoffmann"
    ]  # fmt: skip
    chosen = shown(agent.chooses(listed.message, Action.SHOW_PLAYBOOK, "reply"), PlaybookShown)
    assert (chosen.slug, [step.key for step in chosen.steps]) == ("reply", ["draft", "send"])


def test_cycle_alone_starts_for_owners_and_shows_for_others(desk: BotHarness) -> None:
    opened = desk.workspace.person(LEAD).types("/cadence cycle", channel=DESK_CHANNEL).view
    assert opened is not None
    assert is_shown(opened, CycleStartForm)
    said = desk.workspace.person(AGENT).types("/cadence cycle", channel=DESK_CHANNEL)
    assert said.view is None
    assert shown(said, CycleShown).slug == "reply"


def test_the_form_to_start_a_cycle_offers_what_one_can_start(desk: BotHarness) -> None:
    with desk.bot.db.write() as session:
        row = session.exec(select(Playbook)).one()
        other = row.model_dump(exclude={"id"}) | {"slug": "triage", "title": "Triage", "owner": CURATOR}
        session.add(Playbook(**other))
    form = shown(
        desk.workspace.person(LEAD).types("/cadence cycle start", channel=DESK_CHANNEL), CycleStartForm
    )
    assert ([one.value for one in form.playbooks], form.playbook) == (["reply"], "reply")
    form = shown(desk.workspace.person(CURATOR).types("/cadence cycle start"), CycleStartForm)
    assert ({one.value for one in form.playbooks}, form.playbook) == ({"reply", "triage"}, None)
    assert_golden(desk.workspace.person(AGENT).types("/cadence cycle start"), "start-form-refused")


def test_team_alone_shows_ones_team(desk: BotHarness) -> None:
    said = desk.workspace.person(SOLO).types("/cadence team", channel=SOLO_CHANNEL)
    team = shown(said, TeamShown)
    assert (team.slug, team.members) == ("solo", (SOLO,))


# --- reports --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["week=2 draft tone was off", "draft tone was off week=2"])
def test_a_week_is_no_part_of_an_exception(desk: BotHarness, typed: str) -> None:
    agent = desk.workspace.person(AGENT)
    said = agent.types(f"/exception {typed}", channel=DESK_CHANNEL)
    assert_golden(said, "week-of-exception")
    assert rows(desk, LoggedException) == []
    [entry] = shown(agent.types("/exception help"), Help).entries
    assert not [one for one in (entry.usage, entry.summary, *entry.examples) if "week=" in one]


def test_why_without_an_exception_says_what_it_waits_for(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    agent.types("/attest as-declared runs=14", channel=DESK_CHANNEL)
    said = agent.types("/cadence why reply draft", channel=DESK_CHANNEL)
    why = shown(said, Why)
    assert (why.step_key, why.decided, why.rows) == ("draft", None, ())
    assert_golden(said, "why-without-exception")


def test_only_curators_get_the_digest(tmp_path: Path) -> None:
    with bot_harness(tmp_path) as harness:
        for_curator = harness.workspace.person(CURATOR).types("/cadence digest")
        for_member = harness.workspace.person(AGENT).types("/cadence digest")
        assert shown(for_curator, Digest).week_start == date(2026, 2, 23)
        assert not is_shown(for_member, Digest)
        assert_golden(for_member, "digest-not-curator")


def test_far_too_many_runs_are_a_slip(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    said = agent.types("/attest as-declared runs=99,999", channel=DESK_CHANNEL)
    assert_golden(said, "far-too-many-runs")
    assert rows(desk, CheckIn) == []
    agent.types("/attest as-declared runs=400", channel=DESK_CHANNEL)
    assert [(row.attestation, row.runs) for row in rows(desk, CheckIn)] == [(Attestation.AS_DECLARED, 400)]


@pytest.mark.parametrize("typed", ["840m", "1m"])
def test_a_number_far_from_the_beginning_is_kept_and_asked_about(desk: BotHarness, typed: str) -> None:
    lead = desk.workspace.person(LEAD)
    assert_golden(lead.types(f"/kpi {typed}", channel=DESK_CHANNEL), f"far-from-baseline:{typed}")
    assert [row.typed for row in rows(desk, Reading)] == [typed]
    assert_golden(lead.types("/kpi 14m", channel=DESK_CHANNEL), f"corrected:{typed}")


def test_the_same_number_with_a_note_replaces_nothing(desk: BotHarness) -> None:
    lead = desk.workspace.person(LEAD)
    lead.types("/kpi 14m", channel=DESK_CHANNEL)
    said = lead.types("/kpi 14m two away", channel=DESK_CHANNEL)
    assert shown(said, Recorded).replaced in (None, 14)
    assert_golden(said, "same-number-with-a-note")


def test_the_drift_forms_error_teaches_no_command(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    agent.clicks(agent.last_dm(), "Something changed")
    [said] = agent.submits({"runs": "12"}).errors.values()
    assert said == REQUIRED, "Slack's own"


def test_in_week_one_the_runs_filled_in_are_an_even_share(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    opened = agent.clicks(agent.last_dm(), "As planned").view
    assert opened is not None
    form = shown(opened, CheckinForm)
    assert (form.runs_are, form.runs) == ("expected", 20)
    agent.submits({"runs": "14"})
    desk.play_until(at("2026-03-12 10:42"))
    opened = agent.clicks(agent.last_dm(), "As planned").view
    assert opened is not None
    form = shown(opened, CheckinForm)
    assert (form.runs_are, form.runs) == ("usual", 14)


def test_the_message_that_asks_for_the_number_is_settled_by_it(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-06 14:30"))
    [asked] = [one for one in bot_dms(desk, LEAD) if is_shown(one, KpiMissing)]
    missing = shown(asked, KpiMissing)
    assert (missing.kpi.name, missing.week, missing.reported) == ("First response time", 1, None)
    assert actions(asked) == [Action.REPORT_KPI]
    desk.workspace.person(LEAD).types("/kpi 14m", channel=DESK_CHANNEL)
    desk.tick()
    [settled] = [one for one in bot_dms(desk, LEAD) if one.ts == asked.ts]
    assert shown(settled, KpiMissing).reported == 14
    assert_golden(settled, "number-reported")
    assert actions(settled) == []
    desk.workspace.person(LEAD).types("/kpi 15m", channel=DESK_CHANNEL)
    desk.tick()
    [settled] = [one for one in bot_dms(desk, LEAD) if one.ts == asked.ts]
    assert shown(settled, KpiMissing).reported == 15


# --- before anything runs -------------------------------------------------------------------------------------


def test_what_cannot_be_done_yet_says_what_is_missing(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        lead = harness.workspace.person(LEAD)
        commands = {"snooze": "snooze friday", "move": "playbook move", "handoff": "handoff"}
        for case, command in commands.items():
            assert_golden(lead.types(f"/cadence {command}"), f"nothing-runs-yet:{case}")


def test_between_the_start_and_the_first_monday_status_says_when_it_starts(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        lead = harness.workspace.person(LEAD)
        status = lead.types("/cadence status", channel=DESK_CHANNEL)
        playbook = lead.types("/cadence playbook show reply", channel=DESK_CHANNEL)
        [row] = shown(status, Status).rows
        [line] = shown(playbook, PlaybookShown).adoptions
        assert row.starts == line.starts == date(2026, 3, 2)
        assert row.week is line.week is row.closed is None
        assert_golden(status, "status-before-the-first-monday")
        assert_golden(playbook, "playbook-before-the-first-monday")


def test_the_form_for_a_number_says_of_which_week(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-06 15:00"))
    lead = desk.workspace.person(LEAD)
    [asked] = [one for one in bot_dms(desk, LEAD) if is_shown(one, KpiMissing)]
    desk.play_until(at("2026-03-09 10:00"))
    lead.clicks(asked, asked.buttons[0])
    assert shown(lead.form(), KpiForm).week_start == date(2026, 3, 2)
