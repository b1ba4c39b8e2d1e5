"""The tables of an export: their columns, and each row as text that is safe in a spreadsheet."""

import csv
import io
import json
import unicodedata
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from textwrap import fill
from typing import IO, Any, Final, TextIO

from cadence.documents import dump_playbook
from cadence.flows.core import spec_of
from storage.queries import history, pilots
from storage.queries import playbooks as playbook_rows
from storage.work import UnitOfWork

_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""Characters that a spreadsheet may take for the beginning of a formula, also after invisible ones."""
_FIRST: Final = ("\t", "\r", "\n", "'")
"""Leading characters that it may ignore; and the apostrophe itself, so that it can be removed again."""
Cells = Iterator[list[str]]


def cell(value: object) -> str:
    """A value as text in a file.

    Text that begins like a formula, or with an apostrophe, gets an apostrophe in front: a spreadsheet then
    shows it unchanged. Removing one leading apostrophe restores the recorded text. Numbers are left as they
    are.
    """
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Enum():
            return str(value.value)
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds")
        case date():
            return value.isoformat()
        case float():
            return repr(value).removesuffix(".0")
        case int():
            return str(value)
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = str(value)
    return f"'{text}" if text.startswith(_FIRST) or _visible(text).startswith(_FORMULA) else text


def _visible(text: str) -> str:
    """Text from its first visible character: without leading spaces, control and format characters."""
    for at, char in enumerate(text):
        if not char.isspace() and unicodedata.category(char) not in {"Cc", "Cf"}:
            return text[at:]
    return ""


@dataclass(frozen=True, slots=True)
class ExportTable:
    """One file of an export.

    Args:
        name: of the file, without its ending.
        columns: the header.
        rows: the rows as values, in the order of the columns, of some playbooks or of all.
    """

    name: str
    columns: tuple[str, ...]
    rows: Callable[[UnitOfWork, Collection[int] | None], Iterator[list[Any]]]

    def lines(self, uow: UnitOfWork, playbooks: Collection[int] | None) -> Cells:
        """The header, then every row, as text."""
        yield list(self.columns)
        for row in self.rows(uow, playbooks):
            yield [cell(value) for value in row]


def _readings(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    kpis = history.kpis(uow, playbooks=playbooks)
    for page in history.readings(uow, playbooks=playbooks):
        for row in page:
            kpi = kpis.get(row.revision, {})
            units = {rail["name"]: rail["unit"] for rail in kpi.get("guardrails") or ()}
            name = row.guardrail or kpi.get("name", "")
            unit = units.get(row.guardrail, "") if row.guardrail else kpi.get("unit", "")
            yield [
                *(row.id, row.playbook, row.team, row.cycle, row.week, row.week_start),
                *(name, bool(row.guardrail), row.value, unit, row.typed, row.note),
                *(row.member, row.member_name, row.surface, row.tool, row.happened_at),
                *(row.reported_at, row.replaced_at),
            ]


def _attestations(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in history.check_ins(uow, playbooks=playbooks):
        drifted = history.drifted(uow, check_ins=[row.id for row in page])
        for row in page:
            steps = " ".join(f"{step}={mode}" for step, mode in drifted.get(row.id, ()))
            yield [
                *(row.id, row.playbook, row.team, row.cycle, row.week, row.week_start),
                *(row.attestation, row.runs, row.complete_inputs, row.value_events, steps, row.note),
                *(row.member, row.member_name, row.surface, row.answered_at, row.replaced_at),
            ]


def _exceptions(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in history.exceptions(uow, playbooks=playbooks):
        for row in page:
            yield [
                *(row.id, row.playbook, row.team, row.cycle, row.step),
                *(row.critical, row.reason, row.link),
                *(row.member, row.member_name, row.surface, row.tool, row.happened_at),
                *(row.logged_at, row.withdrawn_at),
            ]


def _measured_runs(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in history.measured_runs(uow, playbooks=playbooks):
        for row in page:
            yield [
                *(row.id, row.playbook, row.team, row.cycle, row.week, row.week_start, row.step),
                *(row.member, row.member_name, row.runs, row.tool, row.surface, row.source),
                *(row.happened_at, row.recorded_at, row.replaced_by),
            ]


def _check_results(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in history.check_results(uow, playbooks=playbooks):
        for row in page:
            yield [
                *(row.id, row.playbook, row.team, row.cycle, row.step, row.name),
                *(row.samples, row.passes, row.note, row.link, row.tool, row.surface, row.source),
                *(row.happened_at, row.recorded_at),
            ]


def _verdicts(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in history.verdicts(uow, playbooks=playbooks):
        for row in page:
            yield [
                *(row.id, row.playbook, row.team, row.cycle, row.step, row.decision, row.line),
                *(row.mode, row.fallback, row.lands_on, row.exceptions, row.critical),
                *(
                    row.measured,
                    row.attested,
                    row.assumed,
                    row.ratio,
                    row.cap,
                    row.probability,
                    row.demote_at,
                ),
                *(row.rule, row.min_runs, row.min_exceptions, row.confidence, row.closing),
                *(row.window_from, row.top_reason, row.top_reason_count, row.cause, row.judged_at),
            ]


def _courses(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in history.course_changes(uow, playbooks=playbooks):
        for row in page:
            yield [
                *(row.id, row.playbook, row.team, row.week_start, row.course),
                *(" ".join(row.evidence.get("lines", ())), row.evidence, row.judged_at),
            ]


def _assessments(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in history.assessments(uow, playbooks=playbooks):
        for row in page:
            yield [
                *(row.id, row.playbook, row.team, row.manual_work, row.changed_for_ai, row.local_knowledge),
                *(row.feedback, row.reviewer, row.practices),
                *(row.member, row.surface, row.assessed_at, row.replaced_at),
            ]


def _cutovers(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in history.cutovers(uow, playbooks=playbooks):
        for row in page:
            yield [
                *(row.id, row.playbook, row.team, row.state, row.figures),
                *(row.member, row.surface, row.decided_at),
            ]


def _training_samples(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in history.training_samples(uow, playbooks=playbooks):
        for row in page:
            yield [
                *(row.id, row.playbook, row.step, row.text, row.passed, row.note),
                *(row.added_by, row.added_at, row.removed_at),
            ]


def _training_grades(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in history.training_grades(uow, playbooks=playbooks):
        for row in page:
            yield [
                *(row.id, row.playbook, row.team, row.sample_id, row.passed),
                *(row.member, row.graded_at, row.replaced_at),
            ]


def _trail(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in history.trail(uow, playbooks=playbooks):
        for one in page:
            row = one.row
            yield [
                *(row.id, row.at, row.member, row.member_name, row.action, row.subject),
                *(one.playbook, one.team, row.surface, row.before, row.after, row.correlation_id),
            ]


def _waves(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for row in history.waves(uow, playbooks=playbooks):
        yield [
            *(row.id, row.playbook, row.number, row.phase, row.state, row.reason),
            *(row.planned_by, row.planned_at, row.opened_by, row.opened_at, row.gate),
        ]


def _wave_teams(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for row in history.wave_teams(uow, playbooks=playbooks):
        yield [
            *(row.id, row.playbook, row.wave, row.team, row.champion, row.has_capacity),
            *(row.added_by, row.added_at, row.removed_at),
        ]


def _adoption_requests(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for row in history.adoption_requests(uow, playbooks=playbooks):
        yield [
            *(row.id, row.playbook, row.team, row.member, row.reason, row.surface),
            *(row.asked_at, row.withdrawn_at),
        ]


def _adaptations(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for row in history.adaptations(uow, playbooks=playbooks):
        yield [
            *(row.id, row.playbook, row.team, row.part, row.text, row.member, row.surface),
            *(row.adapted_at, row.replaced_at),
        ]


def _pilot_reviews(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for row, slug, revision in pilots.every_review(uow, playbooks=playbooks):
        yield [
            *(row.id, slug, revision, row.state, row.asked_by, row.surface, row.asked_at),
            *(row.decided_by, row.decided_at, row.remark),
        ]


def _duties(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for row, slug, name in pilots.every_duty(uow, playbooks=playbooks):
        yield [row.id, slug, row.duty, row.member, name, row.named_by, row.named_at, row.ended_at]


TABLES: Final = (
    ExportTable(
        "readings",
        (
            *(
                "id",
                "playbook",
                "team",
                "cycle",
                "week",
                "week_start",
                "number",
                "guardrail",
                "value",
                "unit",
            ),
            *("typed", "note", "member", "member_name", "surface", "tool", "happened_at"),
            *("reported_at", "replaced_at"),
        ),
        _readings,
    ),
    ExportTable(
        "attestations",
        (
            *("id", "playbook", "team", "cycle", "week", "week_start", "attestation", "runs"),
            *(
                "runs_with_complete_inputs",
                "value_events",
                "drifted_steps",
                "note",
                "member",
                "member_name",
                "surface",
            ),
            *("answered_at", "replaced_at"),
        ),
        _attestations,
    ),
    ExportTable(
        "exceptions",
        (
            *("id", "playbook", "team", "cycle", "step", "critical", "reason", "link", "member"),
            *("member_name", "surface", "tool", "happened_at", "logged_at", "withdrawn_at"),
        ),
        _exceptions,
    ),
    ExportTable(
        "measured_runs",
        (
            *("id", "playbook", "team", "cycle", "week", "week_start", "step", "member", "member_name"),
            *("runs", "tool", "surface", "source", "happened_at", "recorded_at", "replaced_by"),
        ),
        _measured_runs,
    ),
    ExportTable(
        "check_results",
        (
            *("id", "playbook", "team", "cycle", "step", "check", "samples", "passes", "note", "link"),
            *("tool", "surface", "source", "happened_at", "recorded_at"),
        ),
        _check_results,
    ),
    ExportTable(
        "verdicts",
        (
            *("id", "playbook", "team", "cycle", "step", "decision", "line", "mode", "fallback"),
            *("lands_on", "exceptions", "critical_exceptions", "runs_measured"),
            *("runs_attested", "runs_assumed", "ratio"),
            *("cap", "probability", "demote_at", "rule", "min_runs", "min_exceptions", "confidence"),
            *("at_close", "window_from", "most_frequent_reason", "most_frequent_reason_count", "cause"),
            "judged_at",
        ),
        _verdicts,
    ),
    ExportTable(
        "course_changes",
        ("id", "playbook", "team", "week_start", "course", "lines", "evidence", "judged_at"),
        _courses,
    ),
    ExportTable(
        "assessments",
        (
            *("id", "playbook", "team", "manual_work", "changed_for_ai", "local_knowledge", "feedback"),
            *("reviewer", "practices", "member", "surface", "assessed_at", "replaced_at"),
        ),
        _assessments,
    ),
    ExportTable(
        "cutovers",
        ("id", "playbook", "team", "state", "figures", "member", "surface", "decided_at"),
        _cutovers,
    ),
    ExportTable(
        "training_samples",
        ("id", "playbook", "step", "text", "accepted", "note", "added_by", "added_at", "removed_at"),
        _training_samples,
    ),
    ExportTable(
        "training_grades",
        ("id", "playbook", "team", "sample", "accepted", "member", "graded_at", "replaced_at"),
        _training_grades,
    ),
    ExportTable(
        "waves",
        (
            *("id", "playbook", "wave", "phase", "state", "reason", "planned_by", "planned_at", "opened_by"),
            *("opened_at", "gate"),
        ),
        _waves,
    ),
    ExportTable(
        "wave_teams",
        (
            *("id", "playbook", "wave", "team", "champion", "has_room", "added_by", "added_at"),
            "removed_at",
        ),
        _wave_teams,
    ),
    ExportTable(
        "adoption_requests",
        ("id", "playbook", "team", "member", "reason", "surface", "asked_at", "withdrawn_at"),
        _adoption_requests,
    ),
    ExportTable(
        "adaptations",
        ("id", "playbook", "team", "part", "text", "member", "surface", "adapted_at", "replaced_at"),
        _adaptations,
    ),
    ExportTable(
        "pilot_reviews",
        (
            *("id", "playbook", "revision", "state", "asked_by", "surface", "asked_at"),
            *("decided_by", "decided_at", "remark"),
        ),
        _pilot_reviews,
    ),
    ExportTable(
        "duties",
        ("id", "playbook", "duty", "member", "member_name", "named_by", "named_at", "ended_at"),
        _duties,
    ),
    ExportTable(
        "trail",
        (
            *("id", "at", "member", "member_name", "action", "subject", "playbook", "team", "surface"),
            *("before", "after", "request"),
        ),
        _trail,
    ),
)
"""Every file of an export, including corrected rows: those have `replaced_at` or `withdrawn_at`."""


Opener = Callable[[str], AbstractContextManager[TextIO]]
"""Opens a file of the export for writing text, by its name."""
ABOUT: Final = f"""\
Rollout Cadence: what was recorded.

