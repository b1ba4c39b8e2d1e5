"""Reviews of drafts before their pilot, as a new revision changes them."""

from typing import Final

from cadence.flows.core.digest_posts import rewrite_digest
from storage.queries import pilots
from storage.tables import PilotReview, Playbook, PlaybookState, PlaybookVersion, ReviewState
from storage.work import UnitOfWork

REVIEW: Final = "pilot-review"
"""The message that asks curators for a review."""


def review_of(uow: UnitOfWork, playbook: Playbook) -> PilotReview | None:
    """The review of a playbook that counts: the newest one."""
    return pilots.newest_review(uow, playbook_id=playbook.id or 0)


def needs_approval(uow: UnitOfWork, playbook: Playbook) -> bool:
    """Whether a playbook is a draft that no curator approved yet: its first cycle can't start."""
    if playbook.state is not PlaybookState.DRAFT:
        return False
    row = review_of(uow, playbook)
    return row is None or row.state is not ReviewState.APPROVED


def review_revision(uow: UnitOfWork, playbook: Playbook, version: PlaybookVersion) -> None:
    """Apply a saved revision to the review of its draft.

    A file imported on the command line is approved by that: those who can run it operate the bot. Otherwise an
    undecided review judges the newest revision, and the request shows it.
    """
    row = review_of(uow, playbook)
    if uow.actor.surface == "cli":
        _approve(uow, playbook, version, row)
    elif row is not None and row.state is ReviewState.ASKED and row.version_id != version.id:
        row.version_id = version.id or 0
        uow.session.add(row)
        uow.session.flush()
        rewrite_review(uow, row)


def _approve(uow: UnitOfWork, playbook: Playbook, version: PlaybookVersion, row: PilotReview | None) -> None:
    if playbook.state is not PlaybookState.DRAFT or (row and row.state is ReviewState.APPROVED):
        return
    before = row.state if row else None
    if row is None or row.state is not ReviewState.ASKED:
        row = PilotReview(
            workspace_id=playbook.workspace_id,
            playbook_id=playbook.id or 0,
            version_id=version.id or 0,
            asked_by=uow.actor.member[:32],
            surface=uow.actor.surface,
            asked_at=uow.now,
        )
    row.version_id, row.state = version.id or 0, ReviewState.APPROVED
    row.decided_by, row.decided_at = uow.actor.member[:32], uow.now
    uow.session.add(row)
    uow.session.flush()
    uow.record(
        action="pilot-approved",
        subject=f"playbook:{playbook.slug}",
        before={"state": before} if before else None,
        after={"state": row.state, "revision": version.revision},
    )
    rewrite_review(uow, row)


def rewrite_review(uow: UnitOfWork, row: PilotReview) -> None:
    """Rewrite the request to the curators, and their digest, with the review's current state."""
    mark = f"review:{row.id}:{row.state}:{row.version_id}:{uow.now.timestamp():.0f}"
    uow.rewrite(REVIEW, row.id, mark=mark)
    rewrite_digest(uow, mark=mark)
