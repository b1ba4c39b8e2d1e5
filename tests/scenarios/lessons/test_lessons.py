"""One team's lessons reach the next: stored with the version, shown at setup (SPEC §6)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from storage.tables import Lesson
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    DESK,
    DESK_CHANNEL,
    REPLY,
    SOLO_CHANNEL,
    InCycle,
    at,
    entries,
    posts,
    rows,
)

LEAD, AGENT, SOLO, CURATOR = "U01LEAD", "U01AGENT1", "U01AGENT2", "U01CURATOR"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[BotHarness]:
    """Tuesday of the desk's first week."""
    with bot_harness(
        tmp_path, workspace=DESK, playbooks=[REPLY], played=InCycle("2026-03-03 11:00")
    ) as harness:
        yield harness


def types(harness: BotHarness, member: str, text: str, channel: str = DESK_CHANNEL) -> str:
    said = harness.workspace.person(member).types(text, channel=channel)
    harness.tick()
    return said.words


def test_a_lesson_is_kept_and_shown_to_the_next_team(desk: BotHarness) -> None:
    assert "The next team that sets up Reply will see it." in types(
        desk, AGENT, "/cadence learn reply Load <policy> first & grade in pairs"
    )
    (lesson,) = rows(desk, Lesson)
    assert (lesson.text, lesson.adoption_id, lesson.cycle_id, lesson.version_id) == (
        "Load <policy> first & grade in pairs",
        1,
        1,
        1,
    )
    assert [one.member for one in entries(desk, "lesson-learned")] == [AGENT]
    types(desk, LEAD, f"/cadence adopt reply team=solo champion=<@{SOLO}>")
    (post,) = posts(desk, SOLO_CHANNEL)
    assert "What earlier teams learned" in post.words
    assert "Load &lt;policy&gt; first &amp; grade in pairs" in post.words


def test_the_playbook_shows_its_lessons(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence learn reply Load the policy first")
    assert "Load the policy first" in types(desk, CURATOR, "/cadence playbook show reply")


def test_the_weekly_post_separates_a_teams_own_lessons_from_others(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence learn reply Grade in pairs")
    types(desk, LEAD, f"/cadence adopt reply team=solo champion=<@{SOLO}>")
    types(desk, SOLO, "/cadence learn reply Load the policy first", channel=SOLO_CHANNEL)
    desk.play_until(at("2026-03-30 11:00"))
    opens = posts(desk, DESK_CHANNEL)[-1].words
    others, _, ours = opens.partition("What we learned")
    assert "What other teams learned*\n• Load the policy first" in others
    assert "Grade in pairs" not in others
    assert "• Grade in pairs" in ours
    assert "Next goal: First response time at or under 15 min" in opens
    assert "Choose the workflow" not in opens
    assert "✓" not in opens


def test_a_lesson_of_the_last_days_joins_the_closing_post(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-28 10:00"))
    agent = desk.workspace.person(AGENT)
    (closed,) = [post for post in posts(desk, DESK_CHANNEL) if "cycle 1" in post.text]
    agent.clicks(closed, "Add a lesson")
    agent.submits({"note": "Grade <in> pairs"})
    desk.tick()
    (again,) = [post for post in posts(desk, DESK_CHANNEL) if "cycle 1" in post.text]
    assert again.ts == closed.ts
    assert "Grade &lt;in&gt; pairs" in again.words


def test_bare_it_asks_by_form(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    agent.types("/cadence learn", channel=DESK_CHANNEL)
    assert "should know" in agent.submits({"note": "   "}).errors["note"]
    agent.submits({"note": "Grade in pairs"})
    assert [row.text for row in rows(desk, Lesson)] == ["Grade in pairs"]


def test_people_without_a_part_in_the_playbook_are_told_who_has_one(desk: BotHarness) -> None:
    assert "Only the owner" in types(desk, SOLO, "/cadence learn reply It is easy", SOLO_CHANNEL)
    assert "Lesson saved" in types(desk, CURATOR, "/cadence learn reply Ask the desk for its tone guide")
    assert [row.member for row in rows(desk, Lesson)] == [CURATOR]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("/cadence learn reply " + "x" * 1001, "The limit is 1,000"),
        ("/cadence learn reply team=solo Grade in pairs", "Solo doesn't run Reply"),
    ],
)
def test_what_cannot_be_kept_is_said(desk: BotHarness, text: str, right: str) -> None:
    assert right in types(desk, AGENT, text)
    assert rows(desk, Lesson) == []
