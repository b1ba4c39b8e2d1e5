"""Tests quote no words that people read, and every golden entry has its test."""

import re
from pathlib import Path

import pytest

from tests.contexts import golden_entries
from tests.quotes import FOLDERS, TESTS, quoted

GOLDEN = sorted(TESTS.rglob("golden/*.txt"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(TESTS)))
def test_words_are_not_quoted(folder: Path) -> None:
    modules = sorted(folder.rglob("*.py"))
    assert modules
    found = [place for path in modules for place in quoted(path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "is_quote"),
    [
        ('assert "checked in" in said.text', True),
        ('assert "Undo" not in said.words', True),
        ('assert said.text == "One person ran it"', True),
        ('assert f"Undone: {reason} no longer counts" in said', True),
        ('found = [one for one in posts if one.text.startswith("Demotion undone")]', True),
        ('raises(NotAllowed, match="who logged it")', True),
        ('assert "Add a plan" in message.buttons', True),
        ("assert MEMBER not in said.words", False),
        ('assert row.state == "open"', False),
        ("assert shown(said, Done).text == text", False),
        ('assert "send" in modes', False),
        ('assert_golden(said, "undone")', False),
        ('person.types("/exception send tone was off")', False),
    ],
)
def test_quotes_are_found(source: str, is_quote: bool, tmp_path: Path) -> None:
    path = tmp_path / "scenario.py"
    path.write_text(source, encoding="utf-8")
    assert bool(list(quoted(path))) == is_quote


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parents[1].name}/{path.stem}")
def test_every_golden_entry_is_compared(path: Path) -> None:
    """Its name stands in the test module, up to the colon before what varies."""
    module = path.parents[1] / f"{path.stem}.py"
    named = set(re.findall(r"""["']([\w-]+)[:"']""", module.read_text(encoding="utf-8")))
    assert {name for name in golden_entries(path) if name.partition(":")[0] not in named} == set()
