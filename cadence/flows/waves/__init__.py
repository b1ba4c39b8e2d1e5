"""Waves of teams: planning, opening, requests from teams, and teams side by side."""

from cadence.flows.core import MessageKind

KINDS: tuple[MessageKind, ...] = ()

__all__ = ["KINDS"]
