"""The months of an adoption: a table at once, and a chart that follows in a DM."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from statistics import mean, median
from typing import Final

from cadence.flows.core import (
    CHART_USEFUL,
    AdoptionView,
    Later,
    MessageKind,
    NeedsChoice,
    Show,
    Skip,
    Urgency,
    adoption_about,
    adoption_by_id,
    coverage,
    find_adoption,
    how_to_begin,
    once,
    require_cycle,
    require_sight,
    visible_adoptions,
)
from cadence.flows.numbers import kpi_context
from cadence.flows.trends.courses import course_of
from cadence.flows.trends.series import Week, held_weeks, weeks_of
from cadence.mrkdwn import say
from cadence.nudges import Unless
from cadence.refusals import Offer, Refusal
from cadence.rules.sight import Fact
from cadence.rules.trend import Course, frozen
from storage.outbox.queueing import NewMessage
from storage.queries import cycles, trends
from storage.tables import CycleKind, MessageState, OutboxMessage
from storage.work import UnitOfWork
from templates.chart import Chart, Point
from templates.contexts.answers import Done
from templates.contexts.trends import Month, Months
from templates.ids import Action

MONTHS: Final = "months"
MONTHS_CHART: Final = "months-chart"
SHOWN: Final = 12
"""Months in a table."""
OFFERED: Final = 5
AFTER_THE_POST: Final = timedelta(minutes=1)


@once
def ask_months(
    uow: UnitOfWork, *, playbook: str | None = None, team: str | None = None, adoption_id: int | None = None
) -> Months | Done:
    """The months of an adoption; with nothing named and several to choose from, a button for each.

    The chart follows in the caller's DM, once an hour at most.

    Raises:
        Refusal: nothing matches, or it hasn't run a week yet. NotAllowed: it is another team's.
    """
    with uow.write():
        view = _meant(uow, playbook, team, adoption_id)
        if not isinstance(view, AdoptionView):
            return view
        require_sight(uow, view, Fact.STATUS)
        shown = months_of(uow, view)
        queued = _queue(uow, view)
        return replace(shown, chart_comes=queued)


def _meant(
    uow: UnitOfWork, playbook: str | None, team: str | None, adoption_id: int | None
) -> AdoptionView | Done:
    if adoption_id is not None:
        return adoption_by_id(uow, adoption_id=adoption_id)
    if playbook or team:
        try:
            return find_adoption(uow, playbook=playbook, team=team)
        except NeedsChoice as several:
            return _choice(several.runs)
    every = visible_adoptions(uow)
    runs = [view for view in every if view.cycle is not None]
    if every and not runs:
        require_cycle(every[0])  # says who can start it
    if not runs:
        raise Refusal(
            say(
                "There's nothing to show yet: none of your teams has run a cycle. {next}",
                next=how_to_begin(uow),
            )
        )
    return runs[0] if len(runs) == 1 else _choice(runs)


def _choice(runs: Iterable[AdoptionView]) -> Done:
    several = list(runs)
    more = say(" For another, add its name.") if len(several) > OFFERED else ""
    return Done(
        text=say("*Which one should we show?*{more}", more=more),
        offers=tuple(
            Offer(f"{view.playbook.title}, {view.team.title}"[:75], Action.SHOW_MONTHS, str(view.id))
            for view in several[:OFFERED]
        ),
    )


def months_of(uow: UnitOfWork, view: AdoptionView) -> Months:
    """The months of an adoption up to this week, the newest last.

    Raises:
        Refusal: it hasn't run a week yet.
    """
    weeks = weeks_of(uow, view, until=view.week_start)
    if not weeks:
        raise Refusal(
            say(
                "{title} hasn't run a week in {team} yet, so there are no months to show.",
                title=view.playbook.title,
                team=view.team.title,
            )
        )
    rows = _rows(uow, view, weeks)
    found = course_of(uow, [view.id]).get(view.id) if view.is_watched else None
    known = found is not None and found.course is not Course.INSUFFICIENT
    return Months(
        playbook=view.playbook.title,
        team=view.team.title,
        kpi=kpi_context(view, value=None),
        rows=tuple(rows[-SHOWN:]),
        course=found.course if found and known else None,
        since=found.week_start if found and known else None,
        lines=tuple(found.evidence.get("lines", ())) if found and known else (),
        earlier=max(0, len(rows) - SHOWN),
    )


def _rows(uow: UnitOfWork, view: AdoptionView, weeks: Sequence[Week]) -> list[Month]:
    exceptions = trends.exceptions_by_cycle(uow, adoption_id=view.id)
    rows, month = [], 0
    for cycle in cycles.cycles_of(uow, adoption_id=view.id):
        own = [week for week in weeks if week.cycle is not None and week.cycle.id == cycle.id]
        watched = cycle.kind is CycleKind.WATCH
        month = month + 1 if watched else 0
        if not own:
            continue
        readings = [week.reading for week in own if week.reading is not None]
        runs = [week.runs for week in own if week.runs is not None]
        over = view.week_start - timedelta(days=1)  # check-ins of this week may still come
        answered, expected = coverage(uow, view, cycle, until=min(cycle.closes_on, over))
        rows.append(
            Month(
                number=month if watched else cycle.number,
                watched=watched,
                first=own[0].monday,
                last=min(own[-1].monday + timedelta(days=6), view.today),
                median=median(readings) if readings else None,
                runs_a_week=round(mean(runs)) if runs else None,
                answered=answered,
                expected=expected,
                exceptions=exceptions.get(cycle.id or 0, 0),
            )
        )
    return rows


def _queue(uow: UnitOfWork, view: AdoptionView) -> bool:
    """Queue the chart for the caller's DM; False if it isn't needed."""
    me, hour = uow.actor.member, f"{uow.now:%Y%m%d%H}"
    if all(point.value is None for point in chart_of_months(uow, view).points):
        return False
    subject = {"adoption": view.id}
    about = (me, view.id, hour)
    uow.send(
        [
            NewMessage(MONTHS, me, subject, about=about, useful=CHART_USEFUL),
            NewMessage(MONTHS_CHART, me, subject | {"hour": hour}, about=about, useful=CHART_USEFUL),
        ]
    )
    return True


def chart_of_months(uow: UnitOfWork, view: AdoptionView) -> Chart:
    """The KPI week by week with the range of its last cycles, and the runs below it.

    Weeks between cycles have no reading.
    """
    kpi = view.spec.kpi
    weeks = weeks_of(uow, view, until=view.week_start)
    readings = [week.reading for week in weeks]
    points, last = [], 0
    for week in weeks:
        last = week.cycle.number if week.cycle else last
        points.append(Point(week_start=week.monday, cycle=last, value=week.reading, watched=week.is_watched))
    return Chart(
        kpi=kpi.name,
        unit=kpi.unit,
        baseline=kpi.baseline,
        target=kpi.target,
        points=tuple(points),
        usual_from=frozen(readings, held_weeks(weeks)) if any(week.is_watched for week in weeks) else None,
        runs=tuple(week.runs for week in weeks),
    )


def _post(uow: UnitOfWork, message: OutboxMessage) -> Months:
    return months_of(uow, adoption_about(uow, message))


def _chart(uow: UnitOfWork, message: OutboxMessage) -> Show | Skip | Later:
    """The chart in the DM, once that was sent."""
    view = adoption_about(uow, message)
    about = message.recipient, view.id, message.subject["hour"]
    post = next(iter(uow.messages(MONTHS, *about)), None)
    if post is not None and post.state is MessageState.DUE:
        return Later(uow.now + AFTER_THE_POST)
    if post is None or post.channel is None or post.ts is None:
        return Skip(Unless.NO_POST)
    shown = months_of(uow, view)
    return Show(
        chart_of_months(uow, view),
        (post.channel, post.ts),
        f"{view.playbook.slug}-{view.team.slug}-months.png",
        lambda picture: replace(shown, chart=picture),
    )


KINDS: Final = (
    MessageKind(MONTHS, _post, urgency=Urgency.ANSWER),
    MessageKind(MONTHS_CHART, _chart, urgency=Urgency.ANSWER, unless=(Unless.NO_POST,)),
)
