"""Promotions: proposing and deciding them."""

from cadence.flows.promotions.decisions import GONE, approve, decline, decline_form
from cadence.flows.promotions.posts import declined, last_look, promoted, promotion_lines, proposal, proposed
from cadence.flows.promotions.proposing import (
    Pool,
    judge_again,
    judge_promotions,
    look_again,
    pool,
    rubric_in_force,
)

__all__ = [
    "GONE",
    "Pool",
    "approve",
    "decline",
    "decline_form",
    "declined",
    "judge_again",
    "judge_promotions",
    "last_look",
    "look_again",
    "pool",
    "promoted",
    "promotion_lines",
    "proposal",
    "proposed",
    "rubric_in_force",
]
