"""When a cycle may start, and which number it has."""

from datetime import date, timedelta

from sqlmodel import Session

from cadence.flows.runs import TeamRun
from cadence.mrkdwn import say
from cadence.refusals import Refusal
from cadence.rules.calendar import (
    WEEKS,
    monday_of,
    next_monday,
)
from storage import playbooks
from storage.tables import (
    AdoptionState,
    Cycle,
    CycleState,
)


def start_day(run: TeamRun, asked: date | None) -> date:
    """The Monday a cycle starts on: the one asked for, else today or the next.

    Raises:
        Refusal: another day of the week, or one too long ago or too far ahead.
    """
    if asked is None:
        return run.today if run.today.weekday() == 0 else next_monday(run.today)
    if asked.weekday() != 0:
        raise Refusal(
            say(
                "A cycle starts on a Monday, and {asked:%-d %B} is a {asked:%A}. "
                "The nearest are {before:%Y-%m-%d} and {after:%Y-%m-%d}.",
                asked=asked,
                before=monday_of(asked),
                after=next_monday(asked),
            ),
            field="date",
        )
    if asked < run.week_start:
        raise Refusal(
            say(
                "{asked:%-d %B} is past, and nobody was asked then. "
                "Start this week with {this:%Y-%m-%d} or next week with {next:%Y-%m-%d}.",
                asked=asked,
                this=run.week_start,
                next=next_monday(run.today),
            ),
            field="date",
        )
    if asked > run.today + timedelta(days=366):
        raise Refusal("That is more than a year ahead; choose a nearer Monday.", field="date")
    return asked


def next_number(session: Session, run: TeamRun, starts_on: date) -> int:
    """The number of the cycle that starts on a Monday.

    Raises:
        Refusal: another one isn't over by then.
    """
    cycles = playbooks.cycles_of(session, workspace_id=run.workspace.id, adoption_id=run.id)
    for cycle in cycles:
        if cycle.state is CycleState.RUNNING or cycle.starts_on + timedelta(weeks=WEEKS) > starts_on:
            raise Refusal(
                say(
                    "{team} is already in cycle {number} of {title}, "
                    "from {starts:%-d %b} to {closes:%-d %b}. {after}",
                    team=run.team.title,
                    number=cycle.number,
                    title=run.playbook.title,
                    starts=cycle.starts_on,
                    closes=cycle.closes_on,
                    after=_what_follows(run, cycle),
                ),
                field="date",
            )
    return len(cycles) + 1


def _what_follows(run: TeamRun, cycle: Cycle) -> str:
    if run.adoption.state is AdoptionState.ACTIVE:
        return "The next one follows by itself."
    monday = cycle.starts_on + timedelta(weeks=WEEKS)
    return f"The team is paused, so none follows by itself: start one for {monday:%Y-%m-%d} or later."
