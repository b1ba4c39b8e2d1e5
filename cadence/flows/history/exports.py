"""The tables of an export: their columns, and each row as text that a spreadsheet reads without harm."""

import csv
import io
import json
import unicodedata
import zipfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, TextIO

from cadence.actor import Actor
from cadence.documents import dump_playbook, playbook_from_data
from cadence.flows.core import (
    NOT_ATTACHED,
    Attach,
    Composed,
    Say,
    Skip,
    is_curator,
    note,
    once,
    require_curator,
    require_owner_or_curator,
    require_playbook,
    require_workspace,
    zone_of,
)
from cadence.mrkdwn import Mrkdwn, code, escape, say
from cadence.nudges import Unless
from cadence.refusals import Refusal
from cadence.rules.sight import Fact
from storage.outbox import ledger
from storage.outbox.ledger import Owed
from storage.queries import exports, playbooks
from storage.queries import playbooks as playbook_rows
from storage.tables import MessageState, OwedMessage, Playbook
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.forms import ExportForm

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
    rows: Callable[[UnitOfWork, Collection[int] | None], Iterator[list[Any]]]

    def lines(self, uow: UnitOfWork, playbooks: Collection[int] | None) -> Cells:
        """The header, then every row, as text."""
        yield list(self.columns)
        for row in self.rows(uow, playbooks):
            yield [cell(value) for value in row]


