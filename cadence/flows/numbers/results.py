"""A cycle's result: judged at its close, and again when one of its numbers comes late."""

from cadence.flows.core import (
    AdoptionView,
    is_watch,
    lapse_open,
    of_cycle,
    redraw_chart,
    rewrite_cycle_posts,
)
from cadence.flows.numbers.guardrails import judged
from cadence.rules.kpi import Direction, Outcome, cycle_result, median_of
from storage.queries import numbers
from storage.tables import Cycle, CycleState
from storage.work import UnitOfWork


def set_result(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> None:
    """Judge a cycle by its current readings: its result, the KPI's value, the guardrails' values."""
    readings = numbers.readings(uow, cycle=cycle)
    rails = judged(uow, view, cycle)
    outcome = cycle_result(
        list(readings.values()), view.spec.kpi.target, Direction(view.spec.kpi.direction), rails
    )
    cycle.result, cycle.kpi_value = outcome.outcome, outcome.value
    cycle.guardrails = {rail.name: median_of(rail.readings) for rail in rails}
    uow.session.add(cycle)


def judge_again(uow: UnitOfWork, view: AdoptionView, cycle: Cycle) -> None:
    """Update a closed cycle's result and post after a late or corrected number.

    Steps and promotions stay as judged at the close; but an undecided proposal lapses if the KPI turns out
    not to be met.
    """
    if cycle.state is not CycleState.CLOSED or is_watch(cycle):  # a watch period has no result
        return
    before = {"result": cycle.result, "kpi_value": cycle.kpi_value, "guardrails": cycle.guardrails}
    view = of_cycle(uow, view, cycle)
    set_result(uow, view, cycle)
    after = {"result": cycle.result, "kpi_value": cycle.kpi_value, "guardrails": cycle.guardrails}
    uow.record(
        action="cycle-judged-again",
        subject=f"cycle:{cycle.id}",
        before=before,
        after=after,
    )
    uow.session.flush()
    if before["result"] == Outcome.MET != cycle.result:
        why = f"a corrected number made cycle {cycle.number} {cycle.result}"
        lapse_open(uow, view, why=why)
    mark = f"again:{uow.now.timestamp()}"
    rewrite_cycle_posts(uow, view, cycle, mark=mark)
    redraw_chart(uow, cycle, mark=mark)
