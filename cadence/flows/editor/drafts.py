"""The draft of a guided playbook form: what one person has filled in so far, kept between sittings."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cadence.documents import Data
from cadence.flows.core import require_owner_or_curator, require_playbook, require_workspace
from storage.queries import drafts, playbooks
from storage.tables import Playbook, PlaybookVersion
from storage.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class PlaybookDraft:
    """A playbook as somebody has it in a form.

    Args:
        slug: of the playbook that is edited; None for a new one.
        spec: the shape of the file, complete or not.
        revision: that it began with, None for a new one.
        kept_at: when something was last filled in; None before anything was.
    """

    slug: str | None
    spec: Data
    revision: int | None = None
    kept_at: datetime | None = None


def subject_of(slug: str | None) -> str:
    """Under what a draft is kept."""
    return f"playbook:{slug}" if slug else "playbook"


def editable(uow: UnitOfWork, slug: str) -> tuple[Playbook, PlaybookVersion]:
    """A playbook that the caller may edit, and its newest revision.

    Raises:
        Unknown: there is none.
        NotAllowed: the caller is neither its owner nor a curator.
    """
    playbook = require_playbook(uow, slug)
    require_owner_or_curator(uow, owner=playbook.owner, to=f"revise {playbook.title}")
    newest = playbooks.newest_version(uow, playbook_id=playbook.id or 0)
    assert newest is not None  # noqa: S101 - imported with its playbook
    return playbook, newest


def load(uow: UnitOfWork, slug: str | None, *, lock: bool = False) -> PlaybookDraft:
    """What the caller has filled in so far; before that, the newest revision, or nothing.

    With `lock` it is theirs to change: two windows of one person don't take back what the other one kept.

    Raises:
        Refusal: there is no such playbook, or it isn't theirs to edit.
    """
    require_workspace(uow)
    begun = _begun(uow, slug)
    row = drafts.find(uow, member=uow.actor.member, subject=subject_of(slug), lock=lock)
    if row is None or "spec" not in row.data:  # an earlier version noted here what was made of it
        return begun
    return PlaybookDraft(slug, row.data["spec"], row.data["revision"], row.updated_at)


def _begun(uow: UnitOfWork, slug: str | None) -> PlaybookDraft:
    if slug is None:
        return PlaybookDraft(None, {})
    playbook, newest = editable(uow, slug)
    return PlaybookDraft(playbook.slug, newest.spec, newest.revision)


def keep(uow: UnitOfWork, draft: PlaybookDraft, spec: Data) -> None:
    """Keep what has been filled in."""
    _keep(uow, draft, {"spec": spec, "revision": draft.revision})


def _keep(uow: UnitOfWork, draft: PlaybookDraft, data: dict[str, Any]) -> None:
    drafts.keep(uow, member=uow.actor.member, subject=subject_of(draft.slug), data=data)


def forget(uow: UnitOfWork, slug: str | None) -> None:
    """Begin anew."""
    drafts.forget(uow, member=uow.actor.member, subject=subject_of(slug))