def _readings(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    kpis = exports.kpis(uow, playbooks=playbooks)
    for page in exports.readings(uow, playbooks=playbooks):
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


def _attestations(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in exports.check_ins(uow, playbooks=playbooks):
        drifted = exports.drifted(uow, check_ins=[row.id for row in page])
        for row in page:
            steps = " ".join(f"{step}={mode}" for step, mode in drifted.get(row.id, ()))
            yield [
                *(row.id, row.playbook, row.team, row.cycle, row.week, row.week_start),
                *(row.attestation, row.runs, row.complete_inputs, steps, row.note),
                *(row.member, row.member_name, row.surface, row.answered_at, row.replaced_at),
            ]


def _exceptions(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in exports.exceptions(uow, playbooks=playbooks):
        for row in page:
            yield [
                *(row.id, row.playbook, row.team, row.cycle, row.step),
                *(row.critical, row.reason, row.link),
                *(row.member, row.member_name, row.surface, row.logged_at, row.withdrawn_at),
            ]


def _verdicts(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in exports.verdicts(uow, playbooks=playbooks):
        for row in page:
            yield [
                *(row.id, row.playbook, row.team, row.cycle, row.step, row.decision, row.line),
                *(row.mode, row.fallback, row.lands_on, row.exceptions, row.critical),
                *(row.attested, row.assumed, row.ratio, row.cap, row.probability, row.demote_at),
                *(row.rule, row.min_runs, row.min_exceptions, row.confidence, row.closing),
                *(row.window_from, row.top_reason, row.top_reason_count, row.cause, row.judged_at),
            ]


def _trail(uow: UnitOfWork, playbooks: Collection[int] | None) -> Iterator[list[Any]]:
    for page in exports.trail(uow, playbooks=playbooks):
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


def write_zip(uow: UnitOfWork, out: IO[bytes], *, playbooks: Collection[int] | None) -> None:
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
        _write(uow, opened, playbooks=playbooks)


def write_folder(uow: UnitOfWork, folder: Path, *, playbooks: Collection[int] | None) -> dict[str, int]:
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

    return _write(uow, opened, playbooks=playbooks)


def _write(uow: UnitOfWork, opened: Opener, *, playbooks: Collection[int] | None) -> dict[str, int]:
    counts = {}
    with uow.read():
        for table in TABLES:
            name = f"{table.name}.csv"
            with opened(name) as text:
                writer = csv.writer(text)
                lines = -1  # the header is none
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
            yield row.slug, dump_playbook(playbook_from_data(newest.spec))


KIND: Final = "export"
USEFUL: Final = timedelta(hours=24)
SHOWN: Final = 3
"""Playbooks that an export names."""
_TO: Final = Fact.RECORDS


def export_form(uow: UnitOfWork) -> ExportForm:
    """The form to choose what to export: a curator's playbooks are all, an owner's their own.

    Raises:
        NotAllowed: neither an owner nor a curator.
    """
    with uow.read():
        rows = _own(uow)
        return ExportForm(
            playbooks=tuple(Choice(label=row.title, value=row.slug) for row in rows),
            curator=is_curator(uow),
        )


@once
def ask_export(uow: UnitOfWork, *, playbook: str | None) -> Done:
    """Owe the caller a file with everything of a playbook, or of all of theirs; asked twice, it comes once.

    Raises:
        Unknown: there is no such playbook.
        NotAllowed: neither its owner nor a curator.
    """
    with uow.write():
        require_workspace(uow)
        if playbook is not None:
            row = require_playbook(uow, playbook)
            require_owner_or_curator(uow, owner=row.owner, to=f"export {row.title}")
            chosen: list[int] | None = [row.id or 0]
            what = escape(row.title)
        else:
            rows = _own(uow)
            curator = is_curator(uow)
            chosen = None if curator else [row.id or 0 for row in rows]
            what = Mrkdwn("the whole workspace") if curator else say("all {n} of your playbooks", n=len(rows))
        subject: dict[str, object] = {"playbooks": chosen}
        if not _is_on_its_way(uow, subject):
            _owe(uow, subject, slug=playbook)
        return Done(
            text=say(
                "The export of {what} is being made. It arrives as a ZIP file in our direct messages, "
                "in a minute or so.",
                what=what,
            )
        )


def export_folder(uow: UnitOfWork, folder: Path, slugs: Sequence[str]) -> dict[str, int]:
    """Write everything of these playbooks, or of the whole workspace, into a folder; returns the rows of each file.

    Raises:
        Unknown: there is no such playbook.
        NotAllowed: neither its owner nor a curator.
        OSError: the folder can't be written to.
    """
    with uow.read():
        require_workspace(uow)
        chosen = [require_playbook(uow, slug) for slug in slugs]
        for row in chosen:
            require_owner_or_curator(uow, owner=row.owner, to=f"export {row.title}")
        if not slugs:
            require_curator(uow, to=_TO)
    return write_folder(uow, folder, playbooks=[row.id or 0 for row in chosen] if slugs else None)


def _own(uow: UnitOfWork) -> Sequence[Playbook]:
    """The playbooks whose records somebody may have.

    Raises:
        NotAllowed: none of them.
        Refusal: there are none at all.
    """
    require_workspace(uow)
    rows = playbooks.playbooks(uow)
    if not is_curator(uow):
        rows = [row for row in rows if row.owner == uow.actor.member]
        if not rows:
            require_curator(uow, to=f"{_TO}; an owner may for a playbook of theirs")
    if not rows:
        raise Refusal("There's no playbook yet, so nothing is recorded. `/cadence playbook import` adds one.")
    return rows


def _prefix(caller: Actor) -> str:
    return f"{KIND}:{caller.workspace_id}:{caller.member}"


def _is_on_its_way(uow: UnitOfWork, subject: dict[str, object]) -> bool:
    rows = ledger.by_prefix(uow, prefix=_prefix(uow.actor))
    return any(row.state is MessageState.DUE and row.subject == subject for row in rows)


def _owe(uow: UnitOfWork, subject: dict[str, object], *, slug: str | None) -> None:
    new = ledger.owe(
        uow,
        owed=[
            Owed(
                key=f"{_prefix(uow.actor)}:{uow.actor.request}"[:255],
                kind=KIND,
                recipient=uow.actor.member,
                subject=subject,
                due_at=uow.now,
                useful_until=uow.now + USEFUL,
            )
        ],
        correlation_id=uow.actor.request,
    )
    if new:
        note(
            uow,
            action="exported",
            subject=f"playbook:{slug}" if slug else f"workspace:{uow.actor.workspace_id}",
        )


def export_file(uow: UnitOfWork, message: OwedMessage) -> Composed:
    """The file, for whoever asked, if it is still theirs to have; a sentence instead when Slack takes no files."""
    workspace = require_workspace(uow)
    caller = Actor(workspace.id, message.recipient, "worker")
    chosen: list[int] | None = message.subject["playbooks"]
    rows = playbooks.playbooks(uow)
    if not is_curator(uow.by(caller)):
        theirs = {row.id for row in rows if row.owner == caller.member}
        if chosen is None or not theirs.issuperset(chosen):
            return Skip(Unless.NOT_THEIRS)
    if message.reason.startswith(NOT_ATTACHED):
        return Say(_not_attached(message.reason.removeprefix(NOT_ATTACHED).strip(": ")))
    asked = message.created_at.astimezone(zone_of(uow, workspace, message.recipient))
    name = next((row.slug for row in rows if chosen == [row.id]), "rollout-cadence")
    inside = _inside([row.title for row in rows if chosen is not None and row.id in chosen])
    return Attach(
        file=f"{name}-{asked:%Y-%m-%d}-{message.id}.zip",
        title=f"Export of {inside}, {asked:%-d %B %Y, %H:%M}",
        comment=say(
            "Here is the export you asked for, of {inside}: CSV files, and about.txt says how to read them.",
            inside=inside,
        ),
        write=partial(write_zip, uow, playbooks=chosen),
    )


def _inside(titles: Sequence[str]) -> str:
    """What a file holds: the first playbooks' titles; the whole workspace when it isn't narrowed to any."""
    if not titles:
        return "the whole workspace"
    more = f" and {len(titles) - SHOWN} more playbooks" if len(titles) > SHOWN else ""
    return ", ".join(title[:60] for title in titles[:SHOWN]) + more


_FILE_REMEDIES: Final = {
    "missing_scope": "An admin can add the files:write scope under “OAuth & Permissions” and reinstall the app; "
    "then ask for the export again.",
    "storage_limit_reached": "Your workspace's file storage is full. Ask again once an admin has made room.",
} | dict.fromkeys(
    (
        "file_uploads_disabled",
        "file_uploads_except_images_disabled",
        "file_type_not_allowed",
        "access_denied",
    ),
    "Your workspace doesn't allow files like this one. An admin can allow them; then ask for the export again.",
)
"""What to do about a file that Slack didn't accept, by Slack's word for it."""


def _not_attached(error: str) -> Done:
    remedy = _FILE_REMEDIES.get(error, "Try the export again later.")
    return Done(
        text=say(
            "Your export is ready, but Slack didn't accept the file ({error}). {remedy} To have it now, ask "
            "whoever runs the bot to write the same files on its server with {command}.",
            error=code(error),
            remedy=remedy,
            command=code("cadence export --csv FOLDER"),
        )
    )
