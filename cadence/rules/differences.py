"""Whether what people reported about a week contradicts what tools counted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

SHARE = 0.20
"""Counts contradict each other if they differ by more than this share of the larger one…"""
RUNS = 2
"""…and by at least this many runs: among few runs one is a large share."""
Counted = Mapping[str, int]
"""Runs that tools counted, by step; "" for runs that went through every step."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Two counts of the same runs that contradict each other; `member` is "" for those of the team."""

    member: str
    reported: int
    measured: int


def differ(reported: int, measured: int) -> bool:
    """Whether two counts of the same runs contradict each other."""
    apart, larger = abs(reported - measured), max(reported, measured)
    return apart >= RUNS and apart > SHARE * larger


def runs_of_workflow(counted: Counted) -> int:
    """The runs of the workflow behind counts per step: those of every step, and of the step that ran most.

    A run needn't reach each step, so the step that ran most shows the fewest runs there were.
    """
    every = counted.get("", 0)
    return every + max((runs for step, runs in counted.items() if step), default=0)


def differences(
    reported: Mapping[str, int], measured: Mapping[str, Counted], *, expected: Collection[str]
) -> tuple[Difference, ...]:
    """The contradictions of a week, by member.

    Members of whom tools counted nothing may not use them, so there is nothing to compare. Once a tool
    counted runs without naming whose, only the sums of the team can be compared, and only if everybody has
    answered.

    Args:
        reported: the runs of those who answered, by member.
        measured: the runs that tools counted, by member and step; the member "" if they don't know whose.
        expected: the members who were asked.
    """
    if any(measured.get("", {}).values()):
        if not expected or set(expected) - reported.keys():
            return ()
        sums: dict[str, int] = {}
        for counted in measured.values():
            for step, runs in counted.items():
                sums[step] = sums.get(step, 0) + runs
        pairs = [Difference("", sum(reported.values()), runs_of_workflow(sums))]
    else:
        pairs = [
            Difference(member, reported[member], runs_of_workflow(measured[member]))
            for member in sorted(reported.keys() & measured.keys())
            if any(measured[member].values())
        ]
    return tuple(one for one in pairs if differ(one.reported, one.measured))
