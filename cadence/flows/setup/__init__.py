"""The checklist of a team that adopts a playbook."""

from cadence.flows.setup.checklists import (
    CHAMPION,
    KINDS,
    SETUP,
    ItemsOpen,
    check_off,
    checklist,
    checklist_form,
    finish_setup,
    first_run,
    minutes_of,
    start_setup,
    tick,
)

__all__ = [
    "CHAMPION",
    "KINDS",
    "SETUP",
    "ItemsOpen",
    "check_off",
    "checklist",
    "checklist_form",
    "finish_setup",
    "first_run",
    "minutes_of",
    "start_setup",
    "tick",
]
