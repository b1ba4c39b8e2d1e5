"""Compiled statements are found by the identity of their key, and by its parts if it was built again."""

from typing import Any

from sqlalchemy import select
from sqlmodel import col

from storage.engine import Database
from storage.statements import CompiledStatements
from storage.tables import Member


def test_a_statement_is_compiled_once_however_often_it_is_built(db: Database) -> None:
    built_once: Any = select(col(Member.name), col(Member.id).label("one"))
    compiled = CompiledStatements(100)
    with db.reading.execution_options(compiled_cache=compiled).connect() as connection:
        for _ in range(3):
            connection.execute(built_once)
            connection.execute(select(col(Member.name), col(Member.id).label("two")))
    assert len(compiled) == 2


def test_a_key_is_found_by_its_parts_and_told_from_another_with_the_same_statement() -> None:
    compiled = CompiledStatements(2)
    statement = ("select", 1)
    for columns in ("a", "b"):
        compiled["dialect", statement, (columns,)] = columns
    for _ in range(3):
        for columns in ("a", "b"):
            assert compiled.get(("dialect", statement, (columns,))) == columns
            assert compiled.get(("dialect", ("sel" + "ect", 1), (columns,))) == columns
    assert compiled.get(("other", statement, ("a",))) is None
    assert compiled.get(("dialect", statement, ("c",)), "none") == "none"


def test_statements_built_for_one_use_take_up_no_more_than_the_others() -> None:
    compiled = CompiledStatements(10)
    kept = ("kept", 1)
    compiled["dialect", kept] = "kept"
    for number in range(1000):
        assert compiled.get(("dialect", kept)) == "kept"
        compiled["dialect", ("built", number)] = number
        assert compiled.get(("dialect", ("built", number))) == number
    assert len(compiled) <= 15
