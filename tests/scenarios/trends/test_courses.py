"""A watched team over months: it fades, is named once, recovers; its months as a table and a chart."""

from datetime import date
from pathlib import Path

import pytest

from cadence.rules.kpi import Direction
from cadence.rules.trend import Course
from storage.tables import CourseChange, MessageState
from templates.contexts.answers import Refused
from templates.contexts.overview.digests import Digest
from templates.contexts.overview.statuses import Status
from templates.contexts.trends import CourseDecaying, Months
from templates.ids import Action
from tests.contexts import actions, assert_golden, contexts, is_shown, shown
from tests.harnesses import bot_harness
from tests.scenarios.plays import (
    CURATORS,
    DESK,
    DESK_CHANNEL,
    REPLY,
    SOLO_CHANNEL,
    at,
    bot_dms,
    entries,
    ledger,
    posts,
    rows,
    start_cycle,
)
from tests.scenarios.trends.weeks import AGENT, CURATOR, FOUR_WEEKS, LEAD, asks, report, types

OTHER_AGENT = "U01AGENT2"
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
        [post] = [one for one in posts(harness, DESK_CHANNEL) if is_shown(one, CourseDecaying)]  # named once
        named = shown(post, CourseDecaying)
        assert (named.playbook, named.team, named.lines, named.ended) == ("Reply", "Desk", ("runs",), None)
        assert (named.runs, named.fall) == ((40, 40, 40, 40, 40, 38, 36, 34), "0.7")
        assert actions(post) == [Action.SHOW_MONTHS, Action.START_CYCLE]
        assert_golden(post, "fading")

        [row] = shown(asks(harness, "/cadence status"), Status).rows
        assert_golden("\n".join(row.standing), "fading-in-status")
        digests = contexts(posts(harness, CURATORS), Digest)
        assert_golden("\n".join(note for one in digests for note in one.notes), "fading-in-digest")

        months = shown(harness.workspace.person(AGENT).clicks(post, "Show the months"), Months)
        assert (months.playbook, months.course, months.lines) == ("Reply", Course.DECAYING, ("runs",))
        assert months.since == date(2026, 4, 27)
        assert [(one.watched, one.number) for one in months.rows] == [
            (False, 1),
            (True, 1),
            (True, 2),
            (True, 3),
        ]
        harness.tick()
        [dm] = [one for one in bot_dms(harness, AGENT) if is_shown(one, Months)]
        assert "image" in [block["type"] for block in dm.blocks]
        chart = shown(dm, Months).chart
        assert chart is not None
        assert_golden(chart.alt, "chart-for-a-screen-reader")
        assert chart.alt in str(dm.blocks)

        for week in range(14, 24):
            report(harness, week, runs=20, number=14)
        harness.play_until(at("2026-08-17 12:00"))
        courses = [row.course for row in rows(harness, CourseChange)]
        assert courses[-1] in (Course.STEADY, Course.DEEPENING)
        assert courses.count(Course.DECAYING) == 1
        after = next(one for one in posts(harness, DESK_CHANNEL) if one.ts == post.ts)
        assert shown(after, CourseDecaying).ended == courses[-1]
        assert_golden(after, "recovered")
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
        [named] = contexts(posts(harness, DESK_CHANNEL), CourseDecaying)
        assert (named.lines, named.kpi.value, named.kpi.direction) == (("kpi",), 40, Direction.LOWER)
        assert named.limit == pytest.approx(17.2)


def test_the_months_are_asked_for(tmp_path: Path) -> None:
    with bot_harness(tmp_path, workspace=DESK, playbooks=[REPLY]) as harness:
        assert_golden(asks(harness, "/cadence trend"), "refused-before-a-cycle")
        start_cycle(harness)
        report(harness, 0, runs=20, number=14)
        months = shown(asks(harness, "/cadence trend"), Months)
        assert [(one.watched, one.number) for one in months.rows] == [(False, 1)]
        assert months.chart_comes
        assert shown(asks(harness, "/cadence trend reply team=desk", CURATOR), Months).playbook == "Reply"
        refused = harness.workspace.person(OTHER_AGENT).types("/cadence trend reply", channel=SOLO_CHANNEL)
        assert is_shown(refused, Refused)
        assert not is_shown(refused, Months)
        assert_golden(refused, "refused-another-team")
        sent = [one for one in ledger(harness, "months-chart") if one.recipient == LEAD]
        assert [one.state for one in sent] == [MessageState.SENT]
