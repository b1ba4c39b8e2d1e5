"""When nudges are due: hours, and which members are expected."""

from cadence.flows.schedule.rollouts import Scope, parts, rollout, rollout_of

__all__ = [
    "Scope",
    "parts",
    "rollout",
    "rollout_of",
]
