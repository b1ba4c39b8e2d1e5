"""KPIs offered by function; a custom one is fine too (SPEC §6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cadence.documents.words import Function
from cadence.rules.amounts import Unit
from cadence.rules.kpi import Direction

_LOWER, _HIGHER = Direction.LOWER, Direction.HIGHER


@dataclass(frozen=True, slots=True)
class CatalogueKpi:
    """A common KPI: its name, unit, and the direction in which it improves."""

    name: str
    unit: Unit
    direction: Direction


KPI_CATALOGUE: Final[Mapping[Function, tuple[CatalogueKpi, ...]]] = MappingProxyType(
    {
        Function.SALES: (
            CatalogueKpi("Time to first touch", Unit.MINUTES, _LOWER),
            CatalogueKpi("Win-rate delta", Unit.PERCENT, _HIGHER),
            CatalogueKpi("Cycle time to proposal", Unit.DAYS, _LOWER),
            CatalogueKpi("Close rate", Unit.PERCENT, _HIGHER),
        ),
        Function.SUPPORT: (
            CatalogueKpi("First response time", Unit.MINUTES, _LOWER),
            CatalogueKpi("CSAT", Unit.SCORE, _HIGHER),
            CatalogueKpi("NPS", Unit.SCORE, _HIGHER),
            CatalogueKpi("Resolution time", Unit.HOURS, _LOWER),
            CatalogueKpi("Reopen rate", Unit.PERCENT, _LOWER),
        ),
        Function.FINANCE: (
            CatalogueKpi("Month-end close time", Unit.DAYS, _LOWER),
            CatalogueKpi("Forecast error", Unit.PERCENT, _LOWER),
            CatalogueKpi("Savings identified against realised", Unit.PERCENT, _HIGHER),
            CatalogueKpi("Variance-review throughput", Unit.COUNT, _HIGHER),
        ),
        Function.ENGINEERING: (
            CatalogueKpi("Lead time for changes", Unit.HOURS, _LOWER),
            CatalogueKpi("Deployment frequency", Unit.COUNT, _HIGHER),
            CatalogueKpi("Change failure rate", Unit.PERCENT, _LOWER),
            CatalogueKpi("Time to restore", Unit.HOURS, _LOWER),
        ),
        Function.OTHER: (),
    }
)
