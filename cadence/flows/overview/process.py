"""A workspace's rollout by month: a table at once, and a chart that follows in a DM.

A month is its weeks: those whose Monday is in it. They begin at midnight in the workspace's zone.
"""

from collections import Counter
from dataclasses import asdict, replace
from datetime import date, time, timedelta
from itertools import dropwhile, pairwise
from typing import Final
from zoneinfo import ZoneInfo

from cadence.flows.core import (
    CHART_USEFUL,
    Later,
    MessageKind,
    Show,
    Skip,
    Urgency,
    once,
    require_digest,
    require_workspace,
    today_in,
    week_of,
)
from cadence.nudges import Unless
from cadence.refusals import Refusal
from cadence.rules.calendar import ends_month, instant, monday_of, months_until
from cadence.rules.evidence import MemberWeek, Runs, TeamWeek, count_runs
from storage.outbox.queueing import NewMessage
from storage.queries import playbooks
from storage.queries.overview import process
from storage.tables import MessageState, OutboxMessage
from storage.work import UnitOfWork
from templates.chart import MonthBars, ProcessChart
from templates.contexts.overview.process import ProcessMonth, ProcessMonths

KIND: Final = "process-months"
CHART: Final = "process-months-chart"
MANY: Final = 12
"""Months shown."""
FEWEST: Final = 2
"""Months in a chart: one month is no trend."""
AFTER_THE_POST: Final = timedelta(minutes=1)


def months_of(uow: UnitOfWork, *, week: date, over: bool) -> tuple[ProcessMonth, ...]:
    """The months up to a week, oldest first, from the first one in which anything happened.

    Args:
        week: its Monday; the last month holds its weeks up to this one.
        over: whether that week is over.
    """
    zone = ZoneInfo(require_workspace(uow).timezone)
    *mondays, _ = months_until(week, MANY)
    mondays.append(week + timedelta(weeks=1))
    bounds = [instant(monday, time.min, zone) for monday in mondays]
    published = playbooks.published_at(uow)
    adopted, completed = process.adopted(uow, bounds=bounds), process.completed(uow, bounds=bounds)
    exceptions = process.exceptions(uow, bounds=bounds)
    runs = _runs_by_week(uow, first=mondays[0], until=mondays[-1])
    rows = [
        ProcessMonth(
            first=first,
            published=sum(1 for one in published if bounds[at] <= one < bounds[at + 1]),
            adopted=adopted[at],
            completed=completed[at],
            exceptions=exceptions[at],
            runs=sum(count.total for monday, count in runs.items() if first <= monday < until),
            measured=sum(count.measured for monday, count in runs.items() if first <= monday < until),
            so_far=at == MANY - 1 and not (over and ends_month(week)),
        )
        for at, (first, until) in enumerate(pairwise(mondays))
    ]
    return tuple(dropwhile(_is_empty, rows))


def _runs_by_week(uow: UnitOfWork, *, first: date, until: date) -> dict[date, Runs]:
    """The measured and further reported runs of all adoptions by week: a run that is both counts once.

    Of counts by step, those of the step with most count: each run goes through several.
    """
    found = {
        week: Runs(runs, 0) for week, runs in process.runs_by_week(uow, first=first, until=until).items()
    }
    counted: dict[tuple[int, date], dict[str, Counter[str]]] = {}
    for row in process.measured(uow, first=first, until=until):
        steps = counted.setdefault((row.adoption, row.week), {})
        steps.setdefault(row.step, Counter())[row.member] += row.runs
    answers: dict[tuple[int, date], dict[str, int]] = {}
    for row in process.reported_beside(uow, first=first, until=until) if counted else ():
        answers.setdefault((row.adoption, row.week), {})[row.member] = row.runs
    for (adoption, week), steps in counted.items():
        every = steps.pop("", Counter())
        of_step = max(steps.values(), key=lambda one: one.total(), default=Counter())
        known, reported = every + of_step, answers.get((adoption, week), {})
        both = count_runs(
            [
                TeamWeek(
                    tuple(
                        MemberWeek(reported.get(member), 0, known[member])
                        for member in {*reported, *known} - {""}
                    ),
                    unnamed=known[""],
                )
            ]
        )
        plain = found.get(week, Runs(0, 0))
        found[week] = Runs(
            plain.attested - sum(reported.values()) + both.attested, 0, plain.measured + both.measured
        )
    return found


def _is_empty(row: ProcessMonth) -> bool:
    return not (row.published or row.adopted or row.completed or row.exceptions or row.runs)


def chart_of(rows: tuple[ProcessMonth, ...]) -> ProcessChart | None:
    """The chart of the months; None with fewer than two."""
    if len(rows) < FEWEST:
        return None
    return ProcessChart(months=tuple(MonthBars(**asdict(row)) for row in rows))


@once
def ask_process(uow: UnitOfWork) -> ProcessMonths:
    """The rollout by month, for curators. The chart follows in the caller's DM, once an hour at most.

    Raises:
        NotAllowed: anybody else. Refusal: nothing has happened yet.
    """
    with uow.write():
        require_digest(uow)
        week = monday_of(today_in(require_workspace(uow), uow.now))
        rows = months_of(uow, week=week, over=False)
        if not rows:
            raise Refusal("There's nothing to show yet: no team has adopted a playbook.")
        shown = ProcessMonths(rows=rows)
        if chart_of(rows) is None:
            return shown
        me, hour = uow.actor.member, f"{uow.now:%Y%m%d%H}"
        subject = {"week": week.isoformat()}
        uow.send(
            [
                NewMessage(KIND, me, subject, about=(me, hour), useful=CHART_USEFUL),
                NewMessage(CHART, me, subject | {"hour": hour}, about=(me, hour), useful=CHART_USEFUL),
            ]
        )
        return replace(shown, chart_comes=True)


def _post(uow: UnitOfWork, message: OutboxMessage) -> ProcessMonths:
    return ProcessMonths(rows=months_of(uow, week=week_of(message), over=False))


def _chart(uow: UnitOfWork, message: OutboxMessage) -> Show | Skip | Later:
    """The chart in the DM, once that was sent."""
    post = next(iter(uow.messages(KIND, message.recipient, message.subject["hour"])), None)
    if post is not None and post.state is MessageState.DUE:
        return Later(uow.now + AFTER_THE_POST)
    if post is None or post.channel is None or post.ts is None:
        return Skip(Unless.NO_POST)
    shown = _post(uow, message)
    chart = chart_of(shown.rows)
    if chart is None:
        return Skip(Unless.NO_READING)
    return Show(
        chart,
        (post.channel, post.ts),
        "rollout-by-month.png",
        lambda picture: replace(shown, chart=picture),
    )


KINDS: Final = (
    MessageKind(KIND, _post, urgency=Urgency.ANSWER),
    MessageKind(CHART, _chart, urgency=Urgency.ANSWER, unless=(Unless.NO_POST, Unless.NO_READING)),
)
