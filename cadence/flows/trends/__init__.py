"""Adoptions watched for months after their last cycle: deepening, plateau, decline."""

from cadence.flows.trends import months, posts
from cadence.flows.trends.courses import course_of, judge_courses, judge_due_courses, watched_now
from cadence.flows.trends.months import ask_months
from cadence.flows.trends.posts import course_lines, named_in, tell_course
from cadence.flows.trends.value import value_line, value_total, worth_of_cycles

KINDS = (*posts.KINDS, *months.KINDS)

__all__ = [
    "KINDS",
    "ask_months",
    "course_lines",
    "course_of",
    "judge_courses",
    "judge_due_courses",
    "named_in",
    "tell_course",
    "value_line",
    "value_total",
    "watched_now",
    "worth_of_cycles",
]
