"""When a champion counts as trained (SPEC §6: ran the checklist, read the lessons, graded the samples)."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from cadence.rules.percent import exact

AGREEMENT: Final = 0.80
"""Least share of the training samples on which the champion's grade equals the owner's."""
LEAST_SAMPLES: Final = 5
"""Samples that the champion of a team in a wave grades, at least: with fewer, agreement says little."""


class Lacking(StrEnum):
    """What a champion still has to do, or needs, in the order in which it is shown."""

    CHAMPION = "champion"
    CHECKLIST = "checklist"
    LESSONS = "lessons"
    SAMPLES = "samples"
    GRADES = "grades"
    AGREEMENT = "agreement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A champion's training so far.

    Args:
        has_champion: somebody in the team is the champion.
        lessons_read: also true if there are no lessons.
        samples: current training samples; `graded` of them by the champion, `agreed` like the owner.
        least: the fewest samples needed, 0 outside waves.
    """

    has_champion: bool = True
    checklist_done: bool
    lessons_read: bool
    samples: int
    graded: int
    agreed: int
    least: int = 0


def agrees(agreed: int, samples: int) -> bool:
    """Whether a champion agrees with the owner: at least 80% of all samples, exactly. True without samples."""
    return samples == 0 or Fraction(agreed, samples) >= exact(AGREEMENT)


def lacking(progress: Progress) -> tuple[Lacking, ...]:
    """Return what is missing until a champion is trained; empty once they are.

    Policy (SPEC §6): the checklist is finished, the lessons are read, every current sample is graded, at least
    80% of the grades equal the owner's, and there are enough samples to say so. Agreement is judged once
    all samples are graded.
    """
    complete = progress.graded >= progress.samples
    found = {
        Lacking.CHAMPION: not progress.has_champion,
        Lacking.CHECKLIST: not progress.checklist_done,
        Lacking.LESSONS: not progress.lessons_read,
        Lacking.SAMPLES: progress.samples < progress.least,
        Lacking.GRADES: not complete,
        Lacking.AGREEMENT: complete and not agrees(progress.agreed, progress.samples),
    }
    return tuple(one for one, missing in found.items() if missing)
