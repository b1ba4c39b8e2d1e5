"""When nudges are due: hours, and whom a run asks."""

from cadence.flows.schedule.rollouts import Scope, parts, rollout, rollout_of

__all__ = [
    "Scope",
    "parts",
    "rollout",
    "rollout_of",
]
