"""A request that comes a second time: a retry of Slack's, a double click. It is answered as the first was."""

from sqlmodel import Session

from cadence.flows.callers import Caller
from storage import trail
from storage.tables import TrailEntry


def done_before(session: Session, caller: Caller, action: str, subject: str) -> TrailEntry | None:
    """What this very request did already; None when it comes for the first time."""
    entries = trail.entries(session, workspace_id=caller.workspace_id, action=action, subject=subject)
    return next(
        (one for one in reversed(entries) if caller.request and one.correlation_id == caller.request), None
    )
