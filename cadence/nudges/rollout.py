"""A workspace as planning sees it: its people, its runs, and their nudge hours. Plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from cadence.nudges.persons import WEEKDAYS, Person
from cadence.nudges.table import Hour, Nudge
from cadence.rules.calendar import week_number


@dataclass(frozen=True, slots=True)
class ActiveAdoption:
    """An adoption with a cycle, reduced to what planning needs. `cycles` are (Monday of week 1, start
    instant).

    Args:
        team: the team's channel as a person: its zone, and the public holidays of the team's country.
        audited: whether runs of a step are drawn each week to be graded.
        hours: by kind of nudge, if the adoption has its own.
        joined: since when members are asked: recent members, or all of them after a pause.
        watched: the Mondays of those cycles that are watch periods, without gates.
        ends: whether watch periods follow, because the planned cycles are over.
        own: False if only its members' check-ins are planned here, and its other nudges elsewhere.
        resumed: when its last pause ended, if that was recently.
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
    watched: frozenset[date] = frozenset()
    ends: bool = False
    own: bool = True
    resumed: datetime | None = None

    def begun(self, week_start: date) -> datetime | None:
        """When the cycle that contains a week was started; None if there is no such cycle."""
        return next((started_at for _, started_at in self._of(week_start)), None)

    def was_paused(self, at: datetime) -> bool:
        """Whether an instant came before the end of its last pause: what wasn't sent by then fell into the pause."""
        return self.resumed is not None and at < self.resumed

    def is_watched(self, week_start: date) -> bool:
        """Whether a week is in a watch period."""
        return bool(self.watched) and any(starts_on in self.watched for starts_on, _ in self._of(week_start))

    def _of(self, week_start: date) -> list[tuple[date, datetime]]:
        """The cycle that contains a week; the later one where a watch period ended early."""
        found = [one for one in self.cycles if week_number(one[0], week_start)]
        return found[-1:]


@dataclass(frozen=True, slots=True)
class Rollout:
    """What planning needs of a workspace, or of some of its teams, at one moment.

    Args:
        curators: recipients of the digest: a channel, else members.
        working_days: weekdays on which people can be nudged, 0 is Monday.
        hours: by kind of nudge, if the workspace has its own.
        days_off: public holidays of the workspace's country, on which the digest waits for the next working
            day.
    """

    workspace_id: str
    zone: ZoneInfo
    curators: tuple[str, ...]
    people: Mapping[str, Person]
    runs: tuple[ActiveAdoption, ...]
    working_days: frozenset[int] = WEEKDAYS
    hours: Mapping[str, Hour] = field(default_factory=dict)
    days_off: frozenset[date] = frozenset()

    def hour(self, nudge: Nudge, run: ActiveAdoption | None = None) -> Hour:
        """The weekday and hour of a nudge: the adoption's, else the workspace's, else the table's."""
        own = run.hours.get(nudge.kind) if run else None
        found = own or self.hours.get(nudge.kind) or nudge.hour
        assert found is not None  # noqa: S101 - what has no hour isn't planned
        return found
