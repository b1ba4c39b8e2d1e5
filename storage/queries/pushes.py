"""Queries by which what tools push counts once, and is read again."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, insert, or_
from sqlmodel import col, select

from storage.engine import connection_of
from storage.tables import (
    AnsweredRequest,
    CheckResult,
    LoggedException,
    MeasuredRuns,
    Reading,
    RubricResult,
    StepVerdict,
)
from storage.work import UnitOfWork


def answered(uow: UnitOfWork, *, holder: str, items: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The stored results of those of a token's items that were recorded in the last days, by item."""
    if not items:
        return {}
    query = select(AnsweredRequest.request, AnsweredRequest.answer).where(
        AnsweredRequest.workspace_id == uow.workspace_id,
        AnsweredRequest.member == holder,
        col(AnsweredRequest.request).in_(items),
    )
    return {row[0]: dict(row[1] or {}) for row in uow.session.exec(query)}


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
    found: set[str] = set()
    if sources:
        for table in (MeasuredRuns, LoggedException, CheckResult, RubricResult):
            query = select(table.source).where(
                table.workspace_id == uow.workspace_id, col(table.source).in_(sources)
            )
            found.update(uow.session.exec(query))
    return found


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
