"""Teams that adopt a playbook."""

from cadence.flows.adoption.adopting import AdoptionGiven, NeedsForm, adopt, adopt_form
from cadence.flows.adoption.capacity import KINDS, CapacityFull, capacity_form, require_capacity
from cadence.flows.adoption.origins import origin_value, standing
from cadence.flows.adoption.settings import AdoptionSettings, adoption_form, save_adoption

__all__ = [
    "KINDS",
    "AdoptionGiven",
    "AdoptionSettings",
    "CapacityFull",
    "NeedsForm",
    "adopt",
    "adopt_form",
    "adoption_form",
    "capacity_form",
    "origin_value",
    "require_capacity",
    "save_adoption",
    "standing",
]
