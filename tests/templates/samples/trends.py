"""Samples of a watched team's months and of the alert that it fades."""

from dataclasses import replace
from datetime import timedelta

from cadence.refusals import Offer
from templates.contexts.base import MessageContext, Picture
from templates.contexts.trends import CourseDecaying, Month, Months
from templates.ids import Action
from tests.templates.samples.common import KPI, MONDAY, THURSDAY

FADES = CourseDecaying(
    adoption_id=7,
    slug="support-reply",
    team_slug="support-emea",
    playbook="Support reply",
    team="Support EMEA",
    kpi=replace(KPI, value=40),
    lines=("runs",),
    runs=(40, 38, 36, None, 30, 28, 24, 20),
    owner="U01LEAD",
    fall="2.8",
    p=0.0002,
    offers=(
        Offer("Show the months", Action.SHOW_MONTHS, "7"),
        Offer("Start a cycle", Action.START_CYCLE, "support-reply:support-emea"),
    ),
)
MONTHS = Months(
    playbook="Support reply",
    team="Support EMEA",
    kpi=replace(KPI, value=None),
    rows=(
        Month(
            number=1,
            watched=False,
            first=MONDAY - timedelta(weeks=8),
            last=MONDAY - timedelta(weeks=4, days=1),
            median=14,
            runs_a_week=40,
            answered=22,
            expected=24,
            exceptions=3,
        ),
        Month(
            number=1,
            watched=True,
            first=MONDAY - timedelta(weeks=4),
            last=MONDAY - timedelta(days=1),
            median=None,
            runs_a_week=None,
            answered=0,
            expected=24,
            exceptions=0,
        ),
    ),
    course="decaying",
    since=MONDAY,
    lines=("runs", "kpi"),
    chart_comes=True,
)
SAMPLES: dict[str, MessageContext] = {
    "course-decaying": FADES,
    "course-decaying-kpi": replace(FADES, lines=("runs", "kpi"), limit=17.9),
    "course-recovered": replace(FADES, ended="steady", ended_at=THURSDAY),
    "months": MONTHS,
    "months-of-a-cycle": replace(MONTHS, rows=MONTHS.rows[:1], course=None, since=None, lines=()),
    "months-chart": replace(MONTHS, chart=Picture(file="F0MONTHS", alt="KPI by week"), chart_comes=False),
}
