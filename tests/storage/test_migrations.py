"""The migrations and the tables say the same, on both databases."""

import pytest
from sqlalchemy import inspect
from sqlmodel import SQLModel

from storage.engine import Database, normal_url
from storage.migrate import differences, migrate, pending


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


def test_migrating_again_changes_nothing(db: Database) -> None:
    migrate(db)
    assert pending(db) == []
    assert differences(db) == []


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
