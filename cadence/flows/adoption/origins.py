"""The pilot team's number, with which later teams are compared."""

from cadence.flows.core import AdoptionView, adoption_by_id, spec_of
from cadence.flows.numbers import latest_reading
from cadence.flows.setup import checklist, minutes_of
from cadence.refusals import Refusal
from cadence.rules.kpi import Unit, format_amount
from storage.queries import cycles, playbooks, setup
from storage.tables import PlaybookState
from storage.work import UnitOfWork


def origin_value(uow: UnitOfWork, view: AdoptionView) -> float | None:
    """The KPI value of the origin's latest closed cycle, in the KPI's unit.

    None for the origin itself, before it closed a cycle with readings, and when that cycle counted another KPI.
    """
    if view.first_id == view.id:
        return None
    closed = cycles.latest_value(uow, adoption_id=view.first_id)
    if closed is None:
        return None
    version = playbooks.version(uow, version_id=closed.version_id)
    theirs, ours = spec_of(uow, version).kpi, view.spec.kpi
    same = (theirs.name, theirs.unit, theirs.direction) == (ours.name, ours.unit, ours.direction)
    return closed.kpi_value if same else None


def standing(uow: UnitOfWork, view: AdoptionView) -> tuple[str, ...]:
    """The progress of the setup if there is no cycle, and the pilot team's number: a sentence each."""
    found = (_setup(uow, view) if view.cycle is None else None, _beside(uow, view))
    return tuple(line for line in found if line)


def _setup(uow: UnitOfWork, view: AdoptionView) -> str | None:
    if view.playbook.state is PlaybookState.RETIRED:
        return "The playbook is retired, so no new cycles start"
    row = setup.of_adoption(uow, adoption_id=view.id)
    if row is None:
        return "Setup hasn't started. The checklist is in the team's channel"
    if row.done_at is not None:
        return f"Set up in {minutes_of(row, now=uow.now):,} min, ready for its first cycle"
    ticked = len(setup.ticks(uow, setup_id=row.id or 0))
    return f"Setup: {ticked} of {len(checklist(uow, row))} items done"


def _beside(uow: UnitOfWork, view: AdoptionView) -> str | None:
    theirs = origin_value(uow, view)
    if theirs is None:
        return None
    unit = Unit(view.spec.kpi.unit)
    try:
        team = adoption_by_id(uow, adoption_id=view.first_id).team.title
    except Refusal:
        team = "no longer running it"
    return f"Pilot team's latest median ({team}): {format_amount(theirs, unit)}{_here(uow, view, theirs)}"


def _here(uow: UnitOfWork, view: AdoptionView, theirs: float) -> str:
    """`; here in week 3, 4 min higher`, or the median once the cycle closed: what the team's own number is of."""
    unit, cycle = Unit(view.spec.kpi.unit), view.cycle
    if cycle is not None and cycle.result is not None:
        ours, when = cycle.kpi_value, f"in cycle {cycle.number}"
    else:
        newest = latest_reading(uow, view)
        ours, when = (newest.value, f"in week {newest.week}") if newest else (None, "")
    return "" if ours is None else f"; here {when}, {_difference(ours - theirs, unit)}"


def _difference(by: float, unit: Unit) -> str:
    if not by:
        return "the same"
    size = f"{abs(by):g} points" if unit is Unit.PERCENT else format_amount(abs(by), unit)
    return f"{size} {'higher' if by > 0 else 'lower'}"
