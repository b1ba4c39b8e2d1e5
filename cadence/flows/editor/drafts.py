"""The draft of a guided playbook form: one person's input so far, kept between sessions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cadence.documents import Data
from cadence.flows.core import require_owner_or_curator, require_playbook, require_workspace
from storage.queries import editor, playbooks
from storage.tables import Playbook, PlaybookVersion
from storage.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class PlaybookDraft:
    """A playbook as one person has it in a form.

    Args:
        slug: of the playbook being edited; None for a new one.
        spec: in the structure of the file, complete or not.
        revision: the one it started from, None for a new playbook.
        kept_at: when it was last changed; None before any change.
    """

    slug: str | None
    spec: Data
    revision: int | None = None
    kept_at: datetime | None = None


def subject_of(slug: str | None) -> str:
    """The key under which a draft is stored."""
    return f"playbook:{slug}" if slug else "playbook"


def editable(uow: UnitOfWork, slug: str) -> tuple[Playbook, PlaybookVersion]:
    """A playbook that the caller can edit, and its newest revision.

    Raises:
        Unknown: there is no such playbook. NotAllowed: the caller is neither its owner nor a curator.
    """
    playbook = require_playbook(uow, slug)
    require_owner_or_curator(uow, playbook=playbook, to=f"revise {playbook.title}")
    newest = playbooks.newest_version(uow, playbook_id=playbook.id or 0)
    assert newest is not None  # noqa: S101 - imported with its playbook
    return playbook, newest


def load(uow: UnitOfWork, slug: str | None, *, lock: bool = False) -> PlaybookDraft:
    """The caller's draft so far; without one, the newest revision, or nothing.

    With `lock` it can be changed: two windows of one person don't overwrite each other.

    Raises:
        Refusal: there is no such playbook, or they can't edit it.
    """
    require_workspace(uow)
    begun = _begun(uow, slug)
    row = editor.find(uow, member=uow.actor.member, subject=subject_of(slug), lock=lock)
    if row is None or "spec" not in row.data:  # an earlier version stored the result here
        return begun
    return PlaybookDraft(slug, row.data["spec"], row.data["revision"], row.updated_at)


def _begun(uow: UnitOfWork, slug: str | None) -> PlaybookDraft:
    if slug is None:
        return PlaybookDraft(None, {})
    playbook, newest = editable(uow, slug)
    return PlaybookDraft(playbook.slug, newest.spec, newest.revision)


def keep(uow: UnitOfWork, draft: PlaybookDraft, spec: Data) -> None:
    """Save a draft."""
    _keep(uow, draft, {"spec": spec, "revision": draft.revision})


def _keep(uow: UnitOfWork, draft: PlaybookDraft, data: dict[str, Any]) -> None:
    editor.keep(uow, member=uow.actor.member, subject=subject_of(draft.slug), data=data)


def forget(uow: UnitOfWork, slug: str | None) -> None:
    """Delete a draft."""
    editor.forget(uow, member=uow.actor.member, subject=subject_of(slug))
