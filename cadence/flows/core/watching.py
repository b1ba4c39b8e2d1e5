"""Watch periods: the four weeks of check-ins that follow each other after the last planned cycle."""

from collections.abc import Sequence

from cadence.flows.core.adoptions import AdoptionView
from storage.queries import cycles
from storage.tables import Cycle, CycleKind
from storage.work import UnitOfWork


def is_watch(cycle: Cycle) -> bool:
    """Whether a cycle is a watch period: no gates, no closing post, no promotions."""
    return cycle.kind is CycleKind.WATCH


def shown_week(cycle: Cycle | None, week: int | None) -> int | None:
    """The week to display: 0 in a watch period, whose weeks aren't numbered."""
    return 0 if cycle is not None and is_watch(cycle) else week


def rollout_cycles(uow: UnitOfWork, view: AdoptionView) -> list[Cycle]:
    """The adoption's cycles without watch periods, oldest first."""
    return [row for row in cycles.cycles_of(uow, adoption_id=view.id) if not is_watch(row)]


def kind_of_next(planned: int | None, rows: Sequence[Cycle]) -> CycleKind:
    """What follows an adoption's cycles: another cycle, or a watch period once the planned ones are over."""
    done = sum(not is_watch(row) for row in rows)
    return CycleKind.WATCH if planned is not None and done >= planned else CycleKind.ROLLOUT


def watch_month(uow: UnitOfWork, view: AdoptionView) -> int | None:
    """The number of the current watch period since the last cycle, from 1; None if it isn't watched."""
    if view.cycle is None or not view.is_watched:
        return None
    rows = [row for row in cycles.cycles_of(uow, adoption_id=view.id) if row.number <= view.cycle.number]
    last = max((at for at, row in enumerate(rows, 1) if not is_watch(row)), default=0)
    return len(rows) - last
