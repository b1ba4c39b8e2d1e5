"""The KPI's chart, in the thread of a cycle's closing post. The post never waits for it."""

from datetime import datetime, timedelta

from sqlmodel import Session

from cadence.documents import playbook_from_data
from cadence.flows.composed import Composed, Later, Show, Skip
from cadence.flows.personal_posts import run_of
from cadence.flows.runs import TeamRun
from cadence.nudges import Unless
from cadence.rules.calendar import WEEKS, week_monday
from storage import ledger, playbooks, reports
from storage.tables import Cycle, MessageState, OwedMessage
from templates.chart import Chart, Point

AFTER_THE_POST = timedelta(minutes=1)


def cycle_chart(session: Session, message: OwedMessage, now: datetime) -> Composed:
    """The chart, once its post stands; skipped when the post doesn't, or when there is nothing to draw."""
    run = run_of(session, message, now)
    cycle = playbooks.cycle(session, workspace_id=run.workspace.id, cycle_id=int(message.subject["cycle"]))
    key = f"cycle-closed:{run.workspace.id}:{cycle.id}:{message.recipient}"
    post = next((row for row in ledger.by_prefix(session, workspace_id=run.workspace.id, prefix=key)), None)
    if post is not None and post.state is MessageState.DUE:
        return Later(now + AFTER_THE_POST)
    if post is None or post.channel is None or post.ts is None:
        return Skip(Unless.NO_POST)
    chart = chart_of(session, run, cycle)
    if all(point.value is None for point in chart.points):
        return Skip(Unless.NO_READING)
    return Show(chart, (post.channel, post.ts), f"{run.playbook.slug}-cycle-{cycle.number}.png")


def chart_of(session: Session, run: TeamRun, cycle: Cycle) -> Chart:
    """The readings of the adoption's cycles up to this one, of those that count the same KPI."""
    version = playbooks.version(session, workspace_id=run.workspace.id, version_id=cycle.version_id)
    kpi = playbook_from_data(version.spec).kpi
    points: list[Point] = []
    for one in playbooks.cycles_of(session, workspace_id=run.workspace.id, adoption_id=run.id):
        then = playbooks.version(session, workspace_id=run.workspace.id, version_id=one.version_id)
        counted = playbook_from_data(then.spec).kpi
        if one.number > cycle.number or (counted.name, counted.unit) != (kpi.name, kpi.unit):
            continue
        readings = reports.readings(session, workspace_id=run.workspace.id, cycle_id=one.id or 0)
        points += [
            Point(week_start=week_monday(one.starts_on, week), cycle=one.number, value=readings.get(week))
            for week in range(1, WEEKS + 1)
        ]
    return Chart(kpi=kpi.name, unit=kpi.unit, baseline=kpi.baseline, target=kpi.target, points=tuple(points))
