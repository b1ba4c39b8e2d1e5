"""A watched team over months: it fades, is named once, recovers; its months as a table and a chart."""

from pathlib import Path

import pytest

from cadence.rules.trend import Course
from storage.tables import CourseChange, MessageState
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    at,
    bot_dms,
    entries,
    ledger,
    posts,
    rows,
    start_cycle,
)
from tests.scenarios.trends.weeks import AGENT, CURATOR, FOUR_WEEKS, LEAD, report, types

FALLING = (20, 20, 19, 18, 17, 15, 14, 12, 11, 10)
"""Runs of each member in the weeks after a steady start."""


@pytest.mark.long
def test_twenty_weeks_of_a_team_that_fades_and_recovers(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY], played=FOUR_WEEKS) as harness:
        types(harness, "/cadence cycle watch reply")
        for week, runs in enumerate(FALLING, 4):
            report(harness, week, runs=runs, number=14)
        harness.play_until(at("2026-06-08 12:00"))
        [fades] = [row for row in rows(harness, CourseChange) if row.course is Course.DECAYING]
        assert fades.evidence["lines"] == ["runs"]
        assert fades.evidence["runs_trend"]["p"] < 0.10
        alerts = ledger(harness, "course-decaying", MessageState.SENT)
        assert {one.recipient for one in alerts} == {CURATORS, DESK_CHANNEL}
        post = next(post for post in posts(harness, DESK_CHANNEL) if "fading" in post.text)
        assert post.text == "🔴 Reply is fading in Desk"
        assert post.buttons == ["Show the months", "Start a cycle"]
        assert "*Runs a week*\n40, 40, 40, 40, 40, 38, 36, 34\n0.7 fewer each week" in post.words
        assert "fading" not in " ".join(
            one.text for one in posts(harness, DESK_CHANNEL) if one.ts != post.ts
        ), "named once"

        assert "Fading since the week of" in types(harness, "/cadence status")
        assert "🔴 Reply (Desk) is fading: runs a week" in " ".join(
            one.words for one in posts(harness, CURATORS)
        )

        shown = harness.workspace.person(AGENT).clicks(post, "Show the months")
        assert "Reply by month" in shown.words
        assert "*🔴 Fading*: runs a week, since the week of Mon 27 Apr" in shown.words
        assert "watched, month 2" in shown.words
        harness.tick()
        [dm] = [one for one in bot_dms(harness, AGENT) if "by month" in one.text]
        assert "image" in [block["type"] for block in dm.blocks]
        assert "Runs a week: 40, 40, 40, 40, 40" in str(dm.blocks)

        for week in range(14, 24):
            report(harness, week, runs=20, number=14)
        harness.play_until(at("2026-08-17 12:00"))
        courses = [row.course for row in rows(harness, CourseChange)]
        assert courses[-1] in (Course.STEADY, Course.DEEPENING)
        assert courses.count(Course.DECAYING) == 1
        after = next(one for one in posts(harness, DESK_CHANNEL) if one.ts == post.ts)
        assert after.text.startswith("🟢 Reply is ")
        assert len(entries(harness, "course-changed")) == len(courses)


def test_nobody_is_judged_before_there_are_eight_weeks(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY], played=FOUR_WEEKS) as harness:
        types(harness, "/cadence cycle watch reply")
        for week in range(4, 7):
            report(harness, week, runs=20 - week, number=14)
        harness.play_until(at("2026-04-20 12:00"))
        assert rows(harness, CourseChange) == []


def test_a_number_past_its_usual_range_fades_at_once(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        start_cycle(harness)
        for week in range(4):
            report(harness, week, runs=20, number=14 + week % 2)
        types(harness, "/cadence cycle watch reply")
        for week, number in ((4, 14), (5, 15), (6, 40)):
            report(harness, week, runs=20, number=number)
        harness.play_until(at("2026-04-20 12:00"))
        [row] = rows(harness, CourseChange)
        assert (row.course, row.evidence["lines"], row.evidence["held"]) == (Course.DECAYING, ["kpi"], 6)
        post = next(post for post in posts(harness, DESK_CHANNEL) if "fading" in post.text)
        assert "40 min\nusual: at most" in post.words


def test_the_months_are_asked_for(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        assert "none of your teams has run a cycle" in types(harness, "/cadence trend")
        start_cycle(harness)
        report(harness, 0, runs=20, number=14)
        shown = types(harness, "/cadence trend")
        assert "cycle 1" in shown
        assert "The chart comes to your DMs" in shown
        assert "Reply by month" in types(harness, "/cadence trend reply team=desk", CURATOR)
        refused = types(harness, "/cadence trend reply", "U01AGENT2")
        assert "Reply by month" not in refused
        sent = [one for one in ledger(harness, "months-chart") if one.recipient == LEAD]
        assert [one.state for one in sent] == [MessageState.SENT]
