"""The draft of a guided playbook form: what one person has filled in so far, kept between sittings."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from cadence.documents import Data
from cadence.flows.callers import Caller, require_owner_or_curator
from cadence.flows.lookups import require_playbook
from cadence.flows.runs import require_workspace
from storage import drafts, playbooks
from storage.tables import Playbook, PlaybookVersion


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


def editable(session: Session, caller: Caller, slug: str) -> tuple[Playbook, PlaybookVersion]:
    """A playbook that the caller may edit, and its newest revision.

    Raises:
        Unknown: there is none.
        NotAllowed: the caller is neither its owner nor a curator.
    """
    playbook = require_playbook(session, caller.workspace_id, slug)
    require_owner_or_curator(session, caller, owner=playbook.owner, to=f"revise {playbook.title}")
    newest = playbooks.newest_version(session, workspace_id=caller.workspace_id, playbook_id=playbook.id or 0)
    assert newest is not None  # noqa: S101 - imported with its playbook
    return playbook, newest


def load(session: Session, caller: Caller, slug: str | None, *, lock: bool = False) -> PlaybookDraft:
    """What the caller has filled in so far; before that, the newest revision, or nothing.

    With `lock` it is theirs to change: two windows of one person don't take back what the other one kept.

    Raises:
        Refusal: there is no such playbook, or it isn't theirs to edit.
    """
    require_workspace(session, caller.workspace_id)
    begun = _begun(session, caller, slug)
    row = drafts.find(
        session,
        workspace_id=caller.workspace_id,
        member=caller.member,
        subject=subject_of(slug),
        lock=lock,
    )
    if row is None or "spec" not in row.data:  # an earlier version noted here what was made of it
        return begun
    return PlaybookDraft(slug, row.data["spec"], row.data["revision"], row.updated_at)


def _begun(session: Session, caller: Caller, slug: str | None) -> PlaybookDraft:
    if slug is None:
        return PlaybookDraft(None, {})
    playbook, newest = editable(session, caller, slug)
    return PlaybookDraft(playbook.slug, newest.spec, newest.revision)


def keep(session: Session, caller: Caller, draft: PlaybookDraft, spec: Data, *, now: datetime) -> None:
    """Keep what has been filled in."""
    _keep(session, caller, draft, {"spec": spec, "revision": draft.revision}, now=now)


def _keep(
    session: Session, caller: Caller, draft: PlaybookDraft, data: dict[str, Any], *, now: datetime
) -> None:
    drafts.keep(
        session,
        workspace_id=caller.workspace_id,
        member=caller.member,
        subject=subject_of(draft.slug),
        data=data,
        now=now,
    )


def forget(session: Session, caller: Caller, slug: str | None) -> None:
    """Begin anew."""
    drafts.forget(session, workspace_id=caller.workspace_id, member=caller.member, subject=subject_of(slug))
