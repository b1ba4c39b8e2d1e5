"""The message when a running cycle's KPI first reaches its target, in working hours; a correction rewrites it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from cadence.flows.core import (
    AdoptionView,
    MessageKind,
    Skip,
    adoption_about,
    is_in_team,
    is_watch,
    of_cycle,
    tell,
)
from cadence.flows.numbers.guardrails import latest, of_week
from cadence.flows.numbers.shown_kpis import kpi_context
from cadence.nudges import Unless
from cadence.rules.kpi import Direction, meets
from storage.queries import cycles, numbers
from storage.tables import Cycle, CycleState, OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.numbers import Guardrail, TargetReached

TARGET_REACHED: Final = "target-reached"


def tell_target_reached(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> None:
    """Tell the team, and an owner outside it, that the newest reading is the first at the target.

    Once a cycle, unless that number was corrected since and another week reaches the target. Nothing is sent
    if a guardrail is past its limit, or once the cycle is closed, nor in watch weeks.
    """
    if is_watch(cycle) or cycle.state is CycleState.CLOSED or view.cycle is None or view.cycle.id != cycle.id:
        return
    readings = numbers.readings(uow, cycle=cycle)
    met = [week for week, value in readings.items() if _meets(view, value)]
    if met != [max(readings, default=0)] or not _guardrails_hold(uow, view, cycle):
        return
    owner, monday = view.playbook.owner, _monday(cycle, met[0])
    reading = numbers.reading(uow, adoption_id=view.id, week_start=monday)
    tell(
        uow,
        [view.team.channel, *([] if is_in_team(uow, view, owner) else [owner])],
        kind=TARGET_REACHED,
        slot=f"{cycle.id}:{met[0]}",
        subject={"adoption": view.id, "cycle": cycle.id, "week": met[0], "reading": reading and reading.id},
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
    return _post(view, cycle, week=week, value=value, guardrails=latest(uow, view, cycle))


def still_reached(uow: UnitOfWork, message: OutboxMessage) -> TargetReached:
    """The sent message again: what was corrected since, and whether the target is still met."""
    cycle = cycles.cycle(uow, cycle_id=int(message.subject["cycle"]))
    view = of_cycle(uow, adoption_about(uow, message), cycle)
    week = int(message.subject["week"])
    since = int(message.subject.get("reading") or 0)
    told = numbers.value_before(uow, cycle=cycle, week=week, since=since, until=message.sent_at or uow.now)
    value = numbers.readings(uow, cycle=cycle)[week]
    rails = of_week(uow, view, _monday(cycle, week))
    post = _post(view, cycle, week=week, value=value, guardrails=rails)
    return replace(
        post,
        told=None if told == value else told,
        met=_meets(view, value) and all(one.held is not False for one in rails),
    )


def _post(
    view: AdoptionView, cycle: Cycle, *, week: int, value: float, guardrails: Sequence[Guardrail]
) -> TargetReached:
    return TargetReached(
        slug=view.playbook.slug,
        playbook=view.playbook.title,
        team=view.team.title,
        week=week,
        kpi=kpi_context(view, value=value),
        closes=cycle.closes_on,
        guardrails=tuple(guardrails),
    )


def _monday(cycle: Cycle, week: int) -> date:
    """The Monday of a cycle's week."""
    return cycle.starts_on + timedelta(weeks=week - 1)


def _meets(view: AdoptionView, value: float) -> bool:
    kpi = view.spec.kpi
    return meets(value, kpi.target, Direction(kpi.direction))


def _guardrails_hold(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> bool:
    """Whether none of the newest readings of guardrails is past its limit."""
    return all(rail.held is not False for rail in latest(uow, view, cycle))


KINDS: Final = (
    MessageKind(
        TARGET_REACHED, target_reached, rewrite=still_reached, unless=(Unless.CLOSED, Unless.CORRECTED)
    ),
)
