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
    sentence_of,
)
from cadence.flows.machines.pushing import MOST_ITEMS, Turn, push
from cadence.flows.machines.reading import (
    MOST_ROWS,
    EvidencePage,
    RegistryPage,
    StatusAnswer,
    VerdictPage,
    Wanted,
    read_evidence,
    read_registry,
    read_status,
    read_verdicts,
)
from cadence.flows.machines.workflows import report_runs

__all__ = [
    "KINDS",
    "MOST_ITEMS",
    "MOST_ROWS",
    "CheckItem",
    "EvidencePage",
    "ExceptionItem",
    "Item",
    "ItemResult",
    "Judged",
    "KpiItem",
    "RegistryPage",
    "RubricItem",
    "RunsItem",
    "StatusAnswer",
    "Turn",
    "VerdictPage",
    "Wanted",
    "push",
    "read_evidence",
    "read_registry",
    "read_status",
    "read_verdicts",
    "report_runs",
    "sentence_of",
]
