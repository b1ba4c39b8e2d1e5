"""Queries on what tools report: the runs they counted, what was recorded before, and reading it again."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, insert, literal, or_, union_all
from sqlalchemy import select as select_rows
from sqlmodel import col, select

from storage.engine import connection_of
from storage.query_cache import cached
from storage.tables import (
    Adoption,
    AdoptionState,
    AnsweredRequest,
    CheckResult,
    LoggedException,
    MeasuredRuns,
    Reading,
    RubricResult,
    StepVerdict,
    Team,
)
from storage.work import UnitOfWork


class RunsCounted(NamedTuple):
    """Runs that tools counted in a week, by step and member.

    `step` is "" if each run went through every step, `member` is "" if the tools don't know whose they were.
    `newest` is the highest id among the rows and their corrections.
    """

    week_start: date
    step: str
    member: str
    runs: int
    newest: int


def runs_counted(
    uow: UnitOfWork, *, adoption_id: int, since: date, through: int | None = None
) -> list[RunsCounted]:
    """The runs that tools counted from a week on; recent weeks are read together.

    Args:
        since: the Monday of the first week.
        through: the counts as of the row with this id, including what was corrected later.
    """
    first = min(since, uow.recent) if uow.recent else since
    rows = _runs_counted(uow, adoption_id=adoption_id, since=first, through=through)
    return [row for row in rows if row.week_start >= since]


def last_measured_id(uow: UnitOfWork, *, adoption_id: int, since: date) -> int:
    """The newest row of runs that tools counted in the weeks from a Monday on, including corrections, or 0."""
    rows = runs_counted(uow, adoption_id=adoption_id, since=since)
    return max((row.newest for row in rows), default=0)


@cached(MeasuredRuns)
def _runs_counted(
    uow: UnitOfWork, *, adoption_id: int, since: date, through: int | None
) -> list[RunsCounted]:
    asked: dict[str, Any] = {"workspace": uow.workspace_id, "adoption": adoption_id, "since": since}
    asked |= {} if through is None else {"through": through}
    rows = connection_of(uow.session).execute(_counted_statement(as_of=through is not None), asked)
    return [
        RunsCounted(week, step, member, runs, max(newest, correction or 0))
        for week, step, member, runs, newest, correction in rows
    ]


def _is_current(*, as_of: bool) -> Any:
    """Condition: a row isn't corrected; or wasn't yet, as of the row with the id `through`."""
    current = col(MeasuredRuns.replaced_by).is_(None)
    return or_(current, col(MeasuredRuns.replaced_by) > bindparam("through")) if as_of else current


@cache
def _counted_statement(*, as_of: bool) -> Any:
    current = case((_is_current(as_of=as_of), col(MeasuredRuns.runs)), else_=literal(0))
    found: Any = select_rows(
        col(MeasuredRuns.week_start),
        col(MeasuredRuns.step),
        col(MeasuredRuns.member),
        func.sum(current),
        func.max(col(MeasuredRuns.id)),
        func.max(col(MeasuredRuns.replaced_by)),
    ).where(
        col(MeasuredRuns.workspace_id) == bindparam("workspace"),
        col(MeasuredRuns.adoption_id) == bindparam("adoption"),
        col(MeasuredRuns.week_start) >= bindparam("since"),
        *((col(MeasuredRuns.id) <= bindparam("through"),) if as_of else ()),
    )
    by = col(MeasuredRuns.week_start), col(MeasuredRuns.step), col(MeasuredRuns.member)
    return found.group_by(*by).order_by(*by)


class CountedWeek(NamedTuple):
    """A week of an adoption in which tools counted runs, in the zone of its team."""

    adoption_id: int
    week_start: date
    timezone: str


def counted_weeks(uow: UnitOfWork, *, first: date) -> list[CountedWeek]:
    """The weeks, of three from a Monday on, in which tools counted runs of an adoption that hasn't ended."""
    weeks = [first + timedelta(weeks=number) for number in range(COUNTED_WEEKS)]
    asked = {"workspace": uow.workspace_id} | {f"week{number}": week for number, week in enumerate(weeks)}
    return [
        CountedWeek(adoption, week, zone)
        for adoption, zone, *counted in connection_of(uow.session).execute(_COUNTED_WEEKS, asked)
        for week, has_runs in zip(weeks, counted, strict=True)
        if has_runs
    ]


