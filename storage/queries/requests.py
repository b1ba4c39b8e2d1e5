"""Queries on answered requests."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import CursorResult, bindparam, delete, insert
from sqlmodel import col

from storage.engine import connection_of
from storage.tables import AnsweredRequest
from storage.work import UnitOfWork

NUMBERS: Final = "machines.kpi"
"""Tools' items whose rows don't hold their ids: these answers stay, so that each item counts once."""
_KEEP = insert(AnsweredRequest).inline()
_PRUNE = delete(AnsweredRequest).where(
    col(AnsweredRequest.workspace_id) == bindparam("workspace"),
    col(AnsweredRequest.answered_at) < bindparam("before"),
    col(AnsweredRequest.kind) != NUMBERS,
)


def keep(uow: UnitOfWork, *, member: str, request: str, kind: str, answer: dict[str, Any] | None) -> None:
    """Save the answer to a request.

    Raises:
        Conflict: another transaction answered it; this one must be rolled back.
    """
    row = {
        "workspace_id": uow.workspace_id,
        "member": member,
        "request": request,
        "kind": kind,
        "answer": answer,
        "answered_at": uow.now,
    }
    connection_of(uow.session).execute(_KEEP, row)


def prune(uow: UnitOfWork, *, before: datetime) -> int:
    """Delete a workspace's requests that were answered before an instant, except `NUMBERS`; returns how many."""
    done: CursorResult[Any] = connection_of(uow.session).execute(
        _PRUNE, {"workspace": uow.workspace_id, "before": before}
    )
    return done.rowcount
