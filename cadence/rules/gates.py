"""What each week of a cycle must have produced, according to the bot's own data (SPEC §3).

A gate is a list of checks. Missing items are data; the message has the words and the button. A missed gate
blocks nothing; it is reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cadence.rules.kpi import READINGS_NEEDED


class Item(StrEnum):
    """One thing a gate asks for."""

    BASELINE = "baseline"
    TARGET = "target"
    MODE_MAP = "mode map"
    OWNER = "owner"
    CHAMPION = "champion"
    RUN = "run"
    RUBRIC_RESULT = "rubric result"
    PACKAGE = "package"
    EXCEPTION_REASONS = "exception reasons"
    NEXT_TEAM = "next team"
    DELTAS = "deltas"
    SUBMITTED = "submitted"


class Doer(StrEnum):
    """The lowest role of SPEC §8 that can do it; higher roles can too."""

    MEMBER = "member"
    OWNER = "owner"


DOERS: Final[Mapping[Item, Doer]] = {
    Item.BASELINE: Doer.OWNER,
    Item.TARGET: Doer.OWNER,
    Item.MODE_MAP: Doer.OWNER,
    Item.OWNER: Doer.OWNER,
    Item.CHAMPION: Doer.OWNER,
    Item.RUN: Doer.MEMBER,
    Item.RUBRIC_RESULT: Doer.OWNER,
    Item.PACKAGE: Doer.OWNER,
    Item.EXCEPTION_REASONS: Doer.MEMBER,
    Item.NEXT_TEAM: Doer.OWNER,
    Item.DELTAS: Doer.MEMBER,
    Item.SUBMITTED: Doer.OWNER,
}
"""Who can do what a gate asks for: members check in, report numbers and give reasons; the owner does the
rest."""


@dataclass(frozen=True, slots=True)
class Check:
    """One item of a gate.

    Args:
        item: what is asked for.
        met: whether it is done.
        details: the missing parts, in the playbook's own words.
        count: the number counted, where a message shows it: of readings.
    """

    item: Item
    met: bool
    details: tuple[str, ...] = ()
    count: int | None = None

    @property
    def doer(self) -> Doer:
        """The role that can do it."""
        return DOERS[self.item]


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate of one week, 1 to 4, with every check in the order of SPEC §3."""

    week: int
    checks: tuple[Check, ...]

    @property
    def met(self) -> bool:
        """Whether every check is met."""
        return all(check.met for check in self.checks)

    @property
    def missing(self) -> tuple[Check, ...]:
        """The checks that aren't met."""
        return tuple(check for check in self.checks if not check.met)

    @property
    def done(self) -> tuple[Check, ...]:
        """The checks that are met."""
        return tuple(check for check in self.checks if check.met)


def week_one(
    *,
    baseline: float | None,
    target: float | None,
    mode_map_published: bool,
    owner: str | None,
    champion: str | None,
) -> Gate:
    """KPI with baseline and target; mode map published; owner and champion named.

    A baseline of 0 counts. `owner` and `champion` are member ids; an empty one means nobody.
    """
    return Gate(
        1,
        (
            Check(Item.BASELINE, baseline is not None),
            Check(Item.TARGET, target is not None),
            Check(Item.MODE_MAP, mode_map_published),
            Check(Item.OWNER, bool(owner)),
            Check(Item.CHAMPION, bool(champion)),
        ),
    )


def week_two(*, attested_runs: int, rubric_results: int) -> Gate:
    """At least one run attested and a rubric result recorded, both since the cycle started."""
    return Gate(
        2,
        (
            Check(Item.RUN, attested_runs > 0),
            Check(Item.RUBRIC_RESULT, rubric_results > 0),
        ),
    )


def week_three(*, package_gaps: tuple[str, ...], exceptions_without_reason: int) -> Gate:
    """Package complete; every open exception has a reason.

    Args:
        package_gaps: missing parts of the package, for display.
        exceptions_without_reason: open exceptions of the cycle without a reason.
    """
    return Gate(
        3,
        (
            Check(Item.PACKAGE, not package_gaps, details=package_gaps),
            Check(Item.EXCEPTION_REASONS, exceptions_without_reason == 0),
        ),
    )


def week_four(
    *,
    next_team: str | None,
    reason_for_none: str | None,
    readings: int,
    submitted: bool,
    readings_needed: int = READINGS_NEEDED,
) -> Gate:
    """Next team or a reason for none; deltas recorded; submitted to the registry.

    Args:
        next_team: the chosen team.
        reason_for_none: why there is no next team; a blank text is no reason.
        readings: the cycle's readings, from which the delta is computed.
        submitted: whether this cycle was submitted.
        readings_needed: the fewest readings that give a cycle a result, and so a delta.
    """
    return Gate(
        4,
        (
            Check(Item.NEXT_TEAM, bool(next_team) or bool((reason_for_none or "").strip())),
            Check(Item.DELTAS, readings >= readings_needed, count=readings),
            Check(Item.SUBMITTED, submitted),
        ),
    )