COUNTED_WEEKS: Final = 3
_COUNTED: Final = [
    exists().where(
        col(MeasuredRuns.workspace_id) == bindparam("workspace"),
        col(MeasuredRuns.adoption_id) == col(Adoption.id),
        col(MeasuredRuns.week_start) == bindparam(f"week{number}"),
    )
    for number in range(COUNTED_WEEKS)
]
_COUNTED_WEEKS: Final[Any] = (
    select_rows(col(Adoption.id), col(Team.timezone), *_COUNTED)
    .join(Team, col(Team.id) == col(Adoption.team_id))
    .where(
        col(Adoption.workspace_id) == bindparam("workspace"),
        col(Adoption.state) != AdoptionState.ENDED,
        or_(*_COUNTED),
    )
    .order_by(col(Adoption.id))
)


@cached(MeasuredRuns)
def runs_counted_before(
    uow: UnitOfWork, *, adoption_id: int, week_start: date, after: int, through: int | None = None
) -> dict[tuple[str, str], int]:
    """Those of a week's counted runs, by (step, member), that were reported up to the row with the id `after`.

    Their corrections count too, however late they came. With `through`, as of the row with that id.
    """
    asked: dict[str, Any] = {
        "workspace": uow.workspace_id,
        "adoption": adoption_id,
        "week": week_start,
        "after": after,
    }
    asked |= {} if through is None else {"through": through}
    rows = connection_of(uow.session).execute(_before_statement(as_of=through is not None), asked)
    return {(step, member): runs for step, member, runs in rows}


@cache
def _before_statement(*, as_of: bool) -> Any:
    of_week: Final = (
        col(MeasuredRuns.workspace_id) == bindparam("workspace"),
        col(MeasuredRuns.adoption_id) == bindparam("adoption"),
        col(MeasuredRuns.week_start) == bindparam("week"),
    )
    before = (
        select_rows(col(MeasuredRuns.id).label("id"))
        .where(*of_week, col(MeasuredRuns.id) <= bindparam("after"))
        .cte("before", recursive=True)
    )
    before = before.union(
        select_rows(col(MeasuredRuns.replaced_by))
        .join(before, before.c.id == col(MeasuredRuns.id))
        .where(col(MeasuredRuns.replaced_by).is_not(None))
    )
    found: Any = (
        select_rows(col(MeasuredRuns.step), col(MeasuredRuns.member), func.sum(col(MeasuredRuns.runs)))
        .join(before, before.c.id == col(MeasuredRuns.id))
        .where(
            *of_week,
            _is_current(as_of=as_of),
            *((col(MeasuredRuns.id) <= bindparam("through"),) if as_of else ()),
        )
    )
    return found.group_by(col(MeasuredRuns.step), col(MeasuredRuns.member))


