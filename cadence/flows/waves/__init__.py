"""Waves of teams: planning, opening, requests from teams, and teams side by side."""

from cadence.flows.waves import comparing, shown
from cadence.flows.waves.adapting import (
    AdaptGiven,
    adapt_form,
    adapt_part,
    adaptable_in,
    compare_parts,
    part_typed,
)
from cadence.flows.waves.comparing import compare, post_comparison
from cadence.flows.waves.decisions import waves_to_open, waves_to_plan
from cadence.flows.waves.opening import WaveHeld, open_wave, wave_anyway_form
from cadence.flows.waves.phases import Phase, phase_of, phases_of, rollout_phases, wave_line
from cadence.flows.waves.planning import (
    GONE,
    WaveGiven,
    cancel_wave,
    confirm_team,
    plan_wave,
    planned_wave,
    wave_form,
    wave_team_form,
)
from cadence.flows.waves.requests import (
    REQUESTED,
    NeedsRequestForm,
    RequestGiven,
    request_form,
    request_playbook,
    take_back_request,
)
from cadence.flows.waves.shown import show_waves, wave_to_show
from cadence.flows.waves.standing import wave_standing

KINDS = (REQUESTED, *shown.KINDS, *comparing.KINDS)

__all__ = [
    "GONE",
    "KINDS",
    "AdaptGiven",
    "NeedsRequestForm",
    "Phase",
    "RequestGiven",
    "WaveGiven",
    "WaveHeld",
    "adapt_form",
    "adapt_part",
    "adaptable_in",
    "cancel_wave",
    "compare",
    "compare_parts",
    "confirm_team",
    "open_wave",
    "part_typed",
    "phase_of",
    "phases_of",
    "plan_wave",
    "planned_wave",
    "post_comparison",
    "request_form",
    "request_playbook",
    "rollout_phases",
    "show_waves",
    "take_back_request",
    "wave_anyway_form",
    "wave_form",
    "wave_line",
    "wave_standing",
    "wave_team_form",
    "wave_to_show",
    "waves_to_open",
    "waves_to_plan",
]
