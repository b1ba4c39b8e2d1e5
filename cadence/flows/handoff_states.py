"""A handoff changes its state: what became of it already, and who hears of the change."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.handoff_contracts import HandedOver, handed_over
from cadence.flows.handoffs import ANSWERED, ASKED, OVERDUE, POSTED, handoff_key
from cadence.flows.noting import note
from cadence.flows.people import zone_of
from cadence.mrkdwn import mention, say
from cadence.refusals import Refusal
from storage import handoffs, ledger, playbooks
from storage.ledger import Owed
from storage.tables import HandoffState
from templates.contexts.answers import Done
from templates.filters import clock, day

GONE: Final = "That handoff isn't there. `/cadence handoff show` lists what waits."
_DID: Final = {
    HandoffState.ACCEPTED: "accepted it",
    HandoffState.FAILED: "sent it back",
    HandoffState.DONE: "finished it",
    HandoffState.WITHDRAWN: "withdrew it",
}


def held(session: Session, caller: Caller, handoff_id: int, *, now: datetime) -> HandedOver:
    """A handoff, its sender's adoption locked.

    Raises:
        Refusal: no such handoff.
    """
    row = handoffs.get(session, workspace_id=caller.workspace_id, handoff_id=handoff_id)
    if row is None:
        raise Refusal(GONE)
    playbooks.lock_adoption(session, workspace_id=caller.workspace_id, adoption_id=row.adoption_id)
    session.refresh(row)
    return handed_over(session, row, now=now)


def settled(
    session: Session, caller: Caller, handed: HandedOver, *, still: Sequence[HandoffState]
) -> Done | None:
    """What became of a handoff already; None while it is in one of the states that can still be changed."""
    row = handed.row
    if row.state in still or row.decided_at is None:
        return None
    if row.decided_by == caller.member:
        return Done(text=say("You {did} already: {what}.", did=_DID[row.state], what=row.what))
    at = row.decided_at.astimezone(zone_of(session, handed.run.workspace, caller.member))
    return Done(
        text=say(
            "{who} {did} on {day}, {clock}; nothing was changed.",
            who=mention(row.decided_by or ""),
            did=_DID[row.state],
            day=day(at.date()),
            clock=clock(at),
        )
    )


def decide(
    session: Session,
    caller: Caller,
    handed: HandedOver,
    state: HandoffState,
    *,
    reason: str,
    lacking: Sequence[str] = (),
    now: datetime,
) -> None:
    """Put a handoff into a state: who sent it is told, and, when it can't be used, the owner."""
    row, before = handed.row, handed.row.state
    row.state, row.reason, row.lacking = state, reason or row.reason, list(lacking)
    row.decided_by, row.decided_at = caller.member, now
    session.add(row)
    session.flush()
    note(
        session,
        caller,
        action=f"handoff-{state}",
        subject=f"adoption:{row.adoption_id}",
        before=before,
        after={"handoff": row.id, "what": row.what, "reason": reason, "lacking": list(lacking)},
        now=now,
    )
    ledger.owe_rewrites(
        session,
        workspace_id=row.workspace_id,
        messages=[
            sent
            for kind in (POSTED, ASKED, OVERDUE)
            for sent in ledger.by_prefix(
                session, workspace_id=row.workspace_id, prefix=handoff_key(kind, row)
            )
        ],
        mark=row.state,
        now=now,
        correlation_id=caller.request,
    )
    told = [row.sent_by]
    if state is HandoffState.FAILED:
        told.append(handed.run.playbook.owner)
    ledger.owe(
        session,
        workspace_id=row.workspace_id,
        owed=[
            Owed(
                key=f"{handoff_key(ANSWERED, row)}:{state}:{member}",
                kind=ANSWERED,
                recipient=member,
                subject={"handoff": row.id, "adoption": row.adoption_id, "state": state},
                due_at=now,
            )
            for member in dict.fromkeys(told)
            if member != caller.member
        ],
        now=now,
        correlation_id=caller.request,
    )
