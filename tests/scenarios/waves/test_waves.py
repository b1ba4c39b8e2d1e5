"""Waves are planned, confirmed team by team, and opened once their gate holds (SPEC §6)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from bot.rehearsal.harness import BotHarness
from storage.tables import (
    Adoption,
    CutoverState,
    Cycle,
    Override,
    OverrideKind,
    Wave,
    WavePhase,
    WaveState,
    WaveTeam,
)
from tests.scenarios.plays import CURATORS, at, bot_dms, entries, posts, rows
from tests.scenarios.waves.floor import (
    AGENT,
    APAC,
    APAC_CHANNEL,
    BOOKS,
    CURATOR,
    LEAD,
    NIGHT,
    NIGHT_CHANNEL,
    SALES,
    SOLO,
    close_cycle,
    confirm,
    floor,
    opened,
    plan,
    ready_for_waves,
    running,
    types,
)


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[BotHarness]:
    with floor(tmp_path) as ready:
        yield ready


@pytest.fixture
def first(tmp_path: Path) -> Iterator[BotHarness]:
    """The controlled wave is open, with three teams; it is April."""
    with floor(tmp_path, open_in_april) as ready:
        yield ready


def open_in_april(harness: BotHarness) -> None:
    ready_for_waves(harness)
    said = opened(harness, ("apac", APAC), ("sales", SALES), ("solo", SOLO))
    assert "Wave 1 of Reply is open: 3 teams" in said
    harness.clock.set(at("2026-04-07 10:00"))


@pytest.mark.parametrize("state", [CutoverState.ASKED, CutoverState.HELD])
def test_a_cutover_that_is_only_asked_for_or_held_opens_no_wave(
    harness: BotHarness, state: CutoverState
) -> None:
    ready_for_waves(harness, cutover=state)
    lead = harness.workspace.person(LEAD)
    lead.types("/cadence wave reply plan")
    lead.submits({"teams": ["apac", "solo"], "reason": "Same queue"})
    assert "The cutover hasn't passed" in lead.form().words
    assert "The owner hasn't answered the assessment" not in lead.form().words


def test_the_first_wave_is_the_controlled_phase(harness: BotHarness) -> None:
    lead = harness.workspace.person(LEAD)
    lead.types("/cadence wave reply plan")
    assert "The controlled phase: 2 or 3 teams" in lead.form().words
    errors = lead.submits({"teams": ["apac"], "reason": "Same queue"}).errors
    assert errors == {"teams": "The controlled phase takes 2 or 3 teams. You chose 1 team."}
    errors = lead.submits({"teams": ["apac", "solo"], "reason": " "}).errors
    assert errors == {"reason": "Say in a sentence why these teams are next."}
    assert lead.submits({"teams": ["apac", "solo"], "reason": "Same queue"}).errors == {}
    assert "Wave 1 is planned." in lead.form().words
    (wave,) = rows(harness, Wave)
    assert (wave.number, wave.phase, wave.state) == (1, WavePhase.CONTROLLED, WaveState.PLANNED)
    harness.tick()
    harness.play_until(at("2026-03-05 12:00"))
    post = posts(harness, CURATORS)[-1]
    assert post.text == "Wave 1 of Reply is planned: 2 teams"
    for line in (
        "The owner hasn't answered the assessment",
        "The cutover hasn't passed",
        "0 of 5 training samples",
        "Apac: no champion",
        "Solo: nobody confirmed that it has room",
    ):
        assert line in post.words
    assert "support · APAC (differs from the pilot)" in post.words
    assert bot_dms(harness, LEAD)[-1].text == post.text


def test_a_controlled_wave_opens_once_everything_is_there(harness: BotHarness) -> None:
    plan(harness, "apac", "solo")
    curator = harness.workspace.person(CURATOR)
    said = curator.types("/cadence wave reply open")
    assert "No champion, no access." in said.words
    confirm(harness, "apac", APAC, member=APAC)
    confirm(harness, "solo", SOLO, room=False)
    said = curator.types("/cadence wave reply open")
    assert "Wave 1 of Reply can't open yet." in said.words
    assert "Solo: nobody confirmed that it has room" in said.words
    confirm(harness, "solo", SOLO)
    ready_for_waves(harness, samples=4)
    assert "4 of 5 training samples" in types(harness, CURATOR, "/cadence wave reply open")
    assert "Only a curator can open a wave" in types(harness, LEAD, "/cadence wave reply open")
    assert running(harness) == {"desk"}
    assert len(entries(harness, "wave-team-confirmed")) == 3


def test_opening_adopts_the_playbook_in_each_team(first: BotHarness) -> None:
    assert running(first) == {"desk", "apac", "sales", "solo"}
    champions = {row.champion for row in rows(first, Adoption)}
    assert {APAC, SALES, SOLO} <= champions
    setup, announced = posts(first, APAC_CHANNEL)[-2:]
    assert "Set up Reply in Apac" in setup.text
    assert announced.text == "Wave 1 of Reply is open: 3 teams"
    assert "Why these teams:" in announced.words
    assert any("You're the champion of Reply in Solo" in one.text for one in bot_dms(first, SOLO))
    (wave,) = rows(first, Wave)
    assert (wave.state, wave.opened_by) == (WaveState.OPEN, CURATOR)
    assert wave.gate == {"assessed": True, "cut_over": True, "samples": 5, "teams": 3, "left_out": []}
    planned = [one for one in posts(first, CURATORS) if one.text.startswith("Wave 1")]
    assert planned[0].text == "Wave 1 of Reply is open: 3 teams"
    assert "Open wave 1" not in planned[0].buttons
    assert len(entries(first, "wave-opened")) == 1


def test_two_thirds_of_the_wave_before_open_the_next_one(first: BotHarness) -> None:
    plan(first, "night", "books", reason="They asked for it")
    confirm(first, "night", NIGHT)
    confirm(first, "books", BOOKS)
    close_cycle(first, "apac", 14, over=(1, 40))
    close_cycle(first, "sales", 19, over=(6, 40))
    said = types(first, CURATOR, "/cadence wave reply open")
    assert "1 of 3 teams of wave 1 met the target within the caps (2 needed)" in said
    assert "Sales: 19 min, target 15 min · “Send the reply” 6 in 40 runs, 15% (cap 10%)" in said
    assert "Solo: no cycle closed yet" in said
    assert "Open anyway" in said
    close_cycle(first, "solo", 12)
    said = types(first, CURATOR, "/cadence wave reply open")
    assert "Wave 2 of Reply is open: 2 teams" in said
    wave = rows(first, Wave)[-1]
    assert (wave.phase, wave.gate["held"], wave.gate["needed"]) == (WavePhase.BROAD, 2, 2)
    assert {"night", "books"} <= running(first)
    assert rows(first, Override) == []


def test_a_guardrail_past_its_limit_or_too_few_readings_hold_it(first: BotHarness) -> None:
    plan(first, "night")
    confirm(first, "night", NIGHT)
    close_cycle(first, "apac", 14, result="not met")
    close_cycle(first, "sales", 14, result="insufficient")
    close_cycle(first, "solo", None)
    said = types(first, CURATOR, "/cadence wave reply open")
    assert "Apac: 14 min, target 15 min (a guardrail is past its limit)" in said
    assert "Sales: 14 min, target 15 min (too few readings)" in said
    assert "Solo: no reading" in said


def test_a_curator_opens_it_anyway_with_a_reason(first: BotHarness) -> None:
    plan(first, "night", "books")
    confirm(first, "night", NIGHT)
    curator = first.workspace.person(CURATOR)
    said = curator.types("/cadence wave reply open")
    assert said.message is not None
    curator.clicks(said.message, "Open anyway")
    assert "can't wait" in curator.submits({"reason": "because"}).errors["reason"]
    curator.submits({"reason": "The night shift <starts> on Monday"})
    assert "Wave 2 of Reply is open: 1 team" in curator.form().words
    first.tick()
    (row,) = rows(first, Override)
    assert (row.kind, row.member) == (OverrideKind.WAVE, CURATOR)
    assert "Solo: no cycle closed yet" in row.passed_over["gaps"]
    post = posts(first, NIGHT_CHANNEL)[-1]
    assert "The night shift &lt;starts&gt; on Monday" in post.words
    assert "Left out: Books. No champion, no access." in post.words.replace("*", "")
    assert "books" not in running(first)
    assert "Opened before its gate held" in types(first, CURATOR, "/cadence wave reply show")


def test_a_plan_is_changed_and_canceled(harness: BotHarness) -> None:
    plan(harness, "apac", "solo")
    confirm(harness, "apac", APAC)
    plan(harness, "apac", "sales", member=CURATOR, reason="Sales asked first")
    kept = [row for row in rows(harness, WaveTeam) if row.removed_at is None]
    assert sorted(row.champion or "" for row in kept) == ["", APAC]
    assert len(entries(harness, "wave-changed")) == 1
    assert "Wave 1 of Reply is canceled." in types(harness, LEAD, "/cadence wave reply cancel")
    harness.play_until(at("2026-03-05 12:00"))
    post = next(one for one in posts(harness, CURATORS) if one.text.startswith("Wave 1"))
    assert post.text == "Wave 1 of Reply is canceled"
    plan(harness, "apac", "solo")
    (wave,) = rows(harness, Wave)
    assert (wave.number, wave.state) == (1, WaveState.PLANNED)


def test_a_champion_has_to_be_in_the_team(harness: BotHarness) -> None:
    plan(harness, "apac", "solo")
    row = rows(harness, WaveTeam)[0]
    curator = harness.workspace.person(CURATOR)
    shown = curator.types("/cadence wave reply show")
    assert shown.message is not None
    curator.chooses(shown.message, "wave.team", str(row.id))
    errors = curator.submits({"champion": SALES, "room": ["room"]}).errors
    assert "isn't in Apac, and its champion has to be." in errors["champion"]


def test_teams_that_asked_come_first_in_the_plan(harness: BotHarness) -> None:
    types(harness, SALES, "/cadence request reply We get the same questions")
    lead = harness.workspace.person(LEAD)
    lead.types("/cadence wave reply plan")
    [block] = [one for one in lead.form().blocks if one.get("block_id") == "teams"]
    labels = [one["text"]["text"] for one in block["element"]["options"]]
    assert labels[0] == "Sales · sales · EMEA · 1 request"
    assert not any(label.startswith("Desk") for label in labels)
    assert "We get the same questions" in lead.form().words


def test_members_see_the_waves_and_can_only_ask(harness: BotHarness) -> None:
    plan(harness, "apac", "solo")
    said = harness.workspace.person(SALES).types("/cadence wave")
    assert "Reply: pilot phase, wave 1 planned" in said.words
    assert said.message is not None
    assert said.message.buttons[-1] == "Request it for your team"
    assert "Only the owner" in types(harness, SALES, "/cadence wave reply plan")


def test_status_and_waves_show_the_way_to_many_teams(harness: BotHarness) -> None:
    status = types(harness, LEAD, "/cadence status reply")
    assert "Pilot, now* → Assessment → Cutover" in status
    assert "Next, see its cycle with" in status
    assert "▸ *Pilot, now*: one team hits the target" in types(harness, LEAD, "/cadence wave reply show")
    assert "From one team to many" not in types(harness, AGENT, "/cadence status reply")
    ready_for_waves(harness)
    shown = types(harness, SALES, "/cadence wave reply show")
    assert "☑ Cutover" in shown
    assert "plan wave 1 with `/cadence wave reply plan`" in shown
    plan(harness, "apac", "solo")
    assert "see what wave 1 still needs with" in types(harness, LEAD, "/cadence status reply")
    for team, champion in (("apac", APAC), ("solo", SOLO)):
        confirm(harness, team, champion)
    assert "a curator opens wave 1 with `/cadence wave reply open`" in types(
        harness, LEAD, "/cadence status reply"
    )
    types(harness, CURATOR, "/cadence wave reply open")
    assert "`/cadence train reply show`" in types(harness, LEAD, "/cadence status reply")
    for team in ("apac", "solo"):
        close_cycle(harness, team, 14)
    after = types(harness, LEAD, "/cadence wave reply show")
    assert "☑ Controlled" in after
    assert "plan wave 2 with" in after


def test_the_way_names_the_training_samples_before_the_first_wave(harness: BotHarness) -> None:
    ready_for_waves(harness, samples=3)
    said = types(harness, CURATOR, "/cadence status reply")
    assert "Next, add 2 training samples with `/cadence train reply add`" in said


def test_the_digest_and_home_name_the_wave_to_open(first: BotHarness) -> None:
    plan(first, "night")
    confirm(first, "night", NIGHT)
    assert "Open wave 2" not in types(first, CURATOR, "/cadence digest")
    close_cycle(first, "apac", 14)
    close_cycle(first, "solo", 12)
    said = types(first, CURATOR, "/cadence digest")
    assert "Open wave 2" in said
    first.clock.set(first.clock.now() + timedelta(minutes=5))
    curator = first.workspace.person(CURATOR)
    curator.opens_home()
    assert "Open wave 2" in curator.home().words


def test_the_digest_says_which_wave_holds_and_each_teams_phase(first: BotHarness) -> None:
    def waves_line() -> str:
        said = types(first, CURATOR, "/cadence digest")
        return said.partition("*Waves:* ")[2].partition("\n")[0]

    assert waves_line() == "Reply wave 1 open (controlled, 3 teams)"
    close_cycle(first, "apac", 19)
    assert waves_line() == "Reply wave 1 doesn't hold yet (0 of 3 teams met, 2 needed)"
    plan(first, "night")
    assert waves_line() == "Reply wave 1 of 2 doesn't hold yet (0 of 3 teams met, 2 needed), wave 2 planned"
    close_cycle(first, "solo", 12)
    assert waves_line() == "Reply wave 1 of 2 doesn't hold yet (1 of 3 teams met, 2 needed), wave 2 planned"
    with first.bot.db.write() as session:
        [missed] = session.exec(select(Cycle).where(Cycle.kpi_value == 19)).all()
        missed.kpi_value, missed.result = 13.0, "met"
    assert waves_line() == "Reply wave 1 of 2 holds (2 of 3 teams met), wave 2 planned"
    confirm(first, "night", NIGHT)
    assert waves_line() == "Reply wave 1 of 2 holds (2 of 3 teams met), wave 2 can open"
    assert "\nReply · pilot\n" in types(first, CURATOR, "/cadence digest")


def test_home_asks_the_owner_to_plan_the_next_wave_once_it_could_open(harness: BotHarness) -> None:
    lead = harness.workspace.person(LEAD)
    assert "Plan the next wave" not in lead.opens_home().words
    ready_for_waves(harness)
    harness.clock.set(harness.clock.now() + timedelta(minutes=5))
    lead.opens_home()
    assert "Plan the next wave" in lead.home().words
    assert "Plan wave 1" in lead.home().buttons
    opened(harness, ("apac", APAC), ("solo", SOLO))
    harness.clock.set(harness.clock.now() + timedelta(minutes=5))
    lead.opens_home()
    assert "Plan wave 2" not in lead.home().buttons
    for team in ("apac", "solo"):
        close_cycle(harness, team, 14)
    harness.clock.set(harness.clock.now() + timedelta(minutes=5))
    lead.opens_home()
    assert "2 of 2 teams of wave 1 met the target within the caps" in lead.home().words
    assert "Plan wave 2" in lead.home().buttons
