"""Before a pilot: the case and the pillars, judged by a curator; which draft comes next; duties."""

from cadence.flows.core import MessageKind

KINDS: tuple[MessageKind, ...] = ()

__all__ = ["KINDS"]
