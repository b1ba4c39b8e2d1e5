"""One team's lessons reach the next: stored with the version, shown at setup (SPEC §6)."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

import pytest

from bot.rehearsal.harness import BotHarness
from bot.sandbox.answers import Answer
from storage.tables import Lesson
from templates.contexts.cycles import CycleClosed
from templates.contexts.gates import WeekOpens
from templates.contexts.playbooks import PlaybookShown
from templates.contexts.setup import SetupPost
from tests.contexts import assert_golden, is_shown, shown
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


def types(harness: BotHarness, member: str, text: str, channel: str = DESK_CHANNEL) -> Answer:
    said = harness.workspace.person(member).types(text, channel=channel)
    harness.tick()
    return said


def test_a_lesson_is_kept_and_shown_to_the_next_team(desk: BotHarness) -> None:
    learned = "Load <policy> first & grade in pairs"
    assert_golden(types(desk, AGENT, f"/cadence learn reply {learned}"), "lesson-saved")
    (lesson,) = rows(desk, Lesson)
    assert (lesson.text, lesson.adoption_id, lesson.cycle_id, lesson.version_id) == (learned, 1, 1, 1)
    assert [one.member for one in entries(desk, "lesson-learned")] == [AGENT]
    types(desk, LEAD, f"/cadence adopt reply team=solo champion=<@{SOLO}>")
    (post,) = posts(desk, SOLO_CHANNEL)
    assert shown(post, SetupPost).lessons == (learned,)
    assert escape(learned) in post.words


def test_the_playbook_shows_its_lessons(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence learn reply Load the policy first")
    playbook = shown(types(desk, CURATOR, "/cadence playbook show reply"), PlaybookShown)
    assert playbook.lessons == ("Load the policy first",)


def test_the_weekly_post_separates_a_teams_own_lessons_from_others(desk: BotHarness) -> None:
    types(desk, AGENT, "/cadence learn reply Grade in pairs")
    types(desk, LEAD, f"/cadence adopt reply team=solo champion=<@{SOLO}>")
    types(desk, SOLO, "/cadence learn reply Load the policy first", channel=SOLO_CHANNEL)
    desk.play_until(at("2026-03-30 11:00"))
    post = posts(desk, DESK_CHANNEL)[-1]
    opens = shown(post, WeekOpens)
    assert (opens.lessons, opens.own_lessons) == (("Load the policy first",), ("Grade in pairs",))
    assert_golden(post, "second-cycle-opens")


def test_a_lesson_of_the_last_days_joins_the_closing_post(desk: BotHarness) -> None:
    desk.play_until(at("2026-03-28 10:00"))
    agent = desk.workspace.person(AGENT)
    (closed,) = [post for post in posts(desk, DESK_CHANNEL) if is_shown(post, CycleClosed)]
    agent.clicks(closed, "Add a lesson")
    learned = "Grade <in> pairs"
    agent.submits({"note": learned})
    desk.tick()
    (again,) = [post for post in posts(desk, DESK_CHANNEL) if is_shown(post, CycleClosed)]
    assert again.ts == closed.ts
    assert shown(again, CycleClosed).lessons == (learned,)
    assert escape(learned) in again.words


def test_bare_it_asks_by_form(desk: BotHarness) -> None:
    agent = desk.workspace.person(AGENT)
    agent.types("/cadence learn", channel=DESK_CHANNEL)
    assert_golden(agent.submits({"note": "   "}).errors["note"], "nothing-learned")
    agent.submits({"note": "Grade in pairs"})
    assert [row.text for row in rows(desk, Lesson)] == ["Grade in pairs"]


def test_people_without_a_part_in_the_playbook_are_told_who_has_one(desk: BotHarness) -> None:
    refused = types(desk, SOLO, "/cadence learn reply It is easy", SOLO_CHANNEL)
    assert_golden(refused, "refused-without-a-part")
    assert rows(desk, Lesson) == []
    types(desk, CURATOR, "/cadence learn reply Ask the desk for its tone guide")
    assert [row.member for row in rows(desk, Lesson)] == [CURATOR]


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("too-long", "/cadence learn reply " + "x" * 1001),
        ("team-without-it", "/cadence learn reply team=solo Grade in pairs"),
    ],
)
def test_what_cannot_be_kept_is_said(desk: BotHarness, case: str, text: str) -> None:
    assert_golden(types(desk, AGENT, text), f"refused:{case}")
    assert rows(desk, Lesson) == []
