"""From the fourth team on, and once a playbook has waves, teams adopt it in an open wave (SPEC §6)."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from cadence.actor import Actor
from cadence.flows.adoption import AdoptionGiven, adopt
from cadence.refusals import NotAllowed
from storage.tables import Override, OverrideKind
from storage.work import UnitOfWork
from templates.contexts.adoption import AccessOverridden, LetInForm
from templates.contexts.waves import Compared, WavesShown
from templates.ids import Action
from tests.contexts import actions, assert_golden, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import CURATORS, DESK, REPLY, TRIAGE, changed, entries, posts, rows, start_cycle
from tests.scenarios.waves.floor import (
    APAC,
    APAC_CHANNEL,
    CURATOR,
    LEAD,
    NIGHT,
    SALES,
    SOLO,
    floor,
    plan,
    running,
    types,
)


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[BotHarness]:
    with floor(tmp_path) as ready:
        yield ready


def adopt_by_command(harness: BotHarness, team: str, champion: str, member: str = LEAD) -> Answer:
    return types(harness, member, f"/cadence adopt reply team={team} champion=<@{champion}>")


def test_three_teams_adopt_it_one_by_one_and_the_fourth_needs_a_wave(harness: BotHarness) -> None:
    for team, champion in (("apac", APAC), ("sales", SALES), ("solo", SOLO)):
        assert_golden(adopt_by_command(harness, team, champion), f"adopting:{team}")
        assert team in running(harness)
    said = adopt_by_command(harness, "night", NIGHT)
    assert_golden(said, "refused-fourth-team")
    assert Action.PLAN_WAVE in actions(said)
    assert "night" not in running(harness)


def test_a_planned_wave_ends_adoption_by_command(harness: BotHarness) -> None:
    plan(harness, "apac", "solo")
    said = adopt_by_command(harness, "apac", APAC)
    assert_golden(said, "refused-outside-the-waves")
    assert Action.PLAN_WAVE in actions(said)
    asked = types(harness, APAC, "/cadence adopt reply team=apac")
    assert_golden(asked, "refused-member-can-ask")
    assert Action.REQUEST in actions(asked)
    assert running(harness) == {"desk"}


def test_a_curator_lets_a_team_in_with_a_reason(harness: BotHarness) -> None:
    plan(harness, "sales", "solo")
    curator = harness.workspace.person(CURATOR)
    said = curator.types(f"/cadence adopt reply team=apac champion=<@{APAC}>")
    assert said.message is not None
    curator.clicks(said.message, "Let it in anyway")
    assert_golden(
        curator.submits({"champion": APAC, "reason": "now"}).errors["reason"], "refused-short-reason"
    )
    assert "apac" not in running(harness)
    reason = "Their contract <ends> in May"
    curator.submits({"champion": APAC, "reason": reason})
    assert_golden(curator.form(), "let-in")
    harness.tick()
    assert "apac" in running(harness)
    (row,) = rows(harness, Override)
    assert (row.kind, row.member) == (OverrideKind.ACCESS, CURATOR)
    for channel in (APAC_CHANNEL, CURATORS):
        (post,) = [one for one in posts(harness, channel) if is_shown(one, AccessOverridden)]
        told = shown(post, AccessOverridden)
        assert (told.playbook, told.team, told.curator, told.reason) == ("Reply", "Apac", CURATOR, reason)
        assert escape(reason) in post.words
    assert len(entries(harness, "access-overridden")) == 1


def test_the_curators_adopt_form_goes_on_to_the_reason(harness: BotHarness) -> None:
    plan(harness, "sales", "solo")
    curator = harness.workspace.person(CURATOR)
    curator.types("/cadence adopt reply")
    curator.submits({"playbook": "reply", "team": "apac", "champion": APAC})
    form = shown(curator.form(), LetInForm)
    assert (form.playbook, form.team, form.champion) == ("Reply", "Apac", APAC)
    assert_golden(curator.form(), "let-in-form")
    assert "apac" not in running(harness)
    curator.submits({"champion": APAC, "reason": "Their contract ends in May"})
    assert "apac" in running(harness)


def test_a_reason_from_somebody_else_lets_nobody_in(harness: BotHarness) -> None:
    plan(harness, "sales", "solo")
    owner = Actor(BUILT_IN_TEAM, LEAD, "form", request="forged")
    given = AdoptionGiven("reply", team="apac", champion=APAC, reason="because I say so today")
    with pytest.raises(NotAllowed):
        adopt(UnitOfWork(harness.bot.db, owner, harness.clock.now()), given)
    assert rows(harness, Override) == []


def test_the_playbook_meant_is_one_that_the_reader_runs_or_owns(tmp_path: Path) -> None:
    file = changed(TRIAGE, tmp_path, ("owner: U01LEAD", "owner: U01AGENT2"))
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, file]) as harness:
        start_cycle(harness)
        for member, slug in ((LEAD, "reply"), (CURATOR, "reply"), (SOLO, "triage")):
            assert shown(types(harness, member, "/cadence wave show"), WavesShown).slug == slug
        assert shown(types(harness, CURATOR, "/cadence compare"), Compared).playbook == "Reply"


def test_an_owner_of_two_playbooks_reads_the_command_for_each(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY, TRIAGE]) as harness:
        for typed in ("wave", "wave plan", "compare", "compare parts"):
            assert_golden(types(harness, LEAD, f"/cadence {typed}"), f"which-playbook:{typed}")
