"""What commands print: tables, colors and progress on a terminal; plain lines anywhere else."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:  # imports Slack's SDK, which `--help` doesn't need
    from rich.table import Table as RichTable

    from bot.ops.findings import Finding


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under a head; columns without content are left out."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def lines(self) -> Iterator[str]:
        """Aligned plain text, without wrapping or cutting."""
        widths = [max(map(len, column)) if any(column) else 0 for column in self._columns()]
        widths = [width and max(width, len(name)) for width, name in zip(widths, self.head, strict=True)]
        for row in (self.head, *self.rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width)
            yield "  ".join(cells).rstrip()

    def _columns(self) -> Iterator[tuple[str, ...]]:
        return (tuple(row[at] for row in self.rows) for at in range(len(self.head)))

    def shown(self) -> "RichTable":
        """The table for Rich, which fits it to the terminal's width."""
        from rich import box  # noqa: PLC0415 - only a terminal needs it
        from rich.table import Table as RichTable  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        used = [at for at, column in enumerate(self._columns()) if any(column)]
        table = RichTable(*(self.head[at] for at in used), box=box.SIMPLE_HEAD, header_style="bold")
        for row in self.rows:
            table.add_row(*(Text(row[at]) for at in used))
        return table


Part = str | Table


def show(parts: Iterable[Part]) -> None:
    """Print lines and tables; a table gets its full form on a terminal only."""
    rich = sys.stdout.isatty()
    for part in parts:
        if isinstance(part, Table) and rich:
            from rich.console import Console  # noqa: PLC0415 - only a terminal needs it

            Console(highlight=False).print(part.shown())
        else:
            for line in plain([part]):
                typer.echo(line)


def plain(parts: Iterable[Part]) -> Iterator[str]:
    """The same as plain lines."""
    for part in parts:
        yield from part.lines() if isinstance(part, Table) else [part]


def show_findings(findings: Iterable["Finding"]) -> None:
    """Print checks with a mark each; colored on a terminal."""
    for finding in findings:
        mark = typer.style("ok  ", fg="green") if finding.ok else typer.style("TODO", fg="yellow", bold=True)
        typer.echo(f"{mark}  {finding.what}")
        if not finding.ok and finding.remedy:
            typer.echo(f"      {finding.remedy}")


def show_json(value: Any) -> None:
    """Print a value as JSON, for programs."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def with_progress(lines: Iterable[str], doing: str) -> Iterator[str]:
    """Pass lines on; if only errors go to a terminal, show there what is being done and the latest heading."""
    if sys.stdout.isatty() or not sys.stderr.isatty():
        yield from lines
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.markup import escape  # noqa: PLC0415

    with Console(stderr=True).status(doing) as status:
        for line in lines:
            if line and not line[0].isspace():
                status.update(f"{doing}: {escape(line[:80])}")
            yield line
