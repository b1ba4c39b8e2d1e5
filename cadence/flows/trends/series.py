"""An adoption week by week, from its first cycle on: its number, runs and check-ins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cadence.documents import PlaybookSpec
from cadence.flows.core import AdoptionView, spec_of
from cadence.rules.calendar import WEEKS, week_monday
from storage.queries import cycles, numbers, playbooks, trends
from storage.tables import Cycle, CycleKind
from storage.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Week:
    """One week of an adoption.

    Args:
        cycle: that contains it; None for a week between cycles.
        reading: in the KPI's unit; None without one, or of another KPI than today's.
        runs: attested in its check-ins; None without any.
        answers: how many check-ins came.
        value_events: as reported in its check-ins; None if nobody reported any.
    """

    monday: date
    cycle: Cycle | None
    reading: float | None = None
    runs: int | None = None
    answers: int = 0
    value_events: int | None = None

    @property
    def is_watched(self) -> bool:
        """Whether it came after the last planned cycle."""
        return self.cycle is not None and self.cycle.kind is CycleKind.WATCH


def weeks_of(uow: UnitOfWork, view: AdoptionView, *, until: date) -> tuple[Week, ...]:
    """The weeks from an adoption's first cycle up to the one that starts on a Monday, without gaps."""
    rows = [row for row in cycles.cycles_of(uow, adoption_id=view.id) if row.starts_on <= until]
    if not rows:
        return ()
    of_week = {week_monday(row.starts_on, week): row for row in rows for week in range(1, WEEKS + 1)}
    known = {row.week_start: row for row in trends.weeks_of_answers(uow, adoption_id=view.id)}
    readings = _readings(uow, view, rows)
    found, monday = [], rows[0].starts_on
    while monday <= until:
        answered = known.get(monday)
        found.append(
            Week(
                monday=monday,
                cycle=of_week.get(monday),
                reading=readings.get(monday),
                runs=answered.runs if answered else None,
                answers=answered.answers if answered else 0,
                value_events=answered.value_events if answered else None,
            )
        )
        monday += timedelta(weeks=1)
    return tuple(found)


def _readings(uow: UnitOfWork, view: AdoptionView, rows: Sequence[Cycle]) -> dict[date, float]:
    """The readings of the cycles that count today's KPI, by Monday."""
    found = {}
    for row in rows:
        if _same_kpi(spec_of(uow, playbooks.version(uow, version_id=row.version_id)), view.spec):
            of_cycle = numbers.readings(uow, cycle=row)
            found.update({week_monday(row.starts_on, week): value for week, value in of_cycle.items()})
    return found


def _same_kpi(then: PlaybookSpec, now: PlaybookSpec) -> bool:
    return (then.kpi.name, then.kpi.unit, then.kpi.direction) == (
        now.kpi.name,
        now.kpi.unit,
        now.kpi.direction,
    )


def held_weeks(weeks: Sequence[Week]) -> int:
    """How many of the weeks came before the current watch: those up to the last rollout cycle's end."""
    return max((at for at, week in enumerate(weeks, 1) if not week.is_watched), default=0)
