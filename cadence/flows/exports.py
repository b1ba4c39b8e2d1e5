"""`/cadence export`: who may have what was recorded, and the file that arrives in their DM."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from sqlmodel import Session

from cadence.flows.callers import Caller, is_curator, require_curator, require_owner_or_curator
from cadence.flows.composed import NOT_ATTACHED, Attach, Composed, Say, Skip
from cadence.flows.export_files import write_folder, write_zip
from cadence.flows.lookups import require_playbook
from cadence.flows.noting import note
from cadence.flows.people import zone_of
from cadence.flows.repeats import once
from cadence.flows.runs import require_workspace
from cadence.mrkdwn import Mrkdwn, code, escape, say
from cadence.nudges import Unless
from cadence.refusals import Refusal
from cadence.rules.sight import Fact
from storage import ledger, playbooks
from storage.engine import Database
from storage.ledger import Owed
from storage.tables import MessageState, OwedMessage, Playbook
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.forms import ExportForm

KIND: Final = "export"
USEFUL: Final = timedelta(hours=24)
SHOWN: Final = 3
"""Playbooks that an export names."""
_TO: Final = Fact.RECORDS


def export_form(db: Database, caller: Caller) -> ExportForm:
    """The form to choose what to export: a curator's playbooks are all, an owner's their own.

    Raises:
        NotAllowed: neither an owner nor a curator.
    """
    with db.read() as session:
        rows = _own(session, caller)
        return ExportForm(
            playbooks=tuple(Choice(label=row.title, value=row.slug) for row in rows),
            curator=is_curator(session, caller),
        )


@once
def ask_export(db: Database, caller: Caller, *, playbook: str | None, now: datetime) -> Done:
    """Owe the caller a file with everything of a playbook, or of all of theirs; asked twice, it comes once.

    Raises:
        Unknown: there is no such playbook.
        NotAllowed: neither its owner nor a curator.
    """
    with db.write() as session:
        workspace = require_workspace(session, caller.workspace_id)
        if playbook is not None:
            row = require_playbook(session, workspace.id, playbook)
            require_owner_or_curator(session, caller, owner=row.owner, to=f"export {row.title}")
            chosen: list[int] | None = [row.id or 0]
            what = escape(row.title)
        else:
            rows = _own(session, caller)
            curator = is_curator(session, caller)
            chosen = None if curator else [row.id or 0 for row in rows]
            what = Mrkdwn("the whole workspace") if curator else say("all {n} of your playbooks", n=len(rows))
        subject: dict[str, object] = {"playbooks": chosen}
        if not _is_on_its_way(session, caller, subject):
            _owe(session, caller, subject, slug=playbook, now=now)
        return Done(
            text=say(
                "The export of {what} is being made. It arrives as a ZIP file in our direct messages, "
                "in a minute or so.",
                what=what,
            )
        )


def export_folder(db: Database, caller: Caller, folder: Path, slugs: Sequence[str]) -> dict[str, int]:
    """Write everything of these playbooks, or of the whole workspace, into a folder; returns the rows of each file.

    Raises:
        Unknown: there is no such playbook.
        NotAllowed: neither its owner nor a curator.
        OSError: the folder can't be written to.
    """
    with db.read() as session:
        workspace = require_workspace(session, caller.workspace_id)
        chosen = [require_playbook(session, workspace.id, slug) for slug in slugs]
        for row in chosen:
            require_owner_or_curator(session, caller, owner=row.owner, to=f"export {row.title}")
        if not slugs:
            require_curator(session, caller, to=_TO)
    return write_folder(
        db, folder, workspace_id=workspace.id, playbooks=[row.id or 0 for row in chosen] if slugs else None
    )


def _own(session: Session, caller: Caller) -> Sequence[Playbook]:
    """The playbooks whose records somebody may have.

    Raises:
        NotAllowed: none of them.
        Refusal: there are none at all.
    """
    workspace = require_workspace(session, caller.workspace_id)
    rows = playbooks.playbooks(session, workspace_id=workspace.id)
    if not is_curator(session, caller):
        rows = [row for row in rows if row.owner == caller.member]
        if not rows:
            require_curator(session, caller, to=f"{_TO}; an owner may for a playbook of theirs")
    if not rows:
        raise Refusal("There's no playbook yet, so nothing is recorded. `/cadence playbook import` adds one.")
    return rows


def _prefix(caller: Caller) -> str:
    return f"{KIND}:{caller.workspace_id}:{caller.member}"


def _is_on_its_way(session: Session, caller: Caller, subject: dict[str, object]) -> bool:
    rows = ledger.by_prefix(session, workspace_id=caller.workspace_id, prefix=_prefix(caller))
    return any(row.state is MessageState.DUE and row.subject == subject for row in rows)


def _owe(
    session: Session, caller: Caller, subject: dict[str, object], *, slug: str | None, now: datetime
) -> None:
    new = ledger.owe(
        session,
        workspace_id=caller.workspace_id,
        owed=[
            Owed(
                key=f"{_prefix(caller)}:{caller.request}"[:255],
                kind=KIND,
                recipient=caller.member,
                subject=subject,
                due_at=now,
                useful_until=now + USEFUL,
            )
        ],
        now=now,
        correlation_id=caller.request,
    )
    if new:
        note(
            session,
            caller,
            action="exported",
            subject=f"playbook:{slug}" if slug else f"workspace:{caller.workspace_id}",
            now=now,
        )


def export_file(session: Session, message: OwedMessage, _now: datetime) -> Composed:
    """The file, for whoever asked, if it is still theirs to have; a sentence instead when Slack takes no files."""
    workspace = require_workspace(session, message.workspace_id)
    caller = Caller(workspace.id, message.recipient, "worker")
    chosen: list[int] | None = message.subject["playbooks"]
    rows = playbooks.playbooks(session, workspace_id=workspace.id)
    if not is_curator(session, caller):
        theirs = {row.id for row in rows if row.owner == caller.member}
        if chosen is None or not theirs.issuperset(chosen):
            return Skip(Unless.NOT_THEIRS)
    if message.reason.startswith(NOT_ATTACHED):
        return Say(_not_attached(message.reason.removeprefix(NOT_ATTACHED).strip(": ")))
    asked = message.created_at.astimezone(zone_of(session, workspace, message.recipient))
    name = next((row.slug for row in rows if chosen == [row.id]), "rollout-cadence")
    inside = _inside([row.title for row in rows if chosen is not None and row.id in chosen])
    return Attach(
        file=f"{name}-{asked:%Y-%m-%d}-{message.id}.zip",
        title=f"Export of {inside}, {asked:%-d %B %Y, %H:%M}",
        comment=say(
            "Here is the export you asked for, of {inside}: CSV files, and about.txt says how to read them.",
            inside=inside,
        ),
        write=partial(write_zip, workspace_id=workspace.id, playbooks=chosen),
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
