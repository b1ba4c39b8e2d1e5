"""The migrations and the tables say the same, on both databases."""

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Boolean, Connection, Date, DateTime, Float, Integer, MetaData, Table, inspect
from sqlmodel import SQLModel

from storage.engine import Database, normal_url
from storage.migrate import REVISIONS, alembic_config, create_tables, differences, migrate, pending
from tests.storage.threads import at_once


def test_the_migrated_database_has_exactly_the_tables(db: Database) -> None:
    assert differences(db) == []
    found = set(inspect(db.engine).get_table_names())
    assert found == {*SQLModel.metadata.tables, "alembic_version"}


def test_an_empty_database_waits_for_every_migration_and_then_for_none(empty_db: Database) -> None:
    waiting = pending(empty_db)
    assert waiting[0] == "0001"
    assert waiting == sorted(waiting)
    assert differences(empty_db) != []
    migrate(empty_db)
    assert pending(empty_db) == []
    assert differences(empty_db) == []


def test_tables_created_at_once_are_those_of_the_migrations(empty_db: Database) -> None:
    def shape() -> dict[str, Any]:
        found = inspect(empty_db.engine)
        return {
            table: (
                {one["name"]: (str(one["type"]), one["nullable"]) for one in found.get_columns(table)},
                sorted(
                    (
                        str(one["name"]),
                        str(one["column_names"]),
                        bool(one["unique"]),
                        sorted((key, str(value)) for key, value in one.get("dialect_options", {}).items()),
                    )
                    for one in found.get_indexes(table)
                ),
                sorted(one["column_names"] for one in found.get_unique_constraints(table)),
                sorted(
                    (one["constrained_columns"], one["referred_table"])
                    for one in found.get_foreign_keys(table)
                ),
                found.get_pk_constraint(table)["constrained_columns"],
            )
            for table in SQLModel.metadata.tables
        }

    create_tables(empty_db)
    created = shape()
    assert len(created) > 50
    SQLModel.metadata.drop_all(empty_db.engine)
    migrate(empty_db)
    assert created == shape()


def test_of_several_processes_one_migrates_and_the_others_wait(empty_db: Database) -> None:
    def process() -> int:
        with closing(Database(empty_db.url)) as own:
            return migrate(own)

    assert sorted(at_once(process, times=4)) == [0, 0, 0, len(REVISIONS)]
    assert differences(empty_db) == []


def test_every_migration_is_a_file_named_after_it() -> None:
    chain = [one.revision for one in ScriptDirectory.from_config(alembic_config()).walk_revisions()]
    assert chain[::-1] == REVISIONS


def test_migrating_again_changes_nothing(db: Database) -> None:
    migrate(db)
    assert pending(db) == []
    assert differences(db) == []


def test_sqlite_knows_what_its_indexes_find_in_the_process_that_migrated(tmp_path: Path) -> None:
    """Else one that migrates as it starts would read whole tables until it starts again."""
    with closing(Database(f"sqlite:///{tmp_path / 'new.db'}")) as new:
        migrate(new)

        def way(condition: str, table: str = "check_in") -> str:
            query = f"EXPLAIN QUERY PLAN SELECT id FROM {table} WHERE workspace_id = 'T1' AND {condition}"
            with new.engine.connect() as connection:
                return str(connection.exec_driver_sql(query).first())

        assert "ix_check_in_week (workspace_id=? AND week_start=?)" in way("week_start = '2026-03-02'")
        assert "ix_exception_logged" in way("logged_at >= '2026-03-02'", "exception")
        of_adoption = "adoption_id = 1 AND week_start = '2026-03-02' AND replaced_at IS NULL"
        assert "uq_check_in_current" in way(of_adoption)
        assert "uq_reading_current" in way(f"{of_adoption} AND guardrail = ''", "reading")
        assert "ix_check_in_adoption_id" in way("adoption_id = 1")
        assert "ix_check_in_cycle_id" in way("cycle_id = 1 AND replaced_at IS NULL")


def test_created_tables_come_with_the_same_statistics(tmp_path: Path) -> None:
    found = []
    for make in (migrate, create_tables):
        with closing(Database(f"sqlite:///{tmp_path / make.__name__}.db")) as new:
            make(new)
            with new.engine.connect() as connection:
                found.append(set(connection.exec_driver_sql("SELECT tbl, idx, stat FROM sqlite_stat1").all()))
    migrated, created = found
    assert created
    assert created == migrated


def test_the_indexes_that_matter_are_there(db: Database) -> None:
    found = {
        one["name"]: bool(one["unique"])
        for table in ("check_in", "reading", "ledger", "exception")
        for one in inspect(db.engine).get_indexes(table)
    }
    assert found["uq_check_in_current"] is found["uq_reading_current"] is True
    assert found["ix_ledger_due"] is found["ix_exception_window"] is False


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://u:p@h/d?sslmode=require", "postgresql+psycopg://u:p@h/d?sslmode=require"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("sqlite:///var/cadence.db", "sqlite:///var/cadence.db"),
    ],
)
def test_addresses_as_platforms_hand_them_out(url: str, normal: str) -> None:
    assert normal_url(url) == normal


def _fill(connection: Connection, table: Table, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Insert one row with a value in every column, and give it back as the database tells it."""
    row: dict[str, Any] = {}
    for number, column in enumerate(table.columns, start=1):
        foreign = next(iter(column.foreign_keys), None)
        if foreign is not None and foreign.column.table is table:
            row[column.name] = None
        elif foreign is not None:
            row[column.name] = known[foreign.column.table.name][foreign.column.name]
        elif isinstance(column.type, DateTime):
            row[column.name] = datetime(2026, 3, number, 9, tzinfo=UTC if column.type.timezone else None)
        elif isinstance(column.type, Date):
            row[column.name] = date(2026, 3, number)
        elif isinstance(column.type, JSON):
            row[column.name] = {"kept": number}
        elif isinstance(column.type, Boolean):
            row[column.name] = True
        elif isinstance(column.type, Integer | Float):
            row[column.name] = number
        else:
            row[column.name] = column.name[:12]
    connection.execute(table.insert().values(row))
    return row


def _rows(connection: Connection, tables: Iterable[Table]) -> dict[str, list[dict[str, Any]]]:
    return {
        table.name: [dict(row) for row in connection.execute(table.select()).mappings()] for table in tables
    }


def test_a_database_of_the_first_version_is_brought_here_without_losing_anything(empty_db: Database) -> None:
    with empty_db.engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0001")
        first = MetaData()
        first.reflect(connection)
        tables = [table for table in first.sorted_tables if table.name != "alembic_version"]
        known: dict[str, dict[str, Any]] = {}
        for table in tables:
            known[table.name] = _fill(connection, table, known)
        before = _rows(connection, tables)
    assert len(tables) > 15
    assert all(len(rows) == 1 for rows in before.values())
    migrate(empty_db)
    assert pending(empty_db) == []
    assert differences(empty_db) == []
    with empty_db.engine.connect() as connection:
        assert _rows(connection, tables) == before
