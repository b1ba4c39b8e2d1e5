"""Everything there is of a workspace: counted, and deleted for good."""

from sqlalchemy import ColumnElement, Table, delete, func, select
from sqlmodel import Session, SQLModel

import storage.tables  # noqa: F401 - registers them


def count(session: Session, *, workspace_id: str) -> int:
    """How many rows a workspace has, its own included."""
    found = 0
    for table in _tables():
        query = select(func.count()).select_from(table).where(_owner(table) == workspace_id)
        found += int(session.execute(query).scalar_one())
    return found


def forget(session: Session, *, workspace_id: str) -> None:
    """Delete every row of a workspace, those that others point at last."""
    for table in reversed(_tables()):
        session.execute(delete(table).where(_owner(table) == workspace_id))


def _tables() -> list[Table]:
    return [
        table for table in SQLModel.metadata.sorted_tables if table.name == "workspace" or _has_one(table)
    ]


def _has_one(table: Table) -> bool:
    return "workspace_id" in table.c


def _owner(table: Table) -> ColumnElement[str]:
    return table.c.id if table.name == "workspace" else table.c.workspace_id
