"""Spot audits: which attested runs are drawn for grading, and where in the week they are (SPEC §6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from hashlib import sha256
from heapq import nsmallest
from typing import Final

Attested = tuple[str, int]
"""A member and a count of runs, or a member and the number of one of their runs, from 1."""

DAYS_DRAWN_FROM: Final = 4
"""Monday to Thursday: the days that are over when runs are drawn on Friday."""


@dataclass(frozen=True, slots=True)
class PlaceInWeek:
    """Where to look for a run: the day, and its number among that member's runs on that day, from 1."""

    day: date
    order: int


class Grade(StrEnum):
    """A person's grade of one run."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    RISKY_PASS = "risky-pass"  # noqa: S105 - nor this
    RISKY_FAIL = "risky-fail"

    @property
    def passed(self) -> bool:
        """Whether it met every criterion of the rubric."""
        return self in (Grade.PASS, Grade.RISKY_PASS)

    @property
    def risky(self) -> bool:
        """Whether it could have done harm, passed or not."""
        return self in (Grade.RISKY_PASS, Grade.RISKY_FAIL)


def draw(population: Sequence[Attested], *, sample: int, seed: str) -> tuple[Attested, ...]:
    """Draw runs at random without replacement: every run is equally likely, and never more than there are.

    Each run is ranked by SHA-256 of the seed and its name, and the lowest ranks are drawn. So the same seed
    and population always give the same draw, on any machine.

    Args:
        population: members, each with how many runs they attested.
        sample: how many runs to draw.
        seed: makes the draw reproducible.

    Returns:
        (member, number of the run) pairs, in the order of the population.

    Raises:
        ValueError: counts below 0, or a member twice.
    """
    if sample < 0 or any(runs < 0 for _, runs in population):
        raise ValueError(f"{sample} runs can't be drawn from {population}")
    if len({member for member, _ in population}) < len(population):
        raise ValueError(f"a member is in {population} twice")
    every = [(member, number) for member, runs in population for number in range(1, runs + 1)]
    drawn = set(nsmallest(sample, every, key=lambda run: _rank(seed, *run)))
    return tuple(run for run in every if run in drawn)


def drawable(population: Sequence[Attested], *, grader: str) -> list[Attested]:
    """The runs that a person can be asked to grade: everybody's but their own."""
    return [(member, runs) for member, runs in population if member != grader]


def place_in_week(number: int, runs: int, *, week_start: date) -> PlaceInWeek:
    """Where to look for a member's run: reports have no times, so runs are spread evenly over the days.

    Args:
        number: which of the member's runs of the week, from 1.
        runs: how many the member reported for the week.
        week_start: its Monday.

    Raises:
        ValueError: no such run.
    """
    if not 1 <= number <= runs:
        raise ValueError(f"{runs} runs have no number {number}")
    day = _day(number, runs)
    order = sum(_day(other, runs) == day for other in range(1, number + 1))
    return PlaceInWeek(week_start + timedelta(days=day), order)


def _day(number: int, runs: int) -> int:
    return (number - 1) * DAYS_DRAWN_FROM // runs


def _rank(seed: str, member: str, number: int) -> bytes:
    return sha256(f"{seed}\0{member}\0{number}".encode()).digest()
