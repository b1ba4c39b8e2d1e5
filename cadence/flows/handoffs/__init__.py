"""Handoffs between teams."""

from cadence.flows.handoffs.answers import Verb, accept, fail, fail_form, finish, which, withdraw
from cadence.flows.handoffs.contracts import HandedOver, handed_over
from cadence.flows.handoffs.fallbacks import settle
from cadence.flows.handoffs.lists import show_handoffs, status_lines
from cadence.flows.handoffs.posts import KINDS, handoff_lines
from cadence.flows.handoffs.sending import GONE, HandoffGiven, WhichContract, handoff_form, send_handoff

__all__ = [
    "GONE",
    "KINDS",
    "HandedOver",
    "HandoffGiven",
    "Verb",
    "WhichContract",
    "accept",
    "fail",
    "fail_form",
    "finish",
    "handed_over",
    "handoff_form",
    "handoff_lines",
    "send_handoff",
    "settle",
    "show_handoffs",
    "status_lines",
    "which",
    "withdraw",
]
