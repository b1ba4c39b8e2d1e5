"""Queries by which what tools push counts once."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import insert
from sqlmodel import col, select

from storage.engine import connection_of
from storage.tables import AnsweredRequest, CheckResult, LoggedException, MeasuredRuns, RubricResult
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
