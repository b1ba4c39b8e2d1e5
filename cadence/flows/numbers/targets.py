"""The message when a running cycle's KPI first reaches its target: once a cycle, in working hours."""

from typing import Final

from cadence.flows.core import (
    AdoptionView,
    MessageKind,
    Skip,
    adoption_about,
    is_in_team,
    is_watch,
    tell,
)
from cadence.flows.numbers.guardrails import latest
from cadence.flows.numbers.shown_kpis import kpi_context
from cadence.nudges import Unless
from cadence.rules.kpi import Direction, meets
from storage.queries import cycles, numbers
from storage.tables import Cycle, CycleState, OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.numbers import TargetReached

TARGET_REACHED: Final = "target-reached"


def tell_target_reached(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> None:
    """Tell the team, and an owner outside it, that the newest reading is the first at the target.

    Nothing is sent if a guardrail is past its limit, or once the cycle is closed, nor in watch weeks.
    """
    if is_watch(cycle) or cycle.state is CycleState.CLOSED or view.cycle is None or view.cycle.id != cycle.id:
        return
    readings = numbers.readings(uow, cycle=cycle)
    met = [week for week, value in readings.items() if _meets(view, value)]
    if met != [max(readings, default=0)] or not _guardrails_hold(uow, view, cycle):
        return
    owner = view.playbook.owner
    tell(
        uow,
        [view.team.channel, *([] if is_in_team(uow, view, owner) else [owner])],
        kind=TARGET_REACHED,
        slot=cycle.id,
        subject={"adoption": view.id, "cycle": cycle.id, "week": met[0]},
    )


def target_reached(uow: UnitOfWork, message: OutboxMessage) -> TargetReached | Skip:
    """The reading that met the target; skipped if it was corrected since, or the cycle is closed."""
    view = adoption_about(uow, message)
    cycle = cycles.cycle(uow, cycle_id=int(message.subject["cycle"]))
    if cycle.state is CycleState.CLOSED:
        return Skip(Unless.CLOSED)
    week = int(message.subject["week"])
    value = numbers.readings(uow, cycle=cycle).get(week)
    if value is None or not _meets(view, value) or not _guardrails_hold(uow, view, cycle):
        return Skip(Unless.CORRECTED)
    return TargetReached(
        slug=view.playbook.slug,
        playbook=view.playbook.title,
        team=view.team.title,
        week=week,
        kpi=kpi_context(view, value=value),
        closes=cycle.closes_on,
        guardrails=tuple(latest(uow, view, cycle)),
    )


def _meets(view: AdoptionView, value: float) -> bool:
    kpi = view.spec.kpi
    return meets(value, kpi.target, Direction(kpi.direction))


def _guardrails_hold(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> bool:
    """Whether none of the newest readings of guardrails is past its limit."""
    return all(rail.held is not False for rail in latest(uow, view, cycle))


KINDS: Final = (MessageKind(TARGET_REACHED, target_reached, unless=(Unless.CLOSED, Unless.CORRECTED)),)
