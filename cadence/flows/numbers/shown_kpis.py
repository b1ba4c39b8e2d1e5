"""A KPI for a template."""

from dataclasses import replace

from cadence.documents import PlaybookSpec
from cadence.flows.core import AdoptionView
from templates.contexts.base import Kpi


def kpi_context(
    view: AdoptionView, *, value: float | None, week: int | None = None, cycle: int | None = None
) -> Kpi:
    """The KPI of an adoption for a template, with the value to show, and the week or closed cycle it is of."""
    return replace(kpi_of(view.spec, value=value), week=week, cycle=cycle)


def kpi_of(spec: PlaybookSpec, *, value: float | None) -> Kpi:
    """The KPI of a version, with the value to show."""
    kpi = spec.kpi
    return Kpi(
        name=kpi.name,
        unit=kpi.unit,
        direction=kpi.direction,
        target=kpi.target,
        baseline=kpi.baseline,
        value=value,
    )
