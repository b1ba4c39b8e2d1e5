"""Exports: requested in a form or on the command line, and sent as a file."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from cadence.actor import Actor
from cadence.flows.core import (
    NOT_ATTACHED,
    Attach,
    MessageKind,
    Skip,
    Urgency,
    is_curator,
    once,
    require_curator,
    require_owner_or_curator,
    require_playbook,
    require_workspace,
    zone_of,
)
from cadence.flows.history.export_files import write_folder, write_zip
from cadence.mrkdwn import Mrkdwn, code, escape, say
from cadence.nudges import Unless
from cadence.refusals import Refusal
from cadence.rules.sight import Fact
from storage.outbox.queueing import NewMessage
from storage.queries import playbooks
from storage.tables import MessageState, OutboxMessage, Playbook
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.history import ExportForm

KIND: Final = "export"
USEFUL: Final = timedelta(hours=24)
SHOWN: Final = 3
"""Playbooks that an export's message names."""
_TO: Final = Fact.RECORDS


def export_form(uow: UnitOfWork) -> ExportForm:
    """The form to choose what to export: every playbook for a curator, their own for an owner.

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
    """Queue a file for the caller with the records of a playbook, or of all of theirs; requested twice, it
    comes once.

    Raises:
        Unknown: there is no such playbook.
        NotAllowed: neither its owner nor a curator.
    """
    with uow.write():
        require_workspace(uow)
        if playbook is not None:
            row = require_playbook(uow, playbook)
            require_owner_or_curator(uow, playbook=row, to=f"export {row.title}")
            chosen: list[int] | None = [row.id or 0]
            what = escape(row.title)
        else:
            rows = _own(uow)
            curator = is_curator(uow)
            chosen = None if curator else [row.id or 0 for row in rows]
            what = Mrkdwn("the whole workspace") if curator else say("all {n} of your playbooks", n=len(rows))
        subject: dict[str, object] = {"playbooks": chosen}
        if not _is_on_its_way(uow, subject):
            _queue(uow, subject, slug=playbook)
        return Done(
            text=say(
                "We're exporting {what}. You'll get a ZIP file by DM in a minute or so.",
                what=what,
            )
        )


def export_folder(uow: UnitOfWork, folder: Path, slugs: Sequence[str]) -> dict[str, int]:
    """Write the records of these playbooks, or of the whole workspace, into a folder; returns the row count
    of each file.

    Raises:
        Unknown: there is no such playbook.
        NotAllowed: neither its owner nor a curator.
        OSError: the folder can't be written to.
    """
    with uow.read():
        require_workspace(uow)
        chosen = [require_playbook(uow, slug) for slug in slugs]
        for row in chosen:
            require_owner_or_curator(uow, playbook=row, to=f"export {row.title}")
        if not slugs:
            require_curator(uow, to=_TO)
    return write_folder(uow, folder, playbooks=[row.id or 0 for row in chosen] if slugs else None)


def _own(uow: UnitOfWork) -> Sequence[Playbook]:
    """The playbooks whose records somebody can export.

    Raises:
        NotAllowed: none of them. Refusal: there are no playbooks.
    """
    require_workspace(uow)
    rows = playbooks.playbooks(uow)
    if not is_curator(uow):
        rows = [row for row in rows if row.owner == uow.actor.member]
        if not rows:
            require_curator(uow, to=f"{_TO} (owners can export their own playbooks)")
    if not rows:
        raise Refusal("There's nothing to export yet. Add your first playbook with `/cadence playbook new`.")
    return rows


def _is_on_its_way(uow: UnitOfWork, subject: dict[str, object]) -> bool:
    rows = uow.messages(KIND, uow.actor.member)
    return any(row.state is MessageState.DUE and row.subject == subject for row in rows)


def _queue(uow: UnitOfWork, subject: dict[str, object], *, slug: str | None) -> None:
    me = uow.actor.member
    new = uow.send_new(NewMessage(KIND, me, subject, about=(me, uow.correlation_id), useful=USEFUL))
    if new:
        uow.record(
            action="exported",
            subject=f"playbook:{slug}" if slug else f"workspace:{uow.actor.workspace_id}",
        )


def export_file(uow: UnitOfWork, message: OutboxMessage) -> Done | Attach | Skip:
    """The file, if the requester is still allowed to have it; a sentence instead if Slack doesn't accept
    files."""
    workspace = require_workspace(uow)
    caller = Actor(workspace.id, message.recipient, "worker")
    chosen: list[int] | None = message.subject["playbooks"]
    rows = playbooks.playbooks(uow)
    if not is_curator(uow.by(caller)):
        theirs = {row.id for row in rows if row.owner == caller.member}
        if chosen is None or not theirs.issuperset(chosen):
            return Skip(Unless.NOT_THEIRS)
    if message.reason.startswith(NOT_ATTACHED):
        return _not_attached(message.reason.removeprefix(NOT_ATTACHED).strip(": "))
    asked = message.created_at.astimezone(zone_of(uow, workspace, message.recipient))
    name = next((row.slug for row in rows if chosen == [row.id]), "rollout-cadence")
    inside = _inside([row.title for row in rows if chosen is not None and row.id in chosen])
    return Attach(
        file=f"{name}-{asked:%Y-%m-%d}-{message.id}.zip",
        title=f"Export of {inside}, {asked:%-d %B %Y, %H:%M}",
        comment=say(
            "Here's your export of {inside}: CSV files, with about.txt on how to read them.",
            inside=inside,
        ),
        write=partial(write_zip, uow, playbooks=chosen),
    )


def _inside(titles: Sequence[str]) -> str:
    """A description of the contents: the first playbooks' titles, or the whole workspace."""
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
"""What to do about a file that Slack didn't accept, by Slack's error."""


def _not_attached(error: str) -> Done:
    remedy = _FILE_REMEDIES.get(error, "Try again later.")
    return Done(
        text=say(
            "Your export is ready, but Slack didn't accept the file ({error}). {remedy} To get it now, ask "
            "the person who runs the bot to run {command} on its server.",
            error=code(error),
            remedy=remedy,
            command=code("cadence export --csv FOLDER"),
        )
    )


KINDS: Final = (MessageKind(KIND, export_file, urgency=Urgency.ANSWER, unless=(Unless.NOT_THEIRS,)),)
