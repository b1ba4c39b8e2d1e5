"""Waves are planned, confirmed team by team, and opened once their gate holds (SPEC §6)."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from html import escape
from pathlib import Path

import pytest
from sqlmodel import select

from bot.rehearsal.harness import BotHarness
from bot.sandbox.kinds import elements_of
from bot.sandbox.views import View
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
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.home import Home
from templates.contexts.overview.statuses import Status
from templates.contexts.setup import SetupPost
from templates.contexts.waves import RolloutPhase, TeamWish, WaveForm, WaveOpened, WavePlanned, WavesShown
from templates.ids import Action
from tests.contexts import Shown, actions, assert_golden, contexts, is_shown, shown
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

PILOT, CONTROLLED, BROAD = 0, 3, 4
"""The places of phases in a playbook's path to many teams."""


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
    assert opening(said) == ("Reply", 1, ["Apac", "Sales", "Solo"])
    harness.clock.set(at("2026-04-07 10:00"))


def opening(said: Shown) -> tuple[str, int, list[str]]:
    """The playbook, the number and the teams of a wave that is open now."""
    told = shown(said, WaveOpened)
    assert told.wave.state == WaveState.OPEN
    return told.playbook, told.wave.number, sorted(one.team for one in told.wave.teams)


def current(phases: Sequence[RolloutPhase]) -> tuple[int, str]:
    """The place of the phase that a playbook is in, and what comes next."""
    [(place, then)] = [(place, str(one.then)) for place, one in enumerate(phases) if one.then]
    assert [one.done for one in phases[: place + 1]] == [True] * place + [False]
    return place, then


def need(home: View, action: Action) -> str:
    """The words of the item of a Home with a certain button; empty if there is none."""
    found = [one.need for one in shown(home, Home).items if one.need is not None]
    return "\n".join(
        "\n".join([one.title, one.text, *(offer.label for offer in one.offers)])
        for one in found
        if action in [offer.action for offer in one.offers]
    )


@pytest.mark.parametrize("state", [CutoverState.ASKED, CutoverState.HELD])
def test_a_cutover_that_is_only_asked_for_or_held_opens_no_wave(
    harness: BotHarness, state: CutoverState
) -> None:
    ready_for_waves(harness, cutover=state)
    lead = harness.workspace.person(LEAD)
    lead.types("/cadence wave reply plan")
    lead.submits({"teams": ["apac", "solo"], "reason": "Same queue"})
    assert_golden(lead.form(), "planned-without-cutover")


def test_the_first_wave_is_the_controlled_phase(harness: BotHarness) -> None:
    lead = harness.workspace.person(LEAD)
    lead.types("/cadence wave reply plan")
    assert_golden(shown(lead.form(), WaveForm).told, "told-of-the-first-wave")
    errors = lead.submits({"teams": ["apac"], "reason": "Same queue"}).errors
    assert errors.keys() == {"teams"}
    assert_golden(errors["teams"], "refused-one-team")
    errors = lead.submits({"teams": ["apac", "solo"], "reason": " "}).errors
    assert errors.keys() == {"reason"}
    assert_golden(errors["reason"], "refused-without-reason")
    assert lead.submits({"teams": ["apac", "solo"], "reason": "Same queue"}).errors == {}
    assert_golden(lead.form(), "planned-by-form")
    (wave,) = rows(harness, Wave)
    assert (wave.number, wave.phase, wave.state) == (1, WavePhase.CONTROLLED, WaveState.PLANNED)
    harness.tick()
    harness.play_until(at("2026-03-05 12:00"))
    post = posts(harness, CURATORS)[-1]
    planned = shown(post, WavePlanned)
    assert (planned.playbook, planned.wave.number, planned.wave.state) == ("Reply", 1, WaveState.PLANNED)
    assert [(one.team, one.where, one.differs) for one in planned.wave.teams] == [
        ("Apac", "support · APAC", True),
        ("Solo", "support · EMEA", False),
    ]
    assert_golden(post, "planned")
    assert bot_dms(harness, LEAD)[-1].text == post.text


