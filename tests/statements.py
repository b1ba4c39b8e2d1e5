"""Which test runs which SQL: `make check` notes it on SQLite, and on PostgreSQL repeats a few that run all of it."""

import json
import os
import re
import time
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Engine, event

CHOSEN: Final = "tests/scenarios/"
"""The folder of which a few tests are chosen. The others test what happens between transactions: all are repeated."""
FAILURES: Final = f"{CHOSEN}failures/"
"""How the database fails, which PostgreSQL does in its own way: all are repeated."""
AT_ONCE: Final = re.compile(
    r"^(?:from|import) (?:threading|concurrent|tests\.storage\.threads)\b", re.MULTILINE
)
"""In a file with threads of its own, the order of statements counts too: all are repeated."""

Runs = dict[str, tuple[float, list[str]]]
"""Of each test, by its id: the seconds of processor time it took, and the digests of its statements."""


class Notes:
    """A pytest plugin that writes down what each test of this process ran."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs: Runs = {}
        self._now: set[str] = set()
        event.listen(Engine, "before_cursor_execute", self._note)

    def _note(
        self, _connection: object, _cursor: object, sql: str, _values: object, context: Any, _many: bool
    ) -> None:
        # A list of values has as many places as it has values; before it is filled in, it's the same statement.
        compiled = getattr(context, "compiled", None)
        self._now.add(_digest(sql if compiled is None else str(compiled)))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note what is run until the next test begins."""
        self._now = set()
        began = time.process_time()
        result = yield
        self._runs[item.nodeid] = time.process_time() - began, sorted(self._now)
        return result

    def pytest_sessionfinish(self) -> None:
        """Write the notes of this process into a file of its own."""
        self._folder.mkdir(parents=True, exist_ok=True)
        name = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        (self._folder / f"{name}.json").write_text(json.dumps(self._runs), encoding="utf-8")


@cache
def _digest(sql: str) -> str:
    return blake2b(sql.encode(), digest_size=8).hexdigest()


def noted(folder: Path) -> Runs:
    """What the processes of a run wrote down; empty if there was none."""
    runs: Runs = {}
    for file in sorted(folder.glob("*.json")):
        runs |= json.loads(file.read_text(encoding="utf-8"))
    return runs


def chosen(runs: Runs) -> set[str]:
    """A few tests that run every statement: the rarest statements first, each by the quickest test that runs it."""
    tests_of: dict[str, list[str]] = {}
    for test, (_, statements) in sorted(runs.items()):
        for statement in statements:
            tests_of.setdefault(statement, []).append(test)
    found: set[str] = set()
    run: set[str] = set()
    for statement, tests in sorted(tests_of.items(), key=lambda one: (len(one[1]), one[0])):
        if statement not in run:
            quickest = min(tests, key=lambda test: runs[test][0])
            found.add(quickest)
            run |= set(runs[quickest][1])
    return found


def needless(items: list[pytest.Item], runs: Runs) -> set[pytest.Item]:
    """Those of these tests whose statements others of them run; a test without notes isn't among them."""
    candidates = {
        item.nodeid: item for item in items if item.nodeid.startswith(CHOSEN) and item.nodeid in runs
    }
    kept = chosen({test: runs[test] for test in candidates})
    return {
        item
        for test, item in candidates.items()
        if test not in kept and not test.startswith(FAILURES) and not _at_once(item.path)
    }


@cache
def _at_once(file: Path) -> bool:
    return AT_ONCE.search(file.read_text(encoding="utf-8")) is not None