def answered(uow: UnitOfWork, *, holder: str, items: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The stored results of those of a token's items that were recorded in the last days, by item."""
    asked = {"workspace": uow.workspace_id, "holder": holder, "items": list(items)}
    return {row[0]: dict(row[1] or {}) for row in uow.session.exec(_ANSWERED, params=asked)}


_ANSWERED: Final = select(AnsweredRequest.request, AnsweredRequest.answer).where(
    AnsweredRequest.workspace_id == bindparam("workspace"),
    AnsweredRequest.member == bindparam("holder"),
    col(AnsweredRequest.request).in_(bindparam("items", expanding=True)),
)


def keep_answers(uow: UnitOfWork, *, holder: str, kind: str, answers: Iterable[tuple[str, Any]]) -> None:
    """Save the results of items, in the transaction of their effect.

    Raises:
        Conflict: a copy of one of them was faster.
    """
    rows = [
        {
            "workspace_id": uow.workspace_id,
            "member": holder,
            "request": item,
            "kind": kind,
            "answer": answer,
            "answered_at": uow.now,
        }
        for item, answer in answers
    ]
    if rows:
        connection_of(uow.session).execute(insert(AnsweredRequest).inline(), rows)


def recorded_sources(uow: UnitOfWork, *, sources: Sequence[str]) -> set[str]:
    """Those of some sources that are recorded, however long ago."""
    asked = {"workspace": uow.workspace_id, "sources": list(sources)}
    return {row[0] for row in connection_of(uow.session).execute(_RECORDED, asked)}


_RECORDED: Final = union_all(
    *(
        select_rows(col(table.source)).where(
            col(table.workspace_id) == bindparam("workspace"),
            col(table.source).in_(bindparam("sources", expanding=True)),
        )
        for table in (MeasuredRuns, LoggedException, CheckResult, RubricResult)
    )
)


def add_runs(uow: UnitOfWork, *, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Save runs that were counted in one statement, each a row's columns; returns their ids by source."""
    values = [{**row, "workspace_id": uow.workspace_id} for row in rows]
    added = connection_of(uow.session).execute(_ADD_RUNS, values)
    return {source: number or 0 for number, source in added}


_ADD_RUNS: Final = insert(MeasuredRuns).returning(col(MeasuredRuns.id), col(MeasuredRuns.source))


def runs_by_source(uow: UnitOfWork, *, source: str) -> MeasuredRuns | None:
    """The runs that a tool reported as this item."""
    query = select(MeasuredRuns).where(
        MeasuredRuns.workspace_id == uow.workspace_id, MeasuredRuns.source == source
    )
    return uow.session.exec(query).first()


Evidence = MeasuredRuns | Reading | LoggedException | RubricResult | CheckResult


class Stretch(NamedTuple):
    """An adoption's rows; with `since` and `until` only those that happened then."""

    adoption_id: int
    since: datetime | None = None
    until: datetime | None = None


def evidence(
    uow: UnitOfWork,
    *,
    table: type[Evidence],
    stretches: Sequence[Stretch],
    step: str | None = None,
    before: int | None = None,
    limit: int,
) -> list[Evidence]:
    """What was reported for some adoptions, newest first.

    Args:
        before: only rows with a lower id.
    """
    if not stretches:
        return []
    query: Any = select(table).where(table.workspace_id == uow.workspace_id)
    query = query.where(or_(*(_within(table, one) for one in stretches)))
    if step is not None and table is not Reading:
        query = query.where(table.step == step)  # type: ignore[union-attr]
    if before is not None:
        query = query.where(col(table.id) < before)
    return list(uow.session.exec(query.order_by(col(table.id).desc()).limit(limit)))


def _within(table: type[Evidence], stretch: Stretch) -> ColumnElement[bool]:
    here = col(table.adoption_id) == stretch.adoption_id
    if stretch.since is None or stretch.until is None:
        return here
    at = _happened(table)
    return and_(here, at >= stretch.since, at < stretch.until)


def _happened(table: type[Evidence]) -> Any:
    """When what a row says happened, as an expression."""
    if table is RubricResult:
        return col(RubricResult.graded_at)
    if table is LoggedException:
        return func.coalesce(col(LoggedException.happened_at), col(LoggedException.logged_at))
    if table is Reading:
        return func.coalesce(col(Reading.happened_at), col(Reading.reported_at))
    return col(table.happened_at)  # type: ignore[union-attr]


def verdicts(
    uow: UnitOfWork, *, adoption_ids: Sequence[int], step: str | None, before: int | None, limit: int
) -> list[StepVerdict]:
    """The verdicts on some adoptions' steps, newest first; `before`: only those with a lower id."""
    query = select(StepVerdict).where(
        StepVerdict.workspace_id == uow.workspace_id, col(StepVerdict.adoption_id).in_(adoption_ids)
    )
    if step is not None:
        query = query.where(StepVerdict.step == step)
    if before is not None:
        query = query.where(col(StepVerdict.id) < before)
    return list(uow.session.exec(query.order_by(col(StepVerdict.id).desc()).limit(limit)))


class Checked(NamedTuple):
    """What a step's automated check found in a cycle, over all its results."""

    step: str
    name: str
    samples: int
    passes: int


def checked(uow: UnitOfWork, *, adoption_id: int, cycle_id: int) -> list[Checked]:
    """What automated checks found in a cycle, by step and name."""
    query = (
        select(
            CheckResult.step,
            CheckResult.name,
            func.sum(col(CheckResult.samples)),
            func.sum(col(CheckResult.passes)),
        )
        .where(
            CheckResult.workspace_id == uow.workspace_id,
            CheckResult.adoption_id == adoption_id,
            CheckResult.cycle_id == cycle_id,
        )
        .group_by(col(CheckResult.step), col(CheckResult.name))
        .order_by(col(CheckResult.step), col(CheckResult.name))
    )
    return [
        Checked(step, name, int(samples), int(passes))
        for step, name, samples, passes in uow.session.exec(query)
    ]
