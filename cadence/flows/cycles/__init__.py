"""Cycles: starting, pausing, watching, submitting, closing."""

from cadence.flows.cycles.announcing import STARTED
from cadence.flows.cycles.closing import (
    CHART,
    CLOSED,
    close_due_cycles,
    closing_instants,
    due_cycles,
    next_start,
)
from cadence.flows.cycles.moving import MOVED, MoveGiven, move, move_form
from cadence.flows.cycles.pausing import WhichRun, ask_which, close_by_hand, pause, resume_by_hand
from cadence.flows.cycles.resuming import KINDS as PAUSES
from cadence.flows.cycles.shown import show_cycle
from cadence.flows.cycles.starting import (
    CycleGiven,
    cycle_form,
    over_limit_form,
    start_cycle,
)
from cadence.flows.cycles.submitting import SUBMITTED, NextTeamGiven, name_next_team, next_team_form, submit
from cadence.flows.cycles.watching import watch

__all__ = [
    "KINDS",
    "CycleGiven",
    "MoveGiven",
    "NextTeamGiven",
    "WhichRun",
    "ask_which",
    "close_by_hand",
    "close_due_cycles",
    "closing_instants",
    "cycle_form",
    "due_cycles",
    "move",
    "move_form",
    "name_next_team",
    "next_start",
    "next_team_form",
    "over_limit_form",
    "pause",
    "resume_by_hand",
    "show_cycle",
    "start_cycle",
    "submit",
    "watch",
]

KINDS = (STARTED, *PAUSES, CLOSED, CHART, SUBMITTED, MOVED)
