"""What counts as evidence on a step, and what it implies about the true exception rate (SPEC §5)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Protocol

TYPICAL_ANSWERS = 4
"""A member's typical runs are the median of this many of their latest answers."""


@dataclass(frozen=True, slots=True)
class MemberWeek:
    """One member's week of runs.

    Args:
        runs: the attested runs, `None` before they answered.
        typical: the runs they usually report per week.
        measured: the runs of theirs that tools counted.
    """

    runs: int | None
    typical: float
    measured: int = 0


@dataclass(frozen=True, slots=True)
class TeamWeek:
    """A team's week of runs.

    Args:
        members: their weeks.
        unnamed: runs that tools counted without knowing whose they were.
    """

    members: tuple[MemberWeek, ...]
    unnamed: int = 0


class Counted(Protocol):
    """The counts of a verdict."""

    @property
    def exceptions(self) -> int:
        """Exceptions in the window."""

    @property
    def measured(self) -> int:
        """Runs that tools counted."""

    @property
    def attested(self) -> int:
        """Further runs that were reported."""

    @property
    def assumed(self) -> int:
        """Runs that were estimated."""


def runs_of(row: Counted) -> int:
    """N of some counts: never fewer than the exceptions, because each exception is a run."""
    return max(row.measured + row.attested + row.assumed, row.exceptions)


@dataclass(frozen=True, slots=True)
class Runs:
    """The three parts of N: runs that tools counted, further ones that people reported, and runs assumed for
    members of whom neither is known."""

    attested: int
    assumed: int
    measured: int = 0

    @property
    def total(self) -> int:
        """N, in runs of the workflow."""
        return self.measured + self.attested + self.assumed


def typical_runs(latest_answers: Sequence[int], *, runs_per_week: int, members: int) -> float:
    """A member's usual runs per week: the median of their last four answers (newest first).

    Without any answer: an even share of the playbook's `runs_per_week`.
    """
    if latest_answers:
        return float(median(latest_answers[:TYPICAL_ANSWERS]))
    return runs_per_week / max(members, 1)


def count_runs(weeks: Iterable[TeamWeek]) -> Runs:
    """Compute N. A member of whom nothing is known counts with their typical runs, never as zero.

    A run that was both measured and reported counts once, as measured: of a member's answer only what exceeds
    their measured runs is added. Once a tool counts runs without naming whose, its counts cover the whole
    team in that week: of all answers together only what exceeds all measured runs is added, and nothing is
    estimated. So a week's N is at least what tools counted, and at least what people reported.

    The assumed part is rounded once, at the end, so that even shares of 40 runs add up to 40; a fraction of a
    run is never rounded down to none.
    """
    measured, attested, assumed = 0, 0, 0.0
    for week in weeks:
        counted = week.unnamed + sum(one.measured for one in week.members)
        measured += counted
        if week.unnamed:
            attested += max(0, sum(one.runs or 0 for one in week.members) - counted)
            continue
        for one in week.members:
            if one.runs is not None:
                attested += max(0, one.runs - one.measured)
            elif not one.measured:
                assumed += one.typical
    return Runs(attested, max(int(assumed + 0.5), 1 if assumed > 0 else 0), measured)


def probability_above(cap: float, *, exceptions: int, runs: int) -> float:
    """P(true exception rate > cap) under the Jeffreys posterior Beta(x + ½, N − x + ½).

    Source: Brown, Cai & DasGupta (2001), "Interval estimation for a binomial proportion".

    Raises:
        ValueError: exceptions outside 0..runs, or a cap outside 0..1.
    """
    if not 0 <= exceptions <= runs:
        raise ValueError(f"{exceptions} exceptions in {runs} runs: the count must lie within 0 and the runs")
    if not 0 <= cap <= 1:
        raise ValueError(f"a cap of {cap} is not a share between 0 and 1")
    from scipy.special import betaincc  # noqa: PLC0415 - slow to load; most processes start without judging

    return float(betaincc(exceptions + 0.5, runs - exceptions + 0.5, cap))


def demotion_count(*, runs: int, cap: float, confidence: float, least: int) -> int | None:
    """The smallest number of exceptions (at least `least`) at which the evidence line demotes, for N runs.

    Each exception is a run, so for a count above N that count is the number of runs. `None` if even all runs
    being exceptions would not be enough.
    """

    def enough(exceptions: int) -> bool:
        return probability_above(cap, exceptions=exceptions, runs=max(runs, exceptions)) >= confidence

    low, high = least, max(runs, least)
    if not enough(high):
        return None
    while low < high:  # the probability rises with the count, so the first crossing can be bisected
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return low
