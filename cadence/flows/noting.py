"""What goes into the trail: what a person did with the request they came with, and what a rule found."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.runs import TeamRun
from storage import trail


def note(
    session: Session,
    caller: Caller,
    *,
    action: str,
    subject: str,
    before: Any = None,
    after: Any = None,
    now: datetime,
) -> None:
    """Note what a person did; `subject` is `noun:id`."""
    trail.record(
        session,
        workspace_id=caller.workspace_id,
        at=now,
        member=caller.member,
        action=action,
        subject=subject,
        surface=caller.surface,
        before=before,
        after=after,
        correlation_id=caller.request,
    )


def note_rule(
    session: Session,
    run: TeamRun,
    *,
    action: str,
    subject: str,
    before: Any = None,
    after: Any = None,
    now: datetime,
    correlation_id: str = "",
) -> None:
    """Note what a rule found in a run; `correlation_id` is the request that made it look."""
    trail.record(
        session,
        workspace_id=run.workspace.id,
        at=now,
        member=None,
        action=action,
        subject=subject,
        surface="rule",
        before=before,
        after=after,
        correlation_id=correlation_id,
    )
