"""Status, registry, digest and Home."""

from cadence.flows.overview.digests import KINDS, show_digest
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
)
from cadence.flows.overview.registry import show_registry
from cadence.flows.overview.statuses import status, why, why_form, why_math

__all__ = [
    "KINDS",
    "Claimed",
    "HomePace",
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
]