def test_a_controlled_wave_opens_once_everything_is_there(harness: BotHarness) -> None:
    plan(harness, "apac", "solo")
    curator = harness.workspace.person(CURATOR)
    said = curator.types("/cadence wave reply open")
    assert_golden(said, "refused-without-champions")
    confirm(harness, "apac", APAC, member=APAC)
    confirm(harness, "solo", SOLO, room=False)
    said = curator.types("/cadence wave reply open")
    assert_golden(said, "refused-without-room")
    confirm(harness, "solo", SOLO)
    ready_for_waves(harness, samples=4)
    assert_golden(types(harness, CURATOR, "/cadence wave reply open"), "refused-too-few-samples")
    assert_golden(types(harness, LEAD, "/cadence wave reply open"), "refused-no-curator")
    assert running(harness) == {"desk"}
    assert len(entries(harness, "wave-team-confirmed")) == 3


def test_opening_adopts_the_playbook_in_each_team(first: BotHarness) -> None:
    assert running(first) == {"desk", "apac", "sales", "solo"}
    champions = {row.champion for row in rows(first, Adoption)}
    assert {APAC, SALES, SOLO} <= champions
    set_up, announced = posts(first, APAC_CHANNEL)[-2:]
    setup = shown(set_up, SetupPost)
    assert (setup.playbook, setup.team) == ("Reply", "Apac")
    assert opening(announced) == ("Reply", 1, ["Apac", "Sales", "Solo"])
    assert shown(announced, WaveOpened).wave.reason == "Same queue, other shift"
    [told] = [one for one in bot_dms(first, SOLO) if Action.START_SETUP in actions(one)]
    assert_golden(told, "told-to-a-champion")
    (wave,) = rows(first, Wave)
    assert (wave.state, wave.opened_by) == (WaveState.OPEN, CURATOR)
    assert wave.gate == {"assessed": True, "cut_over": True, "samples": 5, "teams": 3, "left_out": []}
    [planned] = [one for one in posts(first, CURATORS) if is_shown(one, WavePlanned)]
    now = shown(planned, WavePlanned)
    assert (now.playbook, now.wave.number, now.wave.state) == ("Reply", 1, WaveState.OPEN)
    assert len(now.wave.teams) == 3
    assert Action.OPEN_WAVE not in actions(planned)
    assert len(entries(first, "wave-opened")) == 1


def test_two_thirds_of_the_wave_before_open_the_next_one(first: BotHarness) -> None:
    plan(first, "night", "books", reason="They asked for it")
    confirm(first, "night", NIGHT)
    confirm(first, "books", BOOKS)
    close_cycle(first, "apac", 14, over=(1, 40))
    close_cycle(first, "sales", 19, over=(6, 40))
    said = types(first, CURATOR, "/cadence wave reply open")
    assert_golden(said, "refused-one-of-three-met")
    assert Action.OPEN_WAVE_ANYWAY in actions(said)
    assert not {"night", "books"} & running(first)
    close_cycle(first, "solo", 12)
    said = types(first, CURATOR, "/cadence wave reply open")
    assert opening(said) == ("Reply", 2, ["Books", "Night"])
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
    assert_golden(said, "refused-none-met")
    assert "night" not in running(first)


def test_a_curator_opens_it_anyway_with_a_reason(first: BotHarness) -> None:
    plan(first, "night", "books")
    confirm(first, "night", NIGHT)
    curator = first.workspace.person(CURATOR)
    said = curator.types("/cadence wave reply open")
    assert said.message is not None
    curator.clicks(said.message, "Open anyway")
    assert_golden(curator.submits({"reason": "because"}).errors["reason"], "refused-short-reason")
    reason = "The night shift <starts> on Monday"
    curator.submits({"reason": reason})
    assert opening(curator.form()) == ("Reply", 2, ["Night"])
    first.tick()
    (row,) = rows(first, Override)
    assert (row.kind, row.member) == (OverrideKind.WAVE, CURATOR)
    gaps = row.passed_over["gaps"]
    assert_golden("\n".join(gaps), "gaps-passed-over")
    post = posts(first, NIGHT_CHANNEL)[-1]
    announced = shown(post, WaveOpened)
    assert (announced.wave.override, announced.left_out) == (reason, ("Books",))
    assert escape(reason) in post.words
    assert_golden(post, "opened-anyway")
    assert "books" not in running(first)
    waves = shown(types(first, CURATOR, "/cadence wave reply show"), WavesShown).waves
    assert (waves[-1].number, waves[-1].override, list(waves[-1].passed_over)) == (2, reason, gaps)


