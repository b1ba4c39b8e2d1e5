"""Training of champions: lessons, graded samples, and the agreement with the owner's grades."""

from cadence.flows.core import MessageKind

KINDS: tuple[MessageKind, ...] = ()

__all__ = ["KINDS"]
