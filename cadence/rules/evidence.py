"""What counts as evidence on a step, and what it implies about the true exception rate (SPEC §5)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

TYPICAL_ANSWERS = 4
"""A member's typical runs are the median of this many of their latest answers."""


@dataclass(frozen=True, slots=True)
class MemberWeek:
    """One member's week of runs.

    Args:
        runs: the attested runs, `None` before they answered.
        typical: the runs they usually report per week.
    """

    runs: int | None
    typical: float


@dataclass(frozen=True, slots=True)
class Runs:
    """The two parts of N: attested runs, and runs assumed for members who haven't answered."""

    attested: int
    assumed: int

    @property
    def total(self) -> int:
        """N, in runs of the workflow."""
        return self.attested + self.assumed


def typical_runs(latest_answers: Sequence[int], *, runs_per_week: int, members: int) -> float:
    """A member's usual runs per week: the median of their last four answers (newest first).

    Without any answer: an even share of the playbook's `runs_per_week`.
    """
    if latest_answers:
        return float(median(latest_answers[:TYPICAL_ANSWERS]))
    return runs_per_week / max(members, 1)


def count_runs(member_weeks: Iterable[MemberWeek]) -> Runs:
    """Compute N. A missing answer counts with the member's typical runs, never as zero.

    The assumed part is rounded once, at the end, so that even shares of 40 runs add up to 40; a fraction of a
    run is never rounded down to none.
    """
    attested, assumed = 0, 0.0
    for week in member_weeks:
        if week.runs is None:
            assumed += week.typical
        else:
            attested += week.runs
    return Runs(attested, max(int(assumed + 0.5), 1 if assumed > 0 else 0))


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
