"""The week that a report is about."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from cadence.flows.core.adoptions import AdoptionView, require_cycle
from cadence.mrkdwn import code, mention, say
from cadence.refusals import Refusal
from cadence.rules.calendar import WEEKS, week_monday, week_number
from storage.queries import cycles
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


def is_asked_for(view: AdoptionView, cycle: Cycle) -> bool:
    """Whether a cycle's reports are still asked for: after its close, until Sunday night."""
    return cycle.state is CycleState.RUNNING or view.today < cycle.starts_on + timedelta(weeks=WEEKS)


class NeedsWeek(Refusal):
    """Early in a week, with last week's report missing: the person has to say which week they mean."""

    def __init__(self, view: AdoptionView, last: ReportWeek, this: ReportWeek) -> None:
        self.adoption_id = view.id  # copied: the rows are gone once the transaction is rolled back
        super().__init__(
            say(
                "Is this for last week or this week? Add {last} or {this}.",
                last=code(f"week={last.week}"),
                this=code(f"week={this.week}"),
            )
        )


def numbered_week(view: AdoptionView, week: int) -> ReportWeek:
    """Week N of the running cycle.

    Raises:
        Refusal: a week that hasn't begun.
    """
    cycle = require_cycle(view)
    start = week_monday(cycle.starts_on, week)
    if start > view.today:
        raise Refusal(
            say(
                "Week {week} of this cycle starts on {day:%A %-d %B}. You can report this week or an earlier one.",
                week=week,
                day=start,
            ),
            field="week",
        )
    return ReportWeek(cycle, week, start)


def week_starting(uow: UnitOfWork, view: AdoptionView, start: date) -> ReportWeek:
    """The week that starts on a Monday, as carried by a button or a form.

    Raises:
        Refusal: the week isn't one of the running cycle's, nor the last of the cycle just closed.
    """
    current = require_cycle(view)
    cycle = cycle_of_week(uow, view, start)
    last_week = view.week_start - timedelta(weeks=1)
    if cycle is None or start > view.today or (cycle.id != current.id and start < last_week):
        raise Refusal(
            say(
                "The week of {day:%-d %B} is closed. To answer this week's check-in, use {command}.",
                day=start,
                command=code(f"/attest {view.playbook.slug}"),
            )
        )
    return ReportWeek(cycle, week_number(cycle.starts_on, start) or WEEKS, start)


def cycle_of_week(uow: UnitOfWork, view: AdoptionView, week_start: date) -> Cycle | None:
    """The cycle that contains a week."""
    if view.cycle and week_number(view.cycle.starts_on, week_start):
        return view.cycle
    return cycles.cycle_on(uow, adoption_id=view.id, day=week_start)


def this_week(view: AdoptionView) -> ReportWeek:
    """The current week.

    Raises:
        Refusal: no cycle covers today.
    """
    cycle = require_cycle(view)
    week = view.week
    if week is None:
        raise Refusal(
            say(
                "Cycle {number} of {title} is over. The owner ({owner}) or a curator can start a new one "
                "with {command}.",
                number=cycle.number,
                title=view.playbook.title,
                owner=mention(view.playbook.owner),
                command=code(f"/cadence cycle start {view.playbook.slug}"),
            )
        )
    return ReportWeek(cycle, week, view.week_start)


def last_week(uow: UnitOfWork, view: AdoptionView) -> ReportWeek | None:
    """The week before the current one, if the adoption had a cycle then."""
    start = view.week_start - timedelta(weeks=1)
    cycle = cycle_of_week(uow, view, start)
    if cycle is None:
        return None
    return ReportWeek(cycle, week_number(cycle.starts_on, start) or WEEKS, start)


def _is_late(view: AdoptionView, before: ReportWeek, week: int) -> bool:
    """Whether `week=N`, early in a cycle, can only be the last week of the cycle before it."""
    current = require_cycle(view)
    return (
        week == before.week
        and before.cycle.id != current.id
        and week_monday(current.starts_on, week) > view.today
    )


def meant_week(
    uow: UnitOfWork, view: AdoptionView, *, week: int | None, is_missing: Callable[[ReportWeek], bool]
) -> ReportWeek:
    """The week a typed report is about: `week=N`, else the current one.

    Args:
        is_missing: whether last week's report is missing; called only if that decides.

    Raises:
        NeedsWeek: it is Monday or Tuesday, no week was named and last week's report is missing.
        Refusal: the week can't take reports.
    """
    if week is not None:
        before = last_week(uow, view)
        return before if before and _is_late(view, before, week) else numbered_week(view, week)
    before = last_week(uow, view) if view.today.weekday() <= ASKED_UNTIL else None
    if before and is_missing(before):
        if view.week is None:  # paused, or over: no other week accepts reports
            return before
        raise NeedsWeek(view, before, this_week(view))
    return this_week(view)
