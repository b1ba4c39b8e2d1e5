"""Before a pilot: the case and the pillars, judged by a curator; which draft comes next; duties."""

from cadence.flows.pilots.duties import DUTIES, OwnersGiven, duties_of, name_owners, owners_form
from cadence.flows.pilots.needs import pilot_decisions, pilot_needs
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
from storage.tables import DutyKind

__all__ = [
    "KINDS",
    "DutyKind",
    "FirstCyclesFull",
    "NotApproved",
    "OwnersGiven",
    "PilotRef",
    "approve_pilot",
    "ask_review",
    "duties_of",
    "first_cycles_form",
    "name_owners",
    "owners_form",
    "pilot_decisions",
    "pilot_needs",
    "pilot_overview",
    "require_approved",
    "require_first_cycle_room",
    "review_form",
    "send_back",
    "send_back_form",
    "show_pilot",
]

KINDS = (*REVIEWS, OVERRIDDEN, *DUTIES)
