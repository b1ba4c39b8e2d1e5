"""Rewriting the curators' newest digest after one of its decisions was made."""

from datetime import timedelta
from typing import Final

from cadence.flows.core.adoptions import require_workspace, today_in
from cadence.flows.core.messages import curators_read
from cadence.rules.calendar import monday_of
from storage.outbox.queueing import is_shown
from storage.work import UnitOfWork

DIGEST: Final = "digest"
LOOKED_BACK: Final = 9
"""Weeks in which the newest digest is looked for; none is sent while nothing runs."""


def rewrite_digest(uow: UnitOfWork, *, mark: str) -> None:
    """Rewrite the newest digest of each reader, once per mark."""
    workspace = require_workspace(uow)
    monday = monday_of(today_in(workspace, uow.now))
    weeks = [monday - timedelta(weeks=back) for back in range(LOOKED_BACK)]
    about = [(reader, week) for reader in curators_read(uow, workspace) for week in weeks]
    found = uow.messages_about_any((DIGEST,), about)
    newest = {row.recipient: row for row in found if is_shown(row)}  # oldest first: the last one stays
    uow.rewrite_messages(newest.values(), mark=mark)
