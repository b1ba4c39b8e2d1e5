"""What a playbook needs to go from pilot to production: required and measured, side by side (SPEC §6)."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from cadence.rules.percent import exact

INPUTS: Final = 0.95
"""Least share of the pilot's runs whose inputs were complete."""
ADOPTION: Final = 0.80
"""Least share of the expected check-ins that came in."""
DUTIES: Final = ("rules", "updates", "exceptions", "adoption", "training")
"""What needs a person each before a playbook runs in production: the owners by name."""


class Requirement(StrEnum):
    """A requirement of the cutover, in the order in which it is shown."""

    INPUTS = "inputs"
    ACCURACY = "accuracy"
    ADOPTION = "adoption"
    OWNERSHIP = "ownership"
    ASSESSMENT = "assessment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured in the pilot's last closed cycle.

    Args:
        complete: runs with complete inputs, of `asked` runs in check-ins that answered the question.
        passes: graded samples that passed by the rubric in force, of `samples`.
        threshold: of the rubric, 0 to 1; None without a rubric.
        attested: check-ins that came in time, of `expected`.
        named: those of `DUTIES` that have a person.
        assessed: the owner answered the assessment, and every practice is sorted.
    """

    complete: int
    asked: int
    passes: int
    samples: int
    threshold: float | None
    attested: int
    expected: int
    named: frozenset[str]
    assessed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One requirement with its numbers: `count` of `total` measured, `needed` as a share, 0 to 1.

    `needed` is None if no share can be required: the playbook has no rubric.
    """

    requirement: Requirement
    needed: float | None
    count: int
    total: int
    met: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """Every requirement; the cutover needs them all."""

    lines: tuple[Line, ...]

    @property
    def met(self) -> bool:
        """Whether every requirement is met."""
        return all(line.met for line in self.lines)

    @property
    def missing(self) -> tuple[Requirement, ...]:
        """The requirements that aren't met."""
        return tuple(line.requirement for line in self.lines if not line.met)


def judge_cutover(figures: Figures) -> Verdict:
    """Compare what a pilot measured with what production needs.

    Policy (SPEC §6): inputs complete in at least 95% of the runs that were asked about, the rubric's threshold
    reached by the graded samples, at least 80% of expected check-ins, a person for each of the
    five duties, and the assessment answered. Nothing measured is never met. Shares are compared exactly.
    """
    named = sum(1 for duty in DUTIES if duty in figures.named)
    return Verdict(
        (
            _share(Requirement.INPUTS, INPUTS, figures.complete, figures.asked),
            _share(Requirement.ACCURACY, figures.threshold, figures.passes, figures.samples),
            _share(Requirement.ADOPTION, ADOPTION, figures.attested, figures.expected),
            _share(Requirement.OWNERSHIP, 1.0, named, len(DUTIES)),
            _share(Requirement.ASSESSMENT, 1.0, int(figures.assessed), 1),
        )
    )


def _share(requirement: Requirement, needed: float | None, count: int, total: int) -> Line:
    met = needed is not None and total > 0 and Fraction(count, total) >= exact(needed)
    return Line(requirement=requirement, needed=needed, count=count, total=total, met=met)
