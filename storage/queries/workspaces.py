"""Queries on a workspace as a whole: its settings, and all its rows, counted and deleted for good."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Table, bindparam, delete, func, update
from sqlalchemy import select as select_rows
from sqlalchemy.orm.util import identity_key
from sqlmodel import Session, SQLModel, col, select

import storage.tables  # noqa: F401 - registers them
from storage import query_cache
from storage.engine import connection_of
from storage.queries.people import _WORKSPACES
from storage.query_cache import cached
from storage.tables import Workspace
from storage.work import UnitOfWork


@cached(Workspace)
def workspace(uow: UnitOfWork) -> Workspace | None:
    """The workspace, or None if the bot doesn't know it."""
    if identity_key(Workspace, uow.workspace_id) in uow.session.identity_map:
        return uow.session.get(Workspace, uow.workspace_id)
    return uow.session.exec(_ONE, params={"workspace": uow.workspace_id}).first()


def note_planned(uow: UnitOfWork) -> None:
    """Record that everything due up to now is queued."""
    connection_of(uow.session).execute(_PLANNED, {"workspace": uow.workspace_id, "now": uow.now})


_PLANNED: Final = (
    update(Workspace)
    .where(col(Workspace.id) == bindparam("workspace"))
    .values(planned_until=bindparam("now"))
)


def lock_workspace(uow: UnitOfWork) -> Workspace:
    """The current workspace, locked until the transaction ends: what is counted against its limits can't change.

    Other requests can still add rows that refer to it. On SQLite a write transaction has locked the whole database
    since it began.
    """
    if uow.session.get_bind().dialect.name == "sqlite":
        return uow.session.exec(_ONE, params={"workspace": uow.workspace_id}).one()
    query_cache.forget(uow)
    return uow.session.exec(_LOCK, params={"workspace": uow.workspace_id}).one()


_ONE: Final = select(Workspace).where(Workspace.id == bindparam("workspace"))
_LOCK: Final = _ONE.with_for_update(key_share=True).execution_options(populate_existing=True)


def workspaces(session: Session) -> list[Workspace]:
    """Every workspace of this installation that hasn't uninstalled the bot."""
    return list(session.exec(_WORKSPACES))


def ids(session: Session) -> list[str]:
    """The IDs of these workspaces."""
    return list(connection_of(session).execute(_IDS).scalars())


_IDS: Final[Any] = (
    select_rows(col(Workspace.id)).where(col(Workspace.uninstalled_at).is_(None)).order_by(col(Workspace.id))
)


def count(uow: UnitOfWork) -> int:
    """How many rows a workspace has, including its own."""
    uow.flush_trail()
    found = 0
    for table in _tables():
        query = select_rows(func.count()).select_from(table).where(_owner(table) == uow.workspace_id)
        found += int(uow.session.execute(query).scalar_one())
    return found


def forget(uow: UnitOfWork) -> None:
    """Delete every row of a workspace, referenced rows last."""
    uow.flush_trail()
    for table in reversed(_tables()):
        uow.session.execute(delete(table).where(_owner(table) == uow.workspace_id))


def _tables() -> list[Table]:
    return [
        table for table in SQLModel.metadata.sorted_tables if table.name == "workspace" or _has_one(table)
    ]


def _has_one(table: Table) -> bool:
    return "workspace_id" in table.c


def _owner(table: Table) -> ColumnElement[str]:
    return table.c.id if table.name == "workspace" else table.c.workspace_id