def test_without_a_plan_each_is_offered_what_they_can_do(harness: BotHarness) -> None:
    offered = {
        AGENT: None,  # whose only team runs it already
        APAC: Action.REQUEST,
        LEAD: Action.PLAN_WAVE,
        CURATOR: Action.PLAN_WAVE,
    }
    for member, action in offered.items():
        for verb in ("open", "cancel"):
            said = types(harness, member, f"/cadence wave reply {verb}")
            assert said.message
            assert actions(said.message) == ([action] if action else [])
            if action:
                assert harness.workspace.person(member).clicks(said.message, action_id=action).view
    assert Action.REQUEST not in actions(types(harness, AGENT, "/cadence wave reply show"))


def test_a_plan_is_changed_and_canceled(harness: BotHarness) -> None:
    plan(harness, "apac", "solo")
    confirm(harness, "apac", APAC)
    plan(harness, "apac", "sales", member=CURATOR, reason="Sales asked first")
    kept = [row for row in rows(harness, WaveTeam) if row.removed_at is None]
    assert sorted(row.champion or "" for row in kept) == ["", APAC]
    assert len(entries(harness, "wave-changed")) == 1
    assert_golden(types(harness, LEAD, "/cadence wave reply cancel"), "canceled")
    harness.play_until(at("2026-03-05 12:00"))
    [told] = contexts(posts(harness, CURATORS), WavePlanned)
    assert (told.playbook, told.wave.number, told.wave.state) == ("Reply", 1, WaveState.CANCELED)
    plan(harness, "apac", "solo")
    (wave,) = rows(harness, Wave)
    assert (wave.number, wave.state) == (1, WaveState.PLANNED)


def test_each_reader_is_offered_the_teams_that_they_can_confirm(harness: BotHarness) -> None:
    plan(harness, "apac", "solo")
    for member, teams in (
        (LEAD, ["Apac", "Solo"]),
        (CURATOR, ["Apac", "Solo"]),
        (APAC, ["Apac"]),
        (NIGHT, []),
    ):
        [wave] = shown(types(harness, member, "/cadence wave reply show"), WavesShown).waves
        assert [choice.label for choice in wave.confirm] == teams, member


def test_a_champion_has_to_be_in_the_team(harness: BotHarness) -> None:
    plan(harness, "apac", "solo")
    row = rows(harness, WaveTeam)[0]
    curator = harness.workspace.person(CURATOR)
    said = curator.types("/cadence wave reply show")
    assert said.message is not None
    curator.chooses(said.message, "wave.team", str(row.id))
    errors = curator.submits({"champion": SALES, "room": ["room"]}).errors
    assert_golden(errors["champion"], "refused-champion-of-another-team")
    assert rows(harness, WaveTeam)[0].champion is None


def test_teams_that_asked_come_first_in_the_plan(harness: BotHarness) -> None:
    types(harness, SALES, "/cadence request reply We get the same questions")
    lead = harness.workspace.person(LEAD)
    lead.types("/cadence wave reply plan")
    [block] = [one for one in lead.form().blocks if one.get("block_id") == "teams"]
    options = block["element"]["options"]
    assert options[0]["value"] == "sales"
    assert_golden(options[0]["text"]["text"], "team-that-asks")
    assert "desk" not in [one["value"] for one in options]
    wish = TeamWish(team="Sales", votes=1, reasons=("We get the same questions",))
    assert shown(lead.form(), WaveForm).wished == (wish,)


def test_members_see_the_waves_and_can_only_ask(harness: BotHarness) -> None:
    plan(harness, "apac", "solo")
    said = harness.workspace.person(SALES).types("/cadence wave")
    waves = shown(said, WavesShown)
    assert (waves.playbook, waves.phase) == ("Reply", "pilot")
    assert [(one.number, one.state) for one in waves.waves] == [(1, WaveState.PLANNED)]
    assert actions(said)[-1] == Action.REQUEST
    assert not {Action.PLAN_WAVE, Action.OPEN_WAVE, Action.CANCEL_WAVE} & set(actions(said))
    assert_golden(types(harness, SALES, "/cadence wave reply plan"), "refused-member")


