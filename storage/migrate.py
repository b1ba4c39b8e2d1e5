"""Bring a database to the tables this version expects, and say whether it is there."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlmodel import SQLModel

from storage.engine import Database

_FOLDER = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def migrate(db: Database) -> None:
    """Run every migration that is still to come. One process at a time: the release step does it."""
    with db.engine.begin() as connection:
        command.upgrade(_config(connection), "head")


def pending(db: Database) -> list[str]:
    """The migrations still to come, oldest first; empty when the database is up to date."""
    script = ScriptDirectory.from_config(_config())
    with db.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    revisions = [revision.revision for revision in script.walk_revisions()]
    if current is None:
        return revisions[::-1]
    if current not in revisions:  # a newer version of the bot has migrated it; there is nothing for us to do
        return []
    return revisions[: revisions.index(current)][::-1]


def differences(db: Database) -> list[Any]:
    """What the tables say and the migrated database doesn't; empty when they agree."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))


def new_revision(db: Database, message: str) -> None:
    """Write the migration that brings the migrated database to the tables (a tool for developers)."""
    with db.engine.begin() as connection:
        command.revision(_config(connection), message=message, autogenerate=True)
