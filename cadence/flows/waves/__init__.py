"""Waves of teams: planning, opening, requests from teams, and teams side by side."""

from cadence.flows.core import MessageKind
from cadence.flows.waves.phases import Phase, phase_of, wave_line

KINDS: tuple[MessageKind, ...] = ()

__all__ = ["KINDS", "Phase", "phase_of", "wave_line"]