{fill(", ".join(table.name for table in TABLES) + ": CSV as RFC 4180 has it, UTF-8, a header first.", 110)}
Nothing reported is ever changed: a row that was corrected stays, and replaced_at says since when. A duty that
somebody else took over has ended_at. A tool's count has in replaced_by the id of the later one that replaced it.
Times are ISO 8601 in UTC, with their offset. Shares (ratio, cap, probability) are 0 to 1.
Text that a spreadsheet could take for a formula has an apostrophe in front, and so has text that begins with
one: take one leading apostrophe off to get what was written.
playbooks: the newest revision of each as YAML, which imports to the same rows.
"""


def write_zip(uow: UnitOfWork, out: IO[bytes], *, playbooks: Collection[int] | None) -> None:
    """Write the records of some playbooks, or of the workspace, as a ZIP archive; rows are streamed."""
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
        _write(uow, opened, playbooks=playbooks)


def write_folder(uow: UnitOfWork, folder: Path, *, playbooks: Collection[int] | None) -> dict[str, int]:
    """Write the same files into a folder, replacing earlier ones; returns the row count of each.

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

    return _write(uow, opened, playbooks=playbooks)


def _write(uow: UnitOfWork, opened: Opener, *, playbooks: Collection[int] | None) -> dict[str, int]:
    counts = {}
    with uow.read():
        for table in TABLES:
            name = f"{table.name}.csv"
            with opened(name) as text:
                writer = csv.writer(text)
                lines = -1  # the header isn't a row
                for line in table.lines(uow, playbooks):
                    writer.writerow(line)
                    lines += 1
            counts[name] = lines
        for slug, yaml in _playbooks(uow, playbooks):
            with opened(f"playbooks/{slug}.yaml") as text:
                text.write(yaml)
    return counts


def _playbooks(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[tuple[str, str]]:
    for row in playbook_rows.playbooks(uow):
        if playbooks is not None and row.id not in playbooks:
            continue
        newest = playbook_rows.newest_version(uow, playbook_id=row.id or 0)
        if newest is not None:
            yield row.slug, dump_playbook(spec_of(uow, newest))
