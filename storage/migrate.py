"""Bring a database to the tables this version expects, and say whether it is there.

Alembic is loaded when there is something to do: a process that starts on a migrated database needs none of it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel

from storage.engine import Database
from storage.patience import FOREVER, patient

if TYPE_CHECKING:
    from alembic.config import Config

MANY_ROWS = 1_000_000
"""Rows that SQLite expects in a workspace."""
OF_A_WEEK = {"week_start": 50_000, "logged_at": 50_000}
"""Rows that it expects of a workspace and one of these; of one and anything else a row."""
_FOLDER = Path(__file__).parent / "migrations"
REVISIONS = sorted(file.name.partition("_")[0] for file in (_FOLDER / "versions").glob("[0-9]*_*.py"))
"""Every migration there is, oldest first: a file is named after its revision."""


class Newer(Exception):
    """A newer version of the bot has migrated the database."""


def _config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def migrate(db: Database) -> int:
    """Run every migration that is still to come; returns how many. Of several processes one does it, others wait.

    Raises:
        Newer: a newer version has migrated it.
    """
    if not _to_come(_current(db)):
        return 0
    from alembic import command  # noqa: PLC0415

    with patient(FOREVER), db.writing.begin() as connection:
        if not db.is_sqlite:  # SQLite's writers wait for each other by themselves
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('rollout-cadence migrations'))"))
        todo = _to_come(_revision(connection))
        if todo:
            command.upgrade(_config(connection), "head")
            if db.is_sqlite:
                _advise(connection)
    return len(todo)


def _to_come(current: str | None) -> list[str]:
    if current is not None and current not in REVISIONS:
        raise Newer
    return REVISIONS[REVISIONS.index(current) + 1 :] if current else list(REVISIONS)


def _advise(connection: Connection) -> None:
    """Tell SQLite that an index led by the workspace finds nothing: a file holds few workspaces, often one.

    Without a word it takes any index of an asked column for as good as another, and reads all of a table where
    the adoption's index would lead to a handful of rows. PostgreSQL counts for itself.
    """
    connection.exec_driver_sql("ANALYZE workspace")  # makes sqlite_stat1, which may be written to
    indexes = connection.exec_driver_sql(
        "SELECT m.tbl_name, m.name, (SELECT group_concat(name) FROM pragma_index_info(m.name)) FROM sqlite_master m"
        " JOIN pragma_index_info(m.name) first ON first.seqno = 0 AND first.name = 'workspace_id'"
        " WHERE m.type = 'index'"
    ).all()
    connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    for table, index, columns in indexes:
        found = [OF_A_WEEK.get(column, 1) for column in columns.split(",")[1:]]
        stat = " ".join(map(str, [MANY_ROWS, MANY_ROWS, *found]))
        connection.exec_driver_sql("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", (table, index, stat))
    connection.exec_driver_sql("ANALYZE sqlite_schema")  # this connection reads what it was told, too


def pending(db: Database) -> list[str]:
    """The migrations still to come, oldest first; empty when the database is up to date."""
    try:
        return _to_come(_current(db))
    except Newer:  # there is nothing for us to do
        return []


def _current(db: Database) -> str | None:
    """The revision a database is at; None before the first."""
    with db.engine.connect() as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def differences(db: Database) -> list[Any]:
    """What the tables say and the migrated database doesn't; empty when they agree."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.migration import MigrationContext  # noqa: PLC0415

    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))


def new_revision(db: Database, message: str) -> None:
    """Write the migration that brings the migrated database to the tables (a tool for developers)."""
    from alembic import command  # noqa: PLC0415

    with db.engine.begin() as connection:
        command.revision(_config(connection), message=message, autogenerate=True)
