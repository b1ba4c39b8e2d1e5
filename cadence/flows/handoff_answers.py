"""Accept what was handed over, or say why it can't be used; a second click changes nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.handoff_contracts import HandedOver, handed_over, require_receiver
from cadence.flows.handoff_lists import answerable, listed
from cadence.flows.handoffs import ANSWERED, ASKED, OVERDUE, POSTED, handoff_key
from cadence.flows.people import zone_of
from cadence.mrkdwn import mention, say
from cadence.refusals import Refusal
from storage import handoffs, ledger, playbooks, trail
from storage.engine import Database
from storage.ledger import Owed
from storage.tables import Handoff, HandoffState, MessageState
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.handoffs import HandoffFailForm, Handoffs
from templates.filters import clock, day

GONE = "That handoff isn't there. `/cadence handoff show` lists what waits."


def accept(db: Database, caller: Caller, *, handoff_id: int, note: str = "", now: datetime) -> Done:
    """Take what was handed over; who sent it is told. A second click says what was decided.

    Raises:
        Refusal: no such handoff.
        NotAllowed: somebody who has no part in the receiving team.
    """
    with db.write() as session:
        handed = _held(session, caller, handoff_id, now=now)
        settled = _settled(session, caller, handed)
        if settled is not None:
            return settled
        _decide(session, caller, handed, HandoffState.ACCEPTED, reason=note.strip(), lacking=(), now=now)
        return Done(
            text=say(
                "Accepted: {what}.{told}",
                what=handed.row.what,
                told=say(" {sender} is told.", sender=mention(handed.row.sent_by))
                if handed.row.sent_by != caller.member
                else "",
            )
        )


def fail(
    db: Database,
    caller: Caller,
    *,
    handoff_id: int,
    reason: str,
    lacking: Sequence[str] = (),
    now: datetime,
) -> Done:
    """Send back what can't be used; who sent it and the owner are told what the contract says of that.

    `lacking` are places of the contract's inputs, as the form carries them.

    Raises:
        Refusal: no such handoff, no reason.
        NotAllowed: somebody who has no part in the receiving team.
    """
    with db.write() as session:
        handed = _held(session, caller, handoff_id, now=now)
        settled = _settled(session, caller, handed)
        if settled is not None:
            return settled
        if not reason.strip():
            raise Refusal("Say in a sentence why it can't be used.", field="reason")
        named = dict(enumerate(handed.terms.inputs))
        missing = [text for place, text in named.items() if str(place) in lacking]
        _decide(session, caller, handed, HandoffState.FAILED, reason=reason.strip(), lacking=missing, now=now)
        return Done(
            text=say(
                "Sent back: {what}. {sender} and the owner are told; the contract says: {then}.",
                what=handed.row.what,
                sender=mention(handed.row.sent_by),
                then=handed.terms.on_failure,
            )
        )


def fail_form(
    db: Database, caller: Caller, *, handoff_id: int, reason: str = "", now: datetime
) -> HandoffFailForm | Done:
    """The form that asks what is missing and why; what was decided already, when it was.

    Raises:
        Refusal: no such handoff.
        NotAllowed: somebody who has no part in the receiving team.
    """
    with db.write() as session:
        handed = _held(session, caller, handoff_id, now=now)
        settled = _settled(session, caller, handed)
        if settled is not None:
            return settled
        return HandoffFailForm(
            playbook=handed.run.playbook.title,
            team=handed.run.team.title,
            what=handed.row.what,
            on_failure=handed.terms.on_failure,
            choices=tuple(
                Choice(label=text, value=str(place)) for place, text in enumerate(handed.terms.inputs)
            ),
            reason=reason,
        )


def which(
    db: Database,
    caller: Caller,
    *,
    verb: Literal["accept", "fail"],
    playbook: str | None,
    number: int | None,
    now: datetime,
) -> int | Handoffs:
    """The handoff somebody means: the one of that number, else the only one that waits for them.

    Several are listed, each with its buttons.

    Raises:
        Refusal: nothing waits for them.
    """
    if number is not None:
        return number
    with db.read() as session:
        waiting = answerable(session, caller, playbook=playbook, now=now)
        if not waiting:
            raise Refusal("Nothing that was handed to your teams waits to be answered.")
        if len(waiting) == 1:
            return waiting[0].row.id or 0
        return listed(session, caller, waiting, playbook=None, asked=verb, now=now)


def _held(session: Session, caller: Caller, handoff_id: int, *, now: datetime) -> HandedOver:
    """A handoff the caller may answer, its sender's adoption locked."""
    row = handoffs.get(session, workspace_id=caller.workspace_id, handoff_id=handoff_id)
    if row is None:
        raise Refusal(GONE)
    playbooks.lock_adoption(session, workspace_id=caller.workspace_id, adoption_id=row.adoption_id)
    session.refresh(row)
    handed = handed_over(session, row, now=now)
    require_receiver(session, caller, handed, now=now)
    return handed


