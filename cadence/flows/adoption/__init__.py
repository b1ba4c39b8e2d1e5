"""Teams taking up a playbook."""

from cadence.flows.adoption.adopting import AdoptionGiven, NeedsForm, adopt, adopt_form
from cadence.flows.adoption.capacity import CapacityFull, capacity_form, overridden, require_capacity
from cadence.flows.adoption.origins import origin_value, standing
from cadence.flows.adoption.settings import AdoptionSettings, adoption_form, save_adoption

__all__ = [
    "AdoptionGiven",
    "AdoptionSettings",
    "CapacityFull",
    "NeedsForm",
    "adopt",
    "adopt_form",
    "adoption_form",
    "capacity_form",
    "origin_value",
    "overridden",
    "require_capacity",
    "save_adoption",
    "standing",
]
