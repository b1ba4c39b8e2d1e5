"""Evidence that tools report, and what they can read."""

from cadence.flows.machines.items import (
    KINDS,
    CheckItem,
    ExceptionItem,
    Item,
    ItemResult,
    Judged,
    KpiItem,
    RubricItem,
    RunsItem,
)
from cadence.flows.machines.pushing import MOST_ITEMS, push

__all__ = [
    "KINDS",
    "MOST_ITEMS",
    "CheckItem",
    "ExceptionItem",
    "Item",
    "ItemResult",
    "Judged",
    "KpiItem",
    "RubricItem",
    "RunsItem",
    "push",
]
