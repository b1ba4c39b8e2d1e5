"""What a step's automated check found, as a line next to people's grades; it is no graded sample."""

from storage.queries import machines
from storage.tables import Cycle
from storage.work import UnitOfWork


def check_line(uow: UnitOfWork, cycle: Cycle | None, *, step: str) -> str:
    """`Automated check “policy-lint”: 211 of 214 passed in cycle 2`; empty without results."""
    if cycle is None:
        return ""
    found = machines.checked(uow, adoption_id=cycle.adoption_id, cycle_id=cycle.id or 0)
    return " · ".join(
        f"Automated check “{one.name}”: {one.passes:,} of {one.samples:,} passed in cycle {cycle.number}"
        for one in found
        if one.step == step
    )
