"""From the fourth team on, and once a playbook has waves, teams adopt it in an open wave (SPEC §6)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.ops.commands import BUILT_IN_TEAM
from bot.rehearsal.harness import BotHarness
from cadence.actor import Actor
from cadence.flows.adoption import AdoptionGiven, adopt
from cadence.refusals import NotAllowed
from storage.tables import Override, OverrideKind
from storage.work import UnitOfWork
from tests.scenarios.plays import CURATORS, entries, posts, rows
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


def adopt_by_command(harness: BotHarness, team: str, champion: str, member: str = LEAD) -> str:
    return types(harness, member, f"/cadence adopt reply team={team} champion=<@{champion}>")


def test_three_teams_adopt_it_one_by_one_and_the_fourth_needs_a_wave(harness: BotHarness) -> None:
    for team, champion in (("apac", APAC), ("sales", SALES), ("solo", SOLO)):
        assert "is adopting" in adopt_by_command(harness, team, champion)
    said = adopt_by_command(harness, "night", NIGHT)
    assert "3 teams besides the pilot team run Reply already" in said
    assert "Night isn't in an open one." in said
    assert "Plan the next wave" in said
    assert "night" not in running(harness)


def test_a_planned_wave_ends_adoption_by_command(harness: BotHarness) -> None:
    plan(harness, "apac", "solo")
    said = adopt_by_command(harness, "apac", APAC)
    assert "Reply is rolled out in waves, and Apac isn't in an open one." in said
    assert "Change the plan" in said
    asked = types(harness, APAC, "/cadence adopt reply team=apac")
    assert "Ask for it" in asked


def test_a_curator_lets_a_team_in_with_a_reason(harness: BotHarness) -> None:
    plan(harness, "sales", "solo")
    curator = harness.workspace.person(CURATOR)
    said = curator.types(f"/cadence adopt reply team=apac champion=<@{APAC}>")
    assert said.message is not None
    curator.clicks(said.message, "Let it in anyway")
    assert "can't wait" in curator.submits({"champion": APAC, "reason": "now"}).errors["reason"]
    curator.submits({"champion": APAC, "reason": "Their contract <ends> in May"})
    assert "Apac is adopting Reply" in curator.form().words
    harness.tick()
    (row,) = rows(harness, Override)
    assert (row.kind, row.member) == (OverrideKind.ACCESS, CURATOR)
    for channel in (APAC_CHANNEL, CURATORS):
        (post,) = [one for one in posts(harness, channel) if "outside the waves" in one.text]
        assert "Their contract &lt;ends&gt; in May" in post.words
    assert len(entries(harness, "access-overridden")) == 1


def test_the_curators_adopt_form_goes_on_to_the_reason(harness: BotHarness) -> None:
    plan(harness, "sales", "solo")
    curator = harness.workspace.person(CURATOR)
    curator.types("/cadence adopt reply")
    curator.submits({"playbook": "reply", "team": "apac", "champion": APAC})
    assert "isn't in an open wave" in curator.form().words
    curator.submits({"champion": APAC, "reason": "Their contract ends in May"})
    assert "apac" in running(harness)


def test_a_reason_from_somebody_else_lets_nobody_in(harness: BotHarness) -> None:
    plan(harness, "sales", "solo")
    owner = Actor(BUILT_IN_TEAM, LEAD, "form", request="forged")
    given = AdoptionGiven("reply", team="apac", champion=APAC, reason="because I say so today")
    with pytest.raises(NotAllowed):
        adopt(UnitOfWork(harness.bot.db, owner, harness.clock.now()), given)
    assert rows(harness, Override) == []
