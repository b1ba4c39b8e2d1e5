"""The checklist of a team that adopts a playbook."""

from cadence.flows.setup.checklists import (
    asked,
    champion,
    checklist,
    finish_setup,
    first_run,
    minutes_of,
    ready,
    rewrite,
    set_up,
    setup,
    start_setup,
    tick,
)

__all__ = [
    "asked",
    "champion",
    "checklist",
    "finish_setup",
    "first_run",
    "minutes_of",
    "ready",
    "rewrite",
    "set_up",
    "setup",
    "start_setup",
    "tick",
]
