"""Teams side by side, and the parts that a team adapts (SPEC §6)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from storage.tables import Adaptation
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


def two_closed(harness: BotHarness) -> None:
    ready_for_waves(harness)
    opened(harness, ("apac", APAC), ("sales", SALES), ("solo", SOLO))
    harness.clock.set(harness.clock.now() + timedelta(minutes=5))
    close_cycle(harness, "apac", 19, over=(6, 40))
    close_cycle(harness, "solo", 14, over=(1, 40))


def test_the_table_has_the_worst_team_first(harness: BotHarness) -> None:
    said = types(harness, LEAD, "/cadence compare reply")
    assert "Reply: 4 teams side by side" in said
    assert "1 of 2 teams met it in the last closed cycle." in said
    assert said.index("Apac") < said.index("Solo") < said.index("Desk")
    assert "42 min → 19 min (23 min faster)" in said
    assert "42 min → 14 min (28 min faster) ✓" in said
    assert "🟡 Send the reply: 6 in 40 runs, 15% / 10%" in said
    assert "controlled" in said
    assert "pilot" in said


def test_it_is_posted_with_its_chart_in_the_teams_channel(harness: BotHarness) -> None:
    lead = harness.workspace.person(LEAD)
    said = lead.types("/cadence compare reply", channel=DESK_CHANNEL)
    assert said.message is not None
    told = lead.clicks(said.message, "Post it with a chart")
    assert "comes in this channel" in told.words
    harness.play_until(harness.clock.now() + timedelta(minutes=3))
    post = posts(harness, DESK_CHANNEL)[-1]
    assert post.text.startswith("Reply: 4 teams side by side.")
    [picture] = [block for block in post.blocks if block["type"] == "image"]
    assert "Apac 42 min to 19 min, Solo 42 min to 14 min (met). Target 15 min." in picture["alt_text"]
    assert len(entries(harness, "comparison-posted")) == 1


def test_asked_in_a_dm_it_comes_there(harness: BotHarness) -> None:
    solo = harness.workspace.person(SOLO)
    said = solo.types("/cadence compare reply")
    assert said.message is not None
    assert "comes in your DM" in solo.clicks(said.message, "Post it with a chart").words
    harness.play_until(harness.clock.now() + timedelta(minutes=3))
    assert bot_dms(harness, SOLO)[-1].text.startswith("Reply: 4 teams side by side.")


def test_adapting_without_saying_where_shows_what_each_team_can_change(harness: BotHarness) -> None:
    curator = harness.workspace.person(CURATOR)
    said = curator.types("/cadence adapt")
    assert "• Reply in Apac: tone guide, queue" in said.words
    assert said.message is not None
    assert "Reply · Apac" in said.message.buttons
    curator.clicks(said.message, "Reply · Apac")
    assert "Part" in curator.form().words
    assert "reply team=" not in said.words


def test_a_team_adapts_a_part_and_others_see_it(harness: BotHarness) -> None:
    said = types(harness, APAC, "/cadence adapt reply tone guide We write formally", APAC_CHANNEL)
    assert "Apac does tone guide its own way." in said
    setup = next(one for one in posts(harness, APAC_CHANNEL) if "Set up Reply" in one.text)
    assert "tone guide: We write formally" in setup.words
    said = types(harness, SOLO, "/cadence compare reply parts")
    assert "Reply: 1 team adapted a part" in said
    assert "tone guide: “We write formally”" in said
    assert "3 teams without changes." in said
    assert "adapted: tone guide" in types(harness, SALES, "/cadence playbook show reply")
    apac = harness.workspace.person(APAC)
    apac.types("/cadence adapt reply tone guide", channel=APAC_CHANNEL)
    apac.submits({"part": "tone guide", "text": ""})
    assert "Apac does tone guide the playbook's way." in apac.form().words
    assert [(row.text, row.replaced_at is None) for row in rows(harness, Adaptation)] == [
        ("We write formally", False),
        ("", True),
    ]
    assert "Reply: 0 teams adapted a part" in types(harness, SOLO, "/cadence compare reply parts")


def test_a_fixed_part_is_the_same_for_every_team(harness: BotHarness) -> None:
    said = types(harness, APAC, "/cadence adapt reply rubric Tone only", APAC_CHANNEL)
    assert "“rubric” is fixed in Reply: every team uses the same." in said
    assert "Adaptable here: tone guide, queue." in said
    said = types(harness, APAC, "/cadence adapt reply logo Blue", APAC_CHANNEL)
    assert "isn't an adaptable part of Reply." in said
    assert rows(harness, Adaptation) == []


def test_only_the_team_its_owner_and_curators_adapt(harness: BotHarness) -> None:
    said = types(harness, AGENT, "/cadence adapt reply tone guide Short team=apac")
    assert rows(harness, Adaptation) == []
    assert said
    assert "own way" in types(harness, CURATOR, "/cadence adapt reply tone guide Short team=apac")