def _settled(session: Session, caller: Caller, handed: HandedOver) -> Done | None:
    """What became of a handoff; None while it waits."""
    row = handed.row
    if row.state is HandoffState.SENT or row.decided_at is None:
        return None
    if row.decided_by == caller.member and row.state is HandoffState.ACCEPTED:
        return Done(text=say("You accepted it already: {what}.", what=row.what))
    at = row.decided_at.astimezone(zone_of(session, handed.run.workspace, caller.member))
    return Done(
        text=say(
            "{who} {did} on {day}, {clock}; nothing was changed.",
            who=mention(row.decided_by or ""),
            did="accepted it" if row.state is HandoffState.ACCEPTED else "sent it back",
            day=day(at.date()),
            clock=clock(at),
        )
    )


def _decide(
    session: Session,
    caller: Caller,
    handed: HandedOver,
    state: HandoffState,
    *,
    reason: str,
    lacking: Sequence[str],
    now: datetime,
) -> None:
    row = handed.row
    row.state, row.reason, row.lacking = state, reason, list(lacking)
    row.decided_by, row.decided_at = caller.member, now
    session.add(row)
    session.flush()
    trail.record(
        session,
        workspace_id=row.workspace_id,
        at=now,
        member=caller.member,
        action=f"handoff-{state}",
        subject=f"adoption:{row.adoption_id}",
        surface=caller.surface,
        before=HandoffState.SENT,
        after={"handoff": row.id, "what": row.what, "reason": reason, "lacking": list(lacking)},
        correlation_id=caller.request,
    )
    told = [row.sent_by]
    if state is HandoffState.FAILED:
        told.append(handed.run.playbook.owner)
    ledger.owe(
        session,
        workspace_id=row.workspace_id,
        owed=[
            *_rewrites(session, row, now=now),
            *(
                Owed(
                    key=f"{handoff_key(ANSWERED, row)}:{member}",
                    kind=ANSWERED,
                    recipient=member,
                    subject={"handoff": row.id, "adoption": row.adoption_id},
                    due_at=now,
                )
                for member in dict.fromkeys(told)
                if member != caller.member
            ),
        ],
        now=now,
        correlation_id=caller.request,
    )


def _rewrites(session: Session, row: Handoff, *, now: datetime) -> list[Owed]:
    """What was posted of a handoff says from now on what came of it."""
    return [
        Owed(
            key=f"rewrite:{sent.id}:{row.state}",
            kind="rewrite",
            recipient=sent.recipient,
            subject=sent.subject,
            due_at=now,
            replaces_id=sent.id,
        )
        for kind in (POSTED, ASKED, OVERDUE)
        for sent in ledger.by_prefix(session, workspace_id=row.workspace_id, prefix=handoff_key(kind, row))
        if sent.state is MessageState.SENT and sent.replaces_id is None
    ]
