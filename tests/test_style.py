"""What people read has none of the words that `tests/style.py` rules out."""

from itertools import chain
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot.cli import app
from tests.style import COVERED, ROOT, ruled_out

CLI = typer.main.get_command(app)


def offenders(glob: str) -> str:
    """A line for each ruled-out word in the files of a glob: where it is, and what to write instead."""
    files = sorted(ROOT.glob(glob))
    if not files:
        raise FileNotFoundError(glob)
    found = chain.from_iterable(ruled_out(file) for file in files)
    return "\n".join(f"{one.place}: “{one.words}”; write: {one.instead}" for one in found)


@pytest.mark.parametrize("glob", COVERED)
def test_no_ruled_out_word_in(glob: str) -> None:
    found = offenders(glob)
    assert not found, found


@pytest.mark.parametrize("command", ["", *sorted(getattr(CLI, "commands", {}))])
def test_no_ruled_out_word_in_the_help_of(command: str, tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    (tmp_path / "help.txt").write_text(shown.stdout, encoding="utf-8")
    assert ruled_out(tmp_path / "help.txt") == []


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.md", "The count starts\nanew now.", ["anew"]),
        ("a.md", "`x`\n\n```\nanew\n```\n", []),
        ("a.md", "A step. Who runs several gets one.", ["Who runs"]),
        ("a.md", "Ready? Who runs it?", []),
        ("a.md", "It takes up to 27 statements.", []),
        ("a.py", '"""A docstring: anew."""\nsaid = f"{1} starts anew"\n', ["anew"]),
        ("a.j2", "{# anew #}\nWhat shall it be?", ["shall"]),
    ],
)
def test_words_are_found_where_people_read_them(
    name: str, text: str, words: list[str], tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert [one.words.removeprefix(". ") for one in ruled_out(tmp_path / name)] == words
