"""Teams that adopt a playbook."""

from cadence.flows.adoption.access import ACCESS_OVERRIDDEN, NeedsWave, let_in_form
from cadence.flows.adoption.adopting import (
    AdoptionGiven,
    NeedsForm,
    adopt,
    adopt_form,
    adopt_in_wave,
    require_adoptable,
)
from cadence.flows.adoption.capacity import CAPACITY_OVERRIDDEN, CapacityFull, capacity_form, require_capacity
from cadence.flows.adoption.origins import origin_value, standing
from cadence.flows.adoption.settings import AdoptionSettings, adoption_form, save_adoption

__all__ = [
    "KINDS",
    "AdoptionGiven",
    "AdoptionSettings",
    "CapacityFull",
    "NeedsForm",
    "NeedsWave",
    "adopt",
    "adopt_form",
    "adopt_in_wave",
    "adoption_form",
    "capacity_form",
    "let_in_form",
    "origin_value",
    "require_adoptable",
    "require_capacity",
    "save_adoption",
    "standing",
]

KINDS = (CAPACITY_OVERRIDDEN, ACCESS_OVERRIDDEN)
