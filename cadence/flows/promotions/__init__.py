"""Promotions: proposing and deciding them."""

from cadence.flows.promotions.decisions import GONE, approve, decline, decline_form
from cadence.flows.promotions.looks import last_look, promotion_lines
from cadence.flows.promotions.looks import numbers as promotion_numbers
from cadence.flows.promotions.posts import KINDS
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
    "KINDS",
    "Pool",
    "approve",
    "decline",
    "decline_form",
    "judge_again",
    "judge_promotions",
    "last_look",
    "look_again",
    "pool",
    "promotion_lines",
    "promotion_numbers",
    "rubric_in_force",
]
