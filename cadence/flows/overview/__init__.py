"""Status, registry, digest and Home."""

from cadence.flows.overview import digest_chart, process
from cadence.flows.overview.digests import show_digest
from cadence.flows.overview.homes import (
    Claimed,
    HomePace,
    claim,
    claim_opened,
    digest_of,
    note_click,
    note_failed,
    note_pause,
    note_shown,
    spread,
    turn_page,
    waiting,
    with_changed_homes,
)
from cadence.flows.overview.process import ask_process
from cadence.flows.overview.registry import show_registry
from cadence.flows.overview.statuses import status, why, why_form, why_math

KINDS = (*digest_chart.KINDS, *process.KINDS)

__all__ = [
    "KINDS",
    "Claimed",
    "HomePace",
    "ask_process",
    "claim",
    "claim_opened",
    "digest_of",
    "note_click",
    "note_failed",
    "note_pause",
    "note_shown",
    "show_digest",
    "show_registry",
    "spread",
    "status",
    "turn_page",
    "waiting",
    "why",
    "why_form",
    "why_math",
    "with_changed_homes",
]
