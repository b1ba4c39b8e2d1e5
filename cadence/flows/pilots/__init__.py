"""Before a pilot: the case and the pillars, judged by a curator; which draft comes next; duties."""

from cadence.flows.pilots.duties import duties_of
from cadence.flows.pilots.requirements import (
    KINDS,
    FirstCyclesFull,
    NotApproved,
    first_cycles_form,
    require_approved,
    require_first_cycle_room,
)

__all__ = [
    "KINDS",
    "FirstCyclesFull",
    "NotApproved",
    "duties_of",
    "first_cycles_form",
    "require_approved",
    "require_first_cycle_room",
]
