"""Cycles: starting, pausing, submitting, closing."""

from cadence.flows.cycles.closing import (
    close_due_cycles,
    closing_instants,
    cycle_chart,
    cycle_closed,
    next_start,
)
from cadence.flows.cycles.moving import MoveGiven, move, move_form, moved
from cadence.flows.cycles.pausing import WhichRun, ask_which, close_by_hand, pause
from cadence.flows.cycles.shown import show_cycle, step_evidence, steps_at_close
from cadence.flows.cycles.starting import CycleGiven, start_cycle
from cadence.flows.cycles.submitting import (
    NextTeamGiven,
    name_next_team,
    next_team_form,
    submit,
    submitted_post,
)

__all__ = [
    "CycleGiven",
    "MoveGiven",
    "NextTeamGiven",
    "WhichRun",
    "ask_which",
    "close_by_hand",
    "close_due_cycles",
    "closing_instants",
    "cycle_chart",
    "cycle_closed",
    "move",
    "move_form",
    "moved",
    "name_next_team",
    "next_start",
    "next_team_form",
    "pause",
    "show_cycle",
    "start_cycle",
    "step_evidence",
    "steps_at_close",
    "submit",
    "submitted_post",
]
