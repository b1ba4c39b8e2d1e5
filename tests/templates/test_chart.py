"""The KPI's chart: a picture of the same bytes for the same values, and the same numbers in words."""

import struct
from dataclasses import replace
from datetime import date, timedelta

import pytest

from templates.chart import Bar, Chart, MonthBars, Point, ProcessChart, TeamsChart, draw

MONDAY = date(2026, 3, 2)


def chart(*values: float | None, **other: object) -> Chart:
    points = tuple(
        Point(week_start=MONDAY + timedelta(weeks=at), cycle=at // 4 + 1, value=value)
        for at, value in enumerate(values)
    )
    usual: dict[str, object] = {
        "kpi": "First response time",
        "unit": "minutes",
        "baseline": 42.0,
        "target": 15.0,
    }
    return Chart(**(usual | {"points": points} | other))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "one",
    [
        chart(24, 18, None, 14),
        chart(None, None, None, 5),
        chart(*[7.5] * 12),
        chart(*range(60)),
        chart(1e12, -1e12, 0, 3, unit="currency", kpi="Sav$ings $x^2$ 日本 \\frac{1}{ <b>" * 9),
        chart(92, 93, 94, unit="percent", baseline=0.0, target=0.0),
    ],
)
def test_whatever_the_values_it_is_a_small_picture(one: Chart) -> None:
    png = draw(one)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png[16:24]) == (880, 440)
    assert len(png) < 200_000
    assert len(one.text) <= 1000
    assert len(one.title) <= 120


def test_the_same_values_give_the_same_bytes_and_another_reading_others() -> None:
    assert draw(chart(24, 18, None, 14)) == draw(chart(24, 18, None, 14))
    assert draw(chart(24, 18, None, 14)) != draw(chart(24, 18, None, 13))


def test_the_usual_range_is_described_once_there_are_enough_readings() -> None:
    few, enough = chart(24, 18, 14, 16, 15), chart(24, 18, 14, 16, 15, 14)
    assert "Usual range" not in few.text
    assert enough.text.endswith("Usual range 9.39 min to 24.3 min.")
    assert few.text.startswith(
        "First response time, week by week: 24 min, 18 min, 14 min, 16 min, 15 min. Target"
    )


def test_alternative_text_of_a_long_series_has_only_the_last_weeks() -> None:
    assert "last 16 weeks: 4 min, 5 min" in chart(*range(20)).text


def test_the_teams_chart_has_a_labelled_bar_for_each_team() -> None:
    bars = tuple(
        Bar(team=f"Team {at} $x^2$", baseline=42.0, value=value, met=value <= 15)
        for at, value in enumerate((50.0, 19.0, 14.0))
    )
    one = TeamsChart(
        playbook="Support reply", kpi="First response time", unit="minutes", target=15.0, bars=bars
    )
    assert draw(one)[:8] == b"\x89PNG\r\n\x1a\n"
    assert draw(replace(one, bars=bars * 7))[:8] == b"\x89PNG\r\n\x1a\n"
    assert one.text == (
        "First response time by team: Team 0 $x^2$ 42 min to 50 min, Team 1 $x^2$ 42 min to 19 min, "
        "Team 2 $x^2$ 42 min to 14 min (met). Target 15 min."
    )
    assert len(replace(one, bars=bars * 20).text) <= 1_000


def test_the_rollout_by_month_is_four_small_charts() -> None:
    months = tuple(
        MonthBars(
            first=date(2026 + at // 12, at % 12 + 1, 7),
            published=at % 2,
            adopted=at * 3,
            completed=at * 2,
            exceptions=at,
            runs=at * 30,
        )
        for at in range(6, 18)
    )
    one = ProcessChart(months=months[:3])
    assert struct.unpack(">II", draw(one)[16:24]) == (880, 440)
    assert draw(replace(one, months=months))[:8] == b"\x89PNG\r\n\x1a\n"
    assert one.text == (
        "Rollout by month, Jul to Sep 2026. Playbooks published: Jul 0, Aug 1, Sep 0. "
        "Teams that adopted one: Jul 18, Aug 21, Sep 24. Cycles completed: Jul 12, Aug 14, Sep 16. "
        "Exceptions, share of reported runs: Jul 3%, Aug 3.3%, Sep 3.3%."
    )
    few = replace(months[0], exceptions=2, runs=6, so_far=True)
    assert ProcessChart(months=(few,)).text.endswith("Jul 2 in 6 runs.")
    assert ProcessChart(months=(few,)).title == "Rollout by month, Jul 2026 so far"
    whole = ProcessChart(months=months)
    assert whole.title == "Rollout by month, Jul 2026 to Jun 2027"
    assert len(whole.text) <= 1_000
