"""What teams learned."""

from cadence.flows.lessons.lessons import LessonGiven, learn, learn_form, of_cycle, recent

__all__ = [
    "LessonGiven",
    "learn",
    "learn_form",
    "of_cycle",
    "recent",
]
