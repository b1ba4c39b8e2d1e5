"""Everything there is of a workspace: counted, and deleted for good."""

from sqlalchemy import ColumnElement, Table, delete, func, select
from sqlmodel import SQLModel

import storage.tables  # noqa: F401 - registers them
from storage.work import UnitOfWork


def count(uow: UnitOfWork) -> int:
    """How many rows a workspace has, its own included."""
    found = 0
    for table in _tables():
        query = select(func.count()).select_from(table).where(_owner(table) == uow.workspace_id)
        found += int(uow.session.execute(query).scalar_one())
    return found


def forget(uow: UnitOfWork) -> None:
    """Delete every row of a workspace, those that others point at last."""
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
