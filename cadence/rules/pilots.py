"""Which draft is piloted next, and how many teams change at once. Source: SPEC §6, "What comes next".

A draft's rank is frequency × friction × structure, each 1 to 5: work that comes often, hurts, and has inputs
that a tool can read. Equal ranks go by what a value event is worth, then by age. Money and time can't be
compared, so money comes first, then time, then drafts without a worth.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

FREQUENCY: Final = ("rarely", "every month", "every week", "every day", "all day")
"""How often the work comes, from 1 to 5."""
FRICTION: Final = ("barely", "a little", "noticeably", "a lot", "badly")
"""How much it hurts today, from 1 to 5."""
STRUCTURE: Final = (
    "free-form",
    "loosely structured",
    "partly structured",
    "well structured",
    "fully structured",
)
"""How structured its inputs are, from 1 to 5."""
MOST_POINTS: Final = 5**3
FIRST_CYCLES: Final = 5
"""First cycles that run at once in a workspace, unless its settings say otherwise."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What one value event is worth: money, or time in minutes."""

    amount: float
    is_money: bool


@dataclass(frozen=True, slots=True)
class Case:
    """Why a workflow comes next: three answers from 1 to 5, None while they aren't given.

    Args:
        since: when the draft was created.
    """

    frequency: int | None
    friction: int | None
    structure: int | None
    since: datetime
    worth: Worth | None = None

    @property
    def points(self) -> int | None:
        """Frequency × friction × structure, 1 to 125; None while an answer is missing."""
        if self.frequency is None or self.friction is None or self.structure is None:
            return None
        return self.frequency * self.friction * self.structure

    @property
    def reason(self) -> str:
        """The answers in words: `comes all day, hurts a lot, inputs well structured`; empty without any."""
        parts = (
            self.frequency and f"comes {FREQUENCY[self.frequency - 1]}",
            self.friction and hurts(self.friction),
            self.structure and f"inputs {STRUCTURE[self.structure - 1]}",
        )
        return ", ".join(part for part in parts if part)


def hurts(friction: int) -> str:
    """Friction as a phrase: `hurts a lot`."""
    word = FRICTION[friction - 1]
    return f"{word} hurts" if friction == 1 else f"hurts {word}"


def ranked(cases: Iterable[tuple[int, Case]]) -> list[int]:
    """The keys of the cases, the one to pilot first at the top; unfinished cases last, oldest first."""
    return [key for key, case in sorted(cases, key=lambda one: (_order(one[1]), one[0]))]


def _order(case: Case) -> tuple[int, int, float, datetime]:
    worth = case.worth
    kind = 2 if worth is None else 0 if worth.is_money else 1
    if case.points is None:
        return 0, 2, 0.0, case.since
    return -case.points, kind, -(worth.amount if worth else 0.0), case.since


@dataclass(frozen=True, slots=True)
class Room:
    """Whether another first cycle can start.

    Args:
        allowed: whether it can.
        full: whether the limit is reached; then only an override allows another.
        running: first cycles that run at that time.
        limit: the maximum.
        overridden: whether a curator overrode the limit.
    """

    allowed: bool
    full: bool
    running: int
    limit: int
    overridden: bool


def room(running: int, *, limit: int = FIRST_CYCLES, overridden: bool = False) -> Room:
    """Decide whether another team can start its first cycle: people can take in only so much change at once."""
    full = running >= limit
    return Room(overridden or not full, full, running, limit, overridden)
