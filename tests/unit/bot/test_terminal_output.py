"""What commands print on a terminal, and elsewhere."""

import sys
from io import StringIO

import pytest
from rich.console import Console

from bot.ops.findings import Finding
from bot.ops.terminal_output import Table, plain, show, show_findings, with_progress

TABLE = Table(("when", "to", "not sent"), [("Thu 10:00", "Jana [Hoffmann]", ""), ("Fri", "Mehmet", "")])


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_table_is_aligned_lines_without_empty_columns() -> None:
    assert list(plain(["2 messages", TABLE])) == [
        "2 messages",
        "when       to",
        "Thu 10:00  Jana [Hoffmann]",
        "Fri        Mehmet",
    ]


def test_a_terminal_gets_a_rich_table_with_the_same_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    show(["2 messages", TABLE])
    said = terminal.getvalue()
    assert said.startswith("2 messages\n")
    assert "\x1b[1m" in said, "the head is bold"
    for cell in ("when", "Thu 10:00", "Jana [Hoffmann]", "Mehmet"):
        assert cell in said
    assert "not sent" not in said


def test_a_table_fits_a_narrow_terminal() -> None:
    console = Console(file=StringIO(), width=20)
    with console.capture() as captured:
        console.print(TABLE.shown())
    assert max(map(len, captured.get().splitlines())) <= 20


def test_output_that_is_no_terminal_has_no_color(capsys: pytest.CaptureFixture[str]) -> None:
    show([TABLE])
    show_findings([Finding(True, "Scopes: all granted."), Finding(False, "No curator.", "Choose one.")])
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert said.endswith("ok    Scopes: all granted.\nTODO  No curator.\n      Choose one.\n")


def test_progress_goes_to_the_errors_and_changes_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setattr(sys, "stdout", stdout := StringIO())
    monkeypatch.setenv("TERM", "xterm")
    lines = ["Thu 05 Mar 10:00 [Berlin]", "    a message", ""]
    assert list(with_progress(lines, "Rehearsing")) == lines
    assert not stdout.getvalue()
    assert "Rehearsing" in terminal.getvalue()
