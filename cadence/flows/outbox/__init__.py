"""Composing messages when they are sent, and recording the outcome."""

from cadence.flows.outbox.composing import KINDS, compose, is_alert
from cadence.flows.outbox.deliveries import Asked, DeliveriesSeen, deliveries_of
from cadence.flows.outbox.outbox import AHEAD, Claim, Outbox, Pace, may_post

__all__ = [
    "AHEAD",
    "KINDS",
    "Asked",
    "Claim",
    "DeliveriesSeen",
    "Outbox",
    "Pace",
    "compose",
    "deliveries_of",
    "is_alert",
    "may_post",
]
