"""Teams side by side, and the parts that a team adapts (SPEC §6)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from storage.tables import Adaptation
from templates.contexts.playbooks import PlaybookShown
from templates.contexts.setup import SetupPost
from templates.contexts.waves import AdaptForm, Compared, PartsCompared
from tests.contexts import assert_golden, contexts, shown
from tests.scenarios.plays import DESK_CHANNEL, bot_dms, entries, posts, rows
from tests.scenarios.waves.floor import (
    AGENT,
    APAC,
    APAC_CHANNEL,
    CURATOR,
    LEAD,
    SALES,
    SOLO,
    close_cycle,
    floor,
    opened,
    ready_for_waves,
    types,
)


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[BotHarness]:
    """Three teams of the controlled wave; two of them have closed a cycle."""
    with floor(tmp_path, two_closed) as ready:
        yield ready


def adapted_parts(said: Answer) -> dict[str, list[tuple[str, str]]]:
    """What each team adapted, by the comparison."""
    compared = shown(said, PartsCompared)
    return {one.team: [(part.part, part.text) for part in one.parts] for one in compared.teams}


def two_closed(harness: BotHarness) -> None:
    ready_for_waves(harness)
    opened(harness, ("apac", APAC), ("sales", SALES), ("solo", SOLO))
    harness.clock.set(harness.clock.now() + timedelta(minutes=5))
    close_cycle(harness, "apac", 19, over=(6, 40))
    close_cycle(harness, "solo", 14, over=(1, 40))


def test_the_table_has_the_worst_team_first(harness: BotHarness) -> None:
    said = types(harness, LEAD, "/cadence compare reply")
    compared = shown(said, Compared)
    assert (compared.playbook, compared.met, compared.closed, compared.more) == ("Reply", 1, 2, 0)
    apac, solo, *others = compared.rows
    assert (apac.team, solo.team, {one.team for one in others}) == ("Apac", "Solo", {"Desk", "Sales"})
    assert (apac.kpi.baseline, apac.kpi.value, apac.kpi.is_met) == (42, 19, False)
    assert (solo.kpi.baseline, solo.kpi.value, solo.kpi.is_met) == (42, 14, True)
    assert [one.kpi.value for one in others] == [None, None]
    assert apac.evidence is not None
    assert (apac.step, apac.evidence.exceptions, apac.evidence.runs) == ("Send the reply", 6, 40)
    assert (apac.evidence.percent, apac.evidence.cap) == ("15%", 0.1)
    assert {one.team: one.phase for one in compared.rows} == {
        "Apac": "controlled",
        "Solo": "controlled",
        "Sales": "controlled",
        "Desk": "pilot",
    }
    assert_golden(said, "worst-team-first")


def test_it_is_posted_with_its_chart_in_the_teams_channel(harness: BotHarness) -> None:
    lead = harness.workspace.person(LEAD)
    said = lead.types("/cadence compare reply", channel=DESK_CHANNEL)
    assert said.message is not None
    told = lead.clicks(said.message, "Post it with a chart")
    assert_golden(told, "chart-comes-in-the-channel")
    harness.play_until(harness.clock.now() + timedelta(minutes=3))
    post = posts(harness, DESK_CHANNEL)[-1]
    compared = shown(post, Compared)
    assert (compared.playbook, len(compared.rows)) == ("Reply", 4)
    [picture] = [block for block in post.blocks if block["type"] == "image"]
    assert_golden(picture["alt_text"], "chart-for-screen-readers")
    assert len(entries(harness, "comparison-posted")) == 1


def test_asked_in_a_dm_it_comes_there(harness: BotHarness) -> None:
    solo = harness.workspace.person(SOLO)
    said = solo.types("/cadence compare reply")
    assert said.message is not None
    assert_golden(solo.clicks(said.message, "Post it with a chart"), "chart-comes-in-the-dm")
    harness.play_until(harness.clock.now() + timedelta(minutes=3))
    compared = shown(bot_dms(harness, SOLO)[-1], Compared)
    assert (compared.playbook, len(compared.rows)) == ("Reply", 4)
    assert compared.chart is not None


def test_adapting_without_saying_where_shows_what_each_team_can_change(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    said = curator.types("/cadence adapt")
    assert_golden(said, "adapt-where")
    assert said.message is not None
    curator.clicks(said.message, "Reply · Apac")
    form = shown(curator.form(), AdaptForm)
    assert (form.playbook, form.team) == ("Reply", "Apac")
    assert [one.label for one in form.parts] == ["tone guide", "queue"]


def test_a_team_adapts_a_part_and_others_see_it(harness: BotHarness) -> None:
    said = types(harness, APAC, "/cadence adapt reply tone guide We write formally", APAC_CHANNEL)
    assert_golden(said, "adapted")
    [setup] = contexts(posts(harness, APAC_CHANNEL), SetupPost)
    assert setup.adapted == ("tone guide: We write formally",)
    said = types(harness, SOLO, "/cadence compare reply parts")
    assert adapted_parts(said) == {
        "Apac": [("tone guide", "We write formally")],
        "Desk": [],
        "Sales": [],
        "Solo": [],
    }
    assert_golden(said, "parts-side-by-side")
    playbook = shown(types(harness, SALES, "/cadence playbook show reply"), PlaybookShown)
    assert [(one.team, one.adapted) for one in playbook.adoptions if one.adapted] == [
        ("Apac", ("tone guide",))
    ]
    apac = harness.workspace.person(APAC)
    apac.types("/cadence adapt reply tone guide", channel=APAC_CHANNEL)
    apac.submits({"part": "tone guide", "text": ""})
    assert_golden(apac.form(), "adapted-no-more")
    assert [(row.text, row.replaced_at is None) for row in rows(harness, Adaptation)] == [
        ("We write formally", False),
        ("", True),
    ]
    said = types(harness, SOLO, "/cadence compare reply parts")
    assert not any(adapted_parts(said).values())


def test_a_fixed_part_is_the_same_for_every_team(harness: BotHarness) -> None:
    said = types(harness, APAC, "/cadence adapt reply rubric Tone only", APAC_CHANNEL)
    assert_golden(said, "refused-fixed")
    said = types(harness, APAC, "/cadence adapt reply logo Blue", APAC_CHANNEL)
    assert_golden(said, "refused-no-part")
    assert rows(harness, Adaptation) == []


def test_only_the_team_its_owner_and_curators_adapt(harness: BotHarness) -> None:
    said = types(harness, AGENT, "/cadence adapt reply tone guide Short team=apac")
    assert_golden(said, "refused-other-team")
    assert rows(harness, Adaptation) == []
    types(harness, CURATOR, "/cadence adapt reply tone guide Short team=apac")
    assert [(row.text, row.member) for row in rows(harness, Adaptation)] == [("Short", CURATOR)]
