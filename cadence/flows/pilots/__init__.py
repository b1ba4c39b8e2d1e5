"""Before a pilot: the case and the pillars, judged by a curator; which draft comes next; duties."""

from cadence.flows.pilots.duties import duties_of
from cadence.flows.pilots.requirements import (
    OVERRIDDEN,
    FirstCyclesFull,
    NotApproved,
    first_cycles_form,
    require_approved,
    require_first_cycle_room,
)
from cadence.flows.pilots.reviewing import (
    REVIEWS,
    PilotRef,
    approve_pilot,
    ask_review,
    pilot_overview,
    review_form,
    send_back,
    send_back_form,
    show_pilot,
)

__all__ = [
    "KINDS",
    "FirstCyclesFull",
    "NotApproved",
    "PilotRef",
    "approve_pilot",
    "ask_review",
    "duties_of",
    "first_cycles_form",
    "pilot_overview",
    "require_approved",
    "require_first_cycle_room",
    "review_form",
    "send_back",
    "send_back_form",
    "show_pilot",
]

KINDS = (*REVIEWS, OVERRIDDEN)
