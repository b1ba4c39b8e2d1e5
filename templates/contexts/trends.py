"""Adoptions watched for months: the months as a table, and the alert that one fades."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from cadence.refusals import Offer
from templates.contexts.base import Id, Kpi, MessageContext, Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Four weeks of an adoption: a cycle, or a watch period.

    Args:
        number: of the cycle, or of the watch period since the last cycle.
        first, last: its first Monday, and the last day of it that is over or shown.
        median: of the KPI's readings; None without any.
        runs_a_week: mean of the attested runs in weeks with check-ins; None without any.
        answered: check-ins, of `expected`.
    """

    number: int
    watched: bool
    first: date
    last: date
    median: float | None
    runs_a_week: int | None
    answered: int
    expected: int
    exceptions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Months(MessageContext):
    """The months of an adoption, newest last. With `chart_comes` the chart follows in a DM; `chart` shows it.

    Args:
        course: `deepening`, `decaying`, `plateau` or `steady`; None before it can be told.
        since: the Monday of the week whose end changed the course.
        lines: what the course rests on: `runs`, `kpi`.
        earlier: months that aren't shown.
    """

    TEMPLATE: ClassVar[str] = "answers/trends/months.json.j2"

    playbook: str
    team: str
    kpi: Kpi
    rows: tuple[Month, ...]
    course: str | None = None
    since: date | None = None
    lines: tuple[str, ...] = ()
    earlier: int = 0
    chart_comes: bool = False
    chart: Picture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseDecaying(MessageContext):
    """A watched adoption fades: fewer runs, or a number past its usual range. Later, how it went on.

    Args:
        lines: what was found: `runs`, `kpi` or both.
        runs: per week, oldest first, of the weeks judged; None for a week without check-ins.
        fall: how many runs fewer each week, such as `2.3`; empty unless runs fall.
        p: probability of such a trend by chance, 0–1.
        limit: the end of the usual range that the number passed, in the KPI's unit.
        answered: check-ins in the last of the weeks.
        ended: the course it has now, once it doesn't fade any more.
    """

    TEMPLATE: ClassVar[str] = "messages/trends/course_decaying.json.j2"

    adoption_id: Id
    slug: str
    team_slug: str
    playbook: str
    team: str
    kpi: Kpi
    lines: tuple[str, ...]
    runs: tuple[int | None, ...]
    owner: str
    fall: str = ""
    p: float | None = None
    limit: float | None = None
    ended: str | None = None
    ended_at: datetime | None = None
    offers: tuple[Offer, ...] = ()
