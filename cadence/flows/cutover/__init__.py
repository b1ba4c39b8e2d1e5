"""After a pilot: the assessment, and the cutover from pilot to production."""

from cadence.flows.core import MessageKind

KINDS: tuple[MessageKind, ...] = ()

__all__ = ["KINDS"]
