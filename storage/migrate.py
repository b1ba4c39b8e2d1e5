"""Migrate a database to the tables of this version, and check whether that was done.

Alembic is imported only if there is something to migrate, because that takes time at startup.
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
"""Rows that SQLite's planner should expect in a workspace."""
OF_A_WEEK = {"week_start": 50_000, "logged_at": 50_000}
"""Rows that it should expect for a workspace and one of these columns; 1 for any other column."""
_FOLDER = Path(__file__).parent / "migrations"
REVISIONS = sorted(file.name.partition("_")[0] for file in (_FOLDER / "versions").glob("[0-9]*_*.py"))
"""Every migration, oldest first: files are named after their revision."""


class Newer(Exception):
    """The database was migrated by a newer version of the bot."""


def alembic_config(connection: Connection | None = None) -> "Config":
    """Alembic's configuration for our migrations, with an open connection if one is given."""
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def migrate(db: Database) -> int:
    """Run every pending migration and return how many. One of several processes does it; the others wait.

    Raises:
        Newer: the database was migrated by a newer version.
    """
    if not _to_come(_current(db)):
        return 0
    from alembic import command  # noqa: PLC0415

    with patient(FOREVER), db.writing.begin() as connection:
        if not db.is_sqlite:  # SQLite's writers already wait for each other
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('rollout-cadence migrations'))"))
        todo = _to_come(_revision(connection))
        if todo:
            command.upgrade(alembic_config(connection), "head")
            if db.is_sqlite:
                _advise(connection)
    return len(todo)


def create_tables(db: Database) -> None:
    """Create the tables in an empty database that is never migrated, such as a rehearsal's: all at once takes an
    eighth of the time of one migration after another. A test compares the two."""
    with db.writing.begin() as connection:
        SQLModel.metadata.create_all(connection)
        if db.is_sqlite:
            _advise(connection)


def _to_come(current: str | None) -> list[str]:
    if current is not None and current not in REVISIONS:
        raise Newer
    return REVISIONS[REVISIONS.index(current) + 1 :] if current else list(REVISIONS)


def _advise(connection: Connection) -> None:
    """Tell SQLite's planner that filtering by workspace is not selective: a file holds few workspaces, often
    one.

    Otherwise it treats all indexes of a queried column alike, and reads all of a table where the adoption's
    index would lead to a few rows. PostgreSQL keeps its own statistics.
    """
    connection.exec_driver_sql("ANALYZE workspace")  # creates sqlite_stat1
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
    connection.exec_driver_sql("ANALYZE sqlite_schema")  # reload the statistics in this connection


def pending(db: Database) -> list[str]:
    """The pending migrations, oldest first; empty if the database is up to date."""
    try:
        return _to_come(_current(db))
    except Newer:  # nothing to do for an older version
        return []


def _current(db: Database) -> str | None:
    """The revision of a database; None before the first migration."""
    with db.engine.connect() as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def differences(db: Database) -> list[Any]:
    """Differences between the declared tables and the migrated database; empty if they agree."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.migration import MigrationContext  # noqa: PLC0415

    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))


def new_revision(db: Database, message: str) -> None:
    """Write the migration that brings the migrated database to the tables (a tool for developers)."""
    from alembic import command  # noqa: PLC0415

    with db.engine.begin() as connection:
        command.revision(alembic_config(connection), message=message, autogenerate=True)