def test_status_and_waves_show_the_way_to_many_teams(harness: BotHarness) -> None:
    def status_says(place: int, case: str) -> None:
        phase, then = current(shown(types(harness, LEAD, "/cadence status reply"), Status).phases)
        assert phase == place
        assert_golden(then, f"next:{case}")

    def waves_say(member: str, place: int, case: str) -> None:
        phase, then = current(shown(types(harness, member, "/cadence wave reply show"), WavesShown).phases)
        assert phase == place
        assert_golden(then, f"next:{case}")

    status_says(PILOT, "pilot")
    waves_say(LEAD, PILOT, "pilot")
    assert_golden(types(harness, LEAD, "/cadence status reply"), "status-in-the-pilot")
    assert_golden(types(harness, LEAD, "/cadence wave reply show"), "waves-in-the-pilot")
    assert shown(types(harness, AGENT, "/cadence status reply"), Status).phases == ()
    ready_for_waves(harness)
    waves_say(SALES, CONTROLLED, "plan")
    plan(harness, "apac", "solo")
    status_says(CONTROLLED, "confirm")
    for team, champion in (("apac", APAC), ("solo", SOLO)):
        confirm(harness, team, champion)
    status_says(CONTROLLED, "open")
    types(harness, CURATOR, "/cadence wave reply open")
    status_says(CONTROLLED, "train")
    for team in ("apac", "solo"):
        close_cycle(harness, team, 14)
    waves_say(LEAD, BROAD, "plan-again")


def test_the_way_names_the_training_samples_before_the_first_wave(harness: BotHarness) -> None:
    ready_for_waves(harness, samples=3)
    place, then = current(shown(types(harness, CURATOR, "/cadence status reply"), Status).phases)
    assert place == CONTROLLED
    assert_golden(then, "next:add-samples")


def test_the_digest_and_home_name_the_wave_to_open(first: BotHarness) -> None:
    plan(first, "night")
    confirm(first, "night", NIGHT)

    def to_open() -> list[str]:
        """The waves to open by the digest, as its buttons carry them."""
        buttons = [one for _, one in elements_of(types(first, CURATOR, "/cadence digest").blocks)]
        return [one["value"] for one in buttons if one["action_id"] == Action.OPEN_WAVE]

    assert to_open() == []
    close_cycle(first, "apac", 14)
    close_cycle(first, "solo", 12)
    second = rows(first, Wave)[-1]
    assert (second.number, to_open()) == (2, [str(second.id)])
    first.clock.set(first.clock.now() + timedelta(minutes=5))
    curator = first.workspace.person(CURATOR)
    curator.opens_home()
    assert_golden(need(curator.home(), Action.OPEN_WAVE), "home-open-wave-2")
    assert Action.OPEN_WAVE in actions(curator.home())


def test_the_digest_says_which_wave_holds_and_each_teams_phase(first: BotHarness) -> None:
    def assert_waves(case: str) -> None:
        said = types(first, CURATOR, "/cadence digest")
        [line] = shown(said, Digest).waves
        assert line in said.words
        assert_golden(line, f"digest-waves:{case}")

    assert_waves("open")
    close_cycle(first, "apac", 19)
    assert_waves("none-met")
    plan(first, "night")
    assert_waves("none-met-next-planned")
    close_cycle(first, "solo", 12)
    assert_waves("one-met-next-planned")
    with first.bot.db.write() as session:
        [missed] = session.exec(select(Cycle).where(Cycle.kpi_value == 19)).all()
        missed.kpi_value, missed.result = 13.0, "met"
    assert_waves("holds-next-planned")
    confirm(first, "night", NIGHT)
    assert_waves("holds-next-can-open")
    digest = shown(types(first, CURATOR, "/cadence digest"), Digest)
    assert [(one.playbook, one.team) for one in digest.rows if one.phase == "pilot"] == [("Reply", "Desk")]


def test_home_asks_the_owner_to_plan_the_next_wave_once_it_could_open(harness: BotHarness) -> None:
    lead = harness.workspace.person(LEAD)
    assert need(lead.opens_home(), Action.PLAN_WAVE) == ""
    ready_for_waves(harness)
    harness.clock.set(harness.clock.now() + timedelta(minutes=5))
    lead.opens_home()
    assert_golden(need(lead.home(), Action.PLAN_WAVE), "home-plan-wave-1")
    assert Action.PLAN_WAVE in actions(lead.home())
    opened(harness, ("apac", APAC), ("solo", SOLO))
    harness.clock.set(harness.clock.now() + timedelta(minutes=5))
    lead.opens_home()
    assert Action.PLAN_WAVE not in actions(lead.home())
    for team in ("apac", "solo"):
        close_cycle(harness, team, 14)
    harness.clock.set(harness.clock.now() + timedelta(minutes=5))
    lead.opens_home()
    assert_golden(need(lead.home(), Action.PLAN_WAVE), "home-plan-wave-2")
    assert Action.PLAN_WAVE in actions(lead.home())
