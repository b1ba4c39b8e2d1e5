"""Which week a report is about."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from cadence.flows.core.adoptions import TeamRun, require_cycle
from cadence.mrkdwn import code, mention, say
from cadence.refusals import Refusal
from cadence.rules.calendar import WEEKS, week_monday, week_number
from storage.queries import playbooks
from storage.tables import Cycle, CycleState
from storage.work import UnitOfWork

ASKED_UNTIL = 1
"""Through Tuesday (weekday 1) a report without a week may mean last week's."""


@dataclass(frozen=True, slots=True)
class ReportWeek:
    """A week of a cycle that a report belongs to."""

    cycle: Cycle
    week: int
    start: date


def is_asked_for(run: TeamRun, cycle: Cycle) -> bool:
    """Whether a cycle's reports are still asked for: once it is closed, until Sunday night."""
    return cycle.state is CycleState.RUNNING or run.today < cycle.starts_on + timedelta(weeks=WEEKS)


class NeedsWeek(Refusal):
    """Early in a week, with last week's report missing: the person has to say which week they mean."""

    def __init__(self, run: TeamRun, last: ReportWeek, this: ReportWeek) -> None:
        self.adoption_id = run.id  # kept apart: the rows are gone once the transaction is rolled back
        super().__init__(
            say(
                "Is this for last week or for this one? Add {last} or {this}.",
                last=code(f"week={last.week}"),
                this=code(f"week={this.week}"),
            )
        )


def numbered_week(run: TeamRun, week: int) -> ReportWeek:
    """Week N of the running cycle.

    Raises:
        Refusal: a week that hasn't begun.
    """
    cycle = require_cycle(run)
    start = week_monday(cycle.starts_on, week)
    if start > run.today:
        raise Refusal(
            say(
                "Week {week} of this cycle starts on {day:%A %-d %B}. "
                "A report can be for this week or for one before it.",
                week=week,
                day=start,
            ),
            field="week",
        )
    return ReportWeek(cycle, week, start)


def week_starting(uow: UnitOfWork, run: TeamRun, start: date) -> ReportWeek:
    """The week that starts on a Monday, as a button or a form carries it.

    Raises:
        Refusal: the week isn't one of the running cycle's, nor the last of the cycle just closed.
    """
    cycle = playbooks.cycle_on(uow, adoption_id=run.id, day=start)
    current = require_cycle(run)
    last_week = run.week_start - timedelta(weeks=1)
    if cycle is None or start > run.today or (cycle.id != current.id and start < last_week):
        raise Refusal(
            say(
                "The week of {day:%-d %B} is closed. This week's check-in is in {command}.",
                day=start,
                command=code(f"/attest {run.playbook.slug}"),
            )
        )
    return ReportWeek(cycle, week_number(cycle.starts_on, start) or WEEKS, start)


def this_week(run: TeamRun) -> ReportWeek:
    """Today's week.

    Raises:
        Refusal: no cycle covers today.
    """
    cycle = require_cycle(run)
    week = run.week
    if week is None:
        raise Refusal(
            say(
                "Cycle {number} of {title} is over. "
                "Its owner, {owner}, or a curator starts a new one with {command}.",
                number=cycle.number,
                title=run.playbook.title,
                owner=mention(run.playbook.owner),
                command=code(f"/cadence cycle start {run.playbook.slug}"),
            )
        )
    return ReportWeek(cycle, week, run.week_start)


def last_week(uow: UnitOfWork, run: TeamRun) -> ReportWeek | None:
    """The week before today's, when the adoption had a cycle then."""
    start = run.week_start - timedelta(weeks=1)
    cycle = run.cycle
    if cycle is None or not week_number(cycle.starts_on, start):
        cycle = playbooks.cycle_on(uow, adoption_id=run.id, day=start)
    if cycle is None:
        return None
    return ReportWeek(cycle, week_number(cycle.starts_on, start) or WEEKS, start)


def _is_late(run: TeamRun, before: ReportWeek, week: int) -> bool:
    """Whether `week=N`, early in a cycle, can only be the last week of the cycle before it."""
    current = require_cycle(run)
    return (
        week == before.week
        and before.cycle.id != current.id
        and week_monday(current.starts_on, week) > run.today
    )


def meant_week(
    uow: UnitOfWork, run: TeamRun, *, week: int | None, is_missing: Callable[[ReportWeek], bool]
) -> ReportWeek:
    """The week a typed report is about: `week=N`, else today's.

    Args:
        is_missing: whether last week's report is; only asked when that decides.

    Raises:
        NeedsWeek: it is Monday or Tuesday, no week was named and last week's report is missing.
        Refusal: the week can't take reports.
    """
    if week is not None:
        before = last_week(uow, run)
        return before if before and _is_late(run, before, week) else numbered_week(run, week)
    before = last_week(uow, run) if run.today.weekday() <= ASKED_UNTIL else None
    if before and is_missing(before):
        if run.week is None:  # paused, or over: no other week takes reports
            return before
        raise NeedsWeek(run, before, this_week(run))
    return this_week(run)
