"""The tables of an export: their columns, and each row as text that a spreadsheet reads without harm."""

import json
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Final

from sqlmodel import Session

from storage import exports

_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the beginning of a formula, also after characters that nobody sees."""
_FIRST: Final = ("\t", "\r", "\n", "'")
"""What it may leave out at the beginning; and the mark itself, so that it can be taken off."""
Cells = Iterator[list[str]]


def cell(value: object) -> str:
    """A value as it stands in a file.

    Text that begins like a formula, or with an apostrophe, gets an apostrophe in front: a spreadsheet then shows
    it as it is. Taking one leading apostrophe off gives back what was recorded. Numbers are left as they are.
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
    """Text from its first character that can be seen: spaces, control and format characters can't."""
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
    rows: Callable[[Session, str, Collection[int] | None], Iterator[list[Any]]]

    def lines(self, session: Session, workspace_id: str, playbooks: Collection[int] | None) -> Cells:
        """The header, then every row, as text."""
        yield list(self.columns)
        for row in self.rows(session, workspace_id, playbooks):
            yield [cell(value) for value in row]


def _readings(session: Session, workspace_id: str, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    kpis = exports.kpis(session, workspace_id=workspace_id, playbooks=playbooks)
    for page in exports.readings(session, workspace_id=workspace_id, playbooks=playbooks):
        for row in page:
            kpi = kpis.get(row.revision, {})
            units = {rail["name"]: rail["unit"] for rail in kpi.get("guardrails") or ()}
            name = row.guardrail or kpi.get("name", "")
            unit = units.get(row.guardrail, "") if row.guardrail else kpi.get("unit", "")
            yield [
                *(row.id, row.playbook, row.team, row.cycle, row.week, row.week_start),
                *(name, bool(row.guardrail), row.value, unit, row.typed, row.note),
                *(row.member, row.member_name, row.surface, row.reported_at, row.replaced_at),
            ]


def _attestations(
    session: Session, workspace_id: str, playbooks: Collection[int] | None
) -> Iterator[list[Any]]:
    for page in exports.check_ins(session, workspace_id=workspace_id, playbooks=playbooks):
        drifted = exports.drifted(session, workspace_id=workspace_id, check_ins=[row.id for row in page])
        for row in page:
            steps = " ".join(f"{step}={mode}" for step, mode in drifted.get(row.id, ()))
            yield [
                *(row.id, row.playbook, row.team, row.cycle, row.week, row.week_start),
                *(row.attestation, row.runs, row.complete_inputs, steps, row.note),
                *(row.member, row.member_name, row.surface, row.answered_at, row.replaced_at),
            ]


def _exceptions(
    session: Session, workspace_id: str, playbooks: Collection[int] | None
) -> Iterator[list[Any]]:
    for page in exports.exceptions(session, workspace_id=workspace_id, playbooks=playbooks):
        for row in page:
            yield [
                *(row.id, row.playbook, row.team, row.cycle, row.step),
                *(row.critical, row.reason, row.link),
                *(row.member, row.member_name, row.surface, row.logged_at, row.withdrawn_at),
            ]


def _verdicts(session: Session, workspace_id: str, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in exports.verdicts(session, workspace_id=workspace_id, playbooks=playbooks):
        for row in page:
            yield [
                *(row.id, row.playbook, row.team, row.cycle, row.step, row.decision, row.line),
                *(row.mode, row.fallback, row.lands_on, row.exceptions, row.critical),
                *(row.attested, row.assumed, row.ratio, row.cap, row.probability, row.demote_at),
                *(row.rule, row.min_runs, row.min_exceptions, row.confidence, row.closing),
                *(row.window_from, row.top_reason, row.top_reason_count, row.cause, row.judged_at),
            ]


def _trail(session: Session, workspace_id: str, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in exports.trail(session, workspace_id=workspace_id, playbooks=playbooks):
        for one in page:
            row = one.row
            yield [
                *(row.id, row.at, row.member, row.member_name, row.action, row.subject),
                *(one.playbook, one.team, row.surface, row.before, row.after, row.correlation_id),
            ]


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
            *("typed", "note", "member", "member_name", "surface", "reported_at", "replaced_at"),
        ),
        _readings,
    ),
    ExportTable(
        "attestations",
        (
            *("id", "playbook", "team", "cycle", "week", "week_start", "attestation", "runs"),
            *("runs_with_complete_inputs", "drifted_steps", "note", "member", "member_name", "surface"),
            *("answered_at", "replaced_at"),
        ),
        _attestations,
    ),
    ExportTable(
        "exceptions",
        (
            *("id", "playbook", "team", "cycle", "step", "critical", "reason", "link", "member"),
            *("member_name", "surface", "logged_at", "withdrawn_at"),
        ),
        _exceptions,
    ),
    ExportTable(
        "verdicts",
        (
            *("id", "playbook", "team", "cycle", "step", "decision", "line", "mode", "fallback"),
            *("lands_on", "exceptions", "critical_exceptions", "runs_attested", "runs_assumed", "ratio"),
            *("cap", "probability", "demote_at", "rule", "min_runs", "min_exceptions", "confidence"),
            *("at_close", "window_from", "most_frequent_reason", "most_frequent_reason_count", "cause"),
            "judged_at",
        ),
        _verdicts,
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
"""Every file of an export, what was corrected since too: such a row has `replaced_at` or `withdrawn_at`."""
