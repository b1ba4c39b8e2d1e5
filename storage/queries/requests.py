"""Queries on requests that were answered already."""

from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, delete, insert, select
from sqlmodel import col

from storage.engine import connection_of
from storage.tables import AnsweredRequest
from storage.work import UnitOfWork

_KEEP = insert(AnsweredRequest).inline()


def find(uow: UnitOfWork, *, member: str, request: str) -> tuple[dict[str, Any] | None] | None:
    """What a request was answered, alone in a tuple; None when it comes for the first time."""
    query = select(AnsweredRequest.answer).where(  # type: ignore[call-overload]
        col(AnsweredRequest.workspace_id) == uow.workspace_id,
        col(AnsweredRequest.member) == member,
        col(AnsweredRequest.request) == request,
    )
    row = connection_of(uow.bound).execute(query).one_or_none()
    return None if row is None else (row[0],)


def keep(uow: UnitOfWork, *, member: str, request: str, kind: str, answer: dict[str, Any] | None) -> None:
    """Keep what a request was answered.

    Raises:
        Clash: it was answered meanwhile; what this transaction did must not be kept.
    """
    row = {
        "workspace_id": uow.workspace_id,
        "member": member,
        "request": request,
        "kind": kind,
        "answer": answer,
        "answered_at": uow.now,
    }
    connection_of(uow.bound).execute(_KEEP, row)


def prune(uow: UnitOfWork, *, before: datetime) -> int:
    """Delete the requests of a workspace that were answered before an instant; returns how many."""
    done: CursorResult[Any] = connection_of(uow.bound).execute(
        delete(AnsweredRequest).where(
            col(AnsweredRequest.workspace_id) == uow.workspace_id, col(AnsweredRequest.answered_at) < before
        )
    )
    return done.rowcount
