"""Adoptions watched for months after their last cycle: deepening, plateau, decline."""

from cadence.flows.core import MessageKind
from cadence.flows.trends.courses import course_of, judge_courses, judge_due_courses

KINDS: tuple[MessageKind, ...] = ()

__all__ = ["KINDS", "course_of", "judge_courses", "judge_due_courses"]
