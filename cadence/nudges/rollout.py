"""A workspace as planning sees it: its people, its runs, and the hours at which they are nudged. Plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from cadence.nudges.persons import WEEKDAYS, Person
from cadence.nudges.table import Hour, Nudge
from cadence.rules.calendar import week_number


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """A run with a cycle, reduced to what planning needs. `cycles` are (Monday of week 1, start instant).

    Args:
        team: stands for the team's channel: its zone, and the public holidays of the team's country.
        audited: whether runs of a step are drawn each week to be graded.
        hours: by kind of nudge, where the adoption has hours of its own.
        joined: since when members are asked, of those who joined lately, and of all after a pause.
        own: False when only its members' check-ins are planned here, and what is about the run elsewhere.
    """

    adoption_id: int
    cycles: tuple[tuple[date, datetime], ...]
    members: tuple[str, ...]
    owner: str
    reporter: str | None
    team: Person | None = None
    audited: bool = False
    hours: Mapping[str, Hour] = field(default_factory=dict)
    joined: Mapping[str, datetime] = field(default_factory=dict)
    own: bool = True

    def begun(self, week_start: date) -> datetime | None:
        """When the cycle that holds a week was started; None when no cycle holds it."""
        for starts_on, started_at in self.cycles:
            if week_number(starts_on, week_start):
                return started_at
        return None


@dataclass(frozen=True, slots=True)
class Rollout:
    """A workspace, or a part of its teams, at one moment, as far as planning is concerned.

    Args:
        curators: where the digest goes: a channel, else members.
        working_days: weekdays on which people can be nudged, 0 is Monday.
        hours: by kind of nudge, where the workspace has hours of its own.
        days_off: public holidays of the workspace's country: the curators' digest waits for the next working day.
    """

    workspace_id: str
    zone: ZoneInfo
    curators: tuple[str, ...]
    people: Mapping[str, Person]
    runs: tuple[ActiveRun, ...]
    working_days: frozenset[int] = WEEKDAYS
    hours: Mapping[str, Hour] = field(default_factory=dict)
    days_off: frozenset[date] = frozenset()

    def hour(self, nudge: Nudge, run: ActiveRun | None = None) -> Hour:
        """The weekday and hour of a nudge: the adoption's, else the workspace's, else the table's."""
        own = run.hours.get(nudge.kind) if run else None
        found = own or self.hours.get(nudge.kind) or nudge.hour
        assert found is not None  # noqa: S101 - what has no hour isn't planned
        return found
