"""Write an export: one CSV file a table and one YAML file a playbook, into a ZIP archive or a folder."""

import csv
import io
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Final, TextIO

from sqlmodel import Session

from cadence.documents import dump_playbook, playbook_from_data
from cadence.flows.export_tables import TABLES
from storage import playbooks as playbook_rows
from storage.engine import Database

Opener = Callable[[str], AbstractContextManager[TextIO]]
"""Opens a file of the export to write text into, by its name."""
ABOUT: Final = """\
Rollout Cadence: what was recorded.

readings, attestations, exceptions, verdicts, trail: CSV as RFC 4180 has it, UTF-8, a header first.
Nothing reported is ever changed: a row that was corrected stays, and replaced_at says since when.
Times are ISO 8601 in UTC, with their offset. Shares (ratio, cap, probability) are 0 to 1.
Text that a spreadsheet could take for a formula has an apostrophe in front, and so has text that begins with
one: take one leading apostrophe off to get what was written.
playbooks: the newest revision of each as YAML, which imports to the same rows.
"""


def write_zip(db: Database, out: IO[bytes], *, workspace_id: str, playbooks: Collection[int] | None) -> None:
    """Write everything of some playbooks, or of the workspace, as a ZIP archive; rows pass through one by one."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:

        @contextmanager
        def opened(name: str) -> Iterator[TextIO]:
            with (
                archive.open(name, "w", force_zip64=True) as raw,
                io.TextIOWrapper(raw, encoding="utf-8", newline="") as text,
            ):
                yield text

        with opened("about.txt") as text:
            text.write(ABOUT)
        _write(db, opened, workspace_id=workspace_id, playbooks=playbooks)


def write_folder(
    db: Database, folder: Path, *, workspace_id: str, playbooks: Collection[int] | None
) -> dict[str, int]:
    """Write the same files into a folder, replacing what an earlier export left; returns the rows of each.

    Raises:
        OSError: the folder can't be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def opened(name: str) -> Iterator[TextIO]:
        place = folder / name
        place.parent.mkdir(exist_ok=True)
        part = place.with_name(f".{place.name}.part")
        try:
            with part.open("w", encoding="utf-8", newline="") as text:
                yield text
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)

    return _write(db, opened, workspace_id=workspace_id, playbooks=playbooks)


def _write(
    db: Database, opened: Opener, *, workspace_id: str, playbooks: Collection[int] | None
) -> dict[str, int]:
    counts = {}
    with db.read() as session:
        for table in TABLES:
            name = f"{table.name}.csv"
            with opened(name) as text:
                writer = csv.writer(text)
                lines = -1  # the header is none
                for line in table.lines(session, workspace_id, playbooks):
                    writer.writerow(line)
                    lines += 1
            counts[name] = lines
        for slug, yaml in _playbooks(session, workspace_id, playbooks):
            with opened(f"playbooks/{slug}.yaml") as text:
                text.write(yaml)
    return counts


def _playbooks(
    session: Session, workspace_id: str, playbooks: Collection[int] | None
) -> Iterator[tuple[str, str]]:
    for row in playbook_rows.playbooks(session, workspace_id=workspace_id):
        if playbooks is not None and row.id not in playbooks:
            continue
        newest = playbook_rows.newest_version(session, workspace_id=workspace_id, playbook_id=row.id or 0)
        if newest is not None:
            yield row.slug, dump_playbook(playbook_from_data(newest.spec))
