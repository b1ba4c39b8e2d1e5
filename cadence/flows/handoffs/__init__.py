"""Handoffs between teams."""

from cadence.flows.handoffs.answers import Verb, accept, fail, fail_form, finish, which, withdraw
from cadence.flows.handoffs.contracts import handed_over
from cadence.flows.handoffs.lists import show_handoffs, status_lines
from cadence.flows.handoffs.posts import answered, handoff_lines, post, posted
from cadence.flows.handoffs.sending import GONE, HandoffGiven, WhichContract, handoff_form, send_handoff

__all__ = [
    "GONE",
    "HandoffGiven",
    "Verb",
    "WhichContract",
    "accept",
    "answered",
    "fail",
    "fail_form",
    "finish",
    "handed_over",
    "handoff_form",
    "handoff_lines",
    "post",
    "posted",
    "send_handoff",
    "show_handoffs",
    "status_lines",
    "which",
    "withdraw",
]
