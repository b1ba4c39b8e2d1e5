"""Where PostgreSQL can't be started, one line says so; CI takes that for a failure."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests import conftest
from tests.storage import postgres

ASKED: Any = cast(pytest.Config, SimpleNamespace(getoption=lambda _name: True))


@pytest.fixture
def _no_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres, "INSTALLED", tmp_path)


@pytest.mark.usefixtures("_no_programs")
def test_a_run_begins_with_the_reason() -> None:
    said = conftest.pytest_report_header()
    assert said is not None
    assert said.startswith("Tests on PostgreSQL are skipped: no PostgreSQL found")
    assert "\n" not in said


@pytest.mark.usefixtures("_no_programs")
@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_with_nothing_else_to_run_it_ends_there(monkeypatch: pytest.MonkeyPatch, ci: str, code: int) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(pytest.exit.Exception) as ended:
        conftest.pytest_configure(ASKED)
    assert ended.value.returncode == code
