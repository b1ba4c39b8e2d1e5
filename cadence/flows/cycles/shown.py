"""A cycle's current state: its weeks, gates and readings, each step against its cap, the check-ins."""

from datetime import date

from cadence.flows.core import (
    AdoptionView,
    champion_left,
    find_adoption,
    is_watch,
    of_cycle,
    watch_month,
    who_can_start,
)
from cadence.flows.gates import gate_lines
from cadence.flows.numbers import kpi_context, latest_reading
from cadence.flows.standards import step_states, steps_at_close, steps_now
from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from cadence.rules.calendar import WEEKS
from storage.queries import cycles, numbers
from storage.tables import Cycle, CycleState
from storage.work import UnitOfWork
from templates.contexts.base import Kpi
from templates.contexts.cycles import CycleShown


def show_cycle(
    uow: UnitOfWork, *, playbook: str | None, team: str | None, day: date | None = None
) -> CycleShown:
    """The running cycle of an adoption, or the one that contains a day.

    Raises:
        Refusal: nothing matches, several do, or no cycle has started.
    """
    with uow.read():
        view = find_adoption(uow, playbook=playbook, team=team)
        if day is not None:
            then = cycles.cycle_on(uow, adoption_id=view.id, day=day)
            if then is None:
                raise Refusal(say("No cycle of {title} covers that day.", title=view.playbook.title))
            view = of_cycle(uow, view, then)
        cycle = view.cycle
        if cycle is None:
            raise Refusal(
                say(
                    "{title} doesn't have a cycle in {team} yet. {who} can start one with {command}.",
                    title=view.playbook.title,
                    team=view.team.title,
                    who=who_can_start(uow, view.playbook),
                    command=code(f"/cadence cycle start {view.playbook.slug}"),
                )
            )
        readings = numbers.readings(uow, cycle=cycle)
        weeks = WEEKS if cycle.result is not None else view.week or 0  # none for the weeks to come
        if cycle.result is None and readings.get(weeks) is None:
            weeks -= 1  # this week's number may still come
        return CycleShown(
            slug=view.playbook.slug,
            playbook=view.playbook.title,
            team=view.team.title,
            number=cycle.number,
            week=view.week,
            starts=cycle.starts_on,
            closes=cycle.closes_on,
            kpi=_kpi(uow, view, cycle),
            readings=tuple(readings.get(week) for week in range(1, weeks + 1)),
            steps=(
                steps_at_close(uow, view, cycle)
                if cycle.state is CycleState.CLOSED
                else steps_now(step_states(uow, view))
            ),
            gates=() if is_watch(cycle) else gate_lines(uow, view, cycle),
            champion=view.adoption.champion,
            champion_left=champion_left(uow, view),
            result=cycle.result,
            month=watch_month(uow, view),
            resumes=view.playbook.owner if view.can_resume else "",
            ends_pause=view.ends_pause,
        )


def _kpi(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> Kpi:
    """A closed cycle's median, else the newest number."""
    if cycle.result is not None:
        return kpi_context(view, value=cycle.kpi_value, cycle=cycle.number)
    newest = latest_reading(uow, view)
    return (
        kpi_context(view, value=newest.value, week=newest.week) if newest else kpi_context(view, value=None)
    )
