"""Adoptions watched for months after their last cycle: deepening, plateau, decline."""

from cadence.flows.core import MessageKind

KINDS: tuple[MessageKind, ...] = ()

__all__ = ["KINDS"]
