"""A KPI for a template."""

from cadence.documents import PlaybookSpec
from cadence.flows.core import AdoptionView
from templates.contexts.base import Kpi


def kpi_context(view: AdoptionView, *, value: float | None) -> Kpi:
    """The KPI of an adoption for a template, with the value to show."""
    return kpi_of(view.spec, value=value)


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
