"""What a message says when it is sent, and what became of it."""

from cadence.flows.outbox.composing import compose
from cadence.flows.outbox.deliveries import Asked, DeliveriesSeen, deliveries_of
from cadence.flows.outbox.outbox import AHEAD, Outbox, Pace, Turn, may_post

__all__ = [
    "AHEAD",
    "Asked",
    "DeliveriesSeen",
    "Outbox",
    "Pace",
    "Turn",
    "compose",
    "deliveries_of",
    "may_post",
]
