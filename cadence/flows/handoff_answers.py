"""What becomes of what was handed over: accepted and done, sent back, withdrawn; a second click changes nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.handoff_contracts import HandedOver, require_receiver, require_sender
from cadence.flows.handoff_lists import answerable, in_hand, listed, withdrawable
from cadence.flows.handoff_states import decide, held, settled
from cadence.flows.repeats import once
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import Offer, Refusal
from storage.engine import Database
from storage.tables import HandoffState
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.handoffs import HandoffFailForm, Handoffs
from templates.ids import Action

Verb: TypeAlias = Literal["accept", "fail", "done", "withdraw"]
_OPEN = (HandoffState.SENT,)
_NOTHING: dict[Verb, str] = {
    "accept": "Nothing that was handed to your teams waits to be answered.",
    "fail": "Nothing that was handed to your teams waits to be answered.",
    "done": "Nothing that your teams accepted is still in hand.",
    "withdraw": "Nothing that you handed over waits to be accepted.",
}


def _received(
    session: Session,
    caller: Caller,
    handoff_id: int,
    *,
    still: Sequence[HandoffState] = _OPEN,
    now: datetime,
) -> HandedOver | Done:
    """A handoff that the caller may answer; what became of it, when that is settled already."""
    handed = held(session, caller, handoff_id, now=now)
    require_receiver(session, caller, handed, now=now)
    return settled(session, caller, handed, still=still) or handed


@once
def accept(db: Database, caller: Caller, *, handoff_id: int, note: str = "", now: datetime) -> Done:
    """Take what was handed over; who sent it is told. A second click says what was decided.

    Raises:
        Refusal: no such handoff.
        NotAllowed: somebody who has no part in the receiving team.
    """
    with db.write() as session:
        handed = _received(session, caller, handoff_id, now=now)
        if isinstance(handed, Done):
            return handed
        decide(session, caller, handed, HandoffState.ACCEPTED, reason=note.strip(), now=now)
        return Done(
            text=say("Accepted: {what}.{told}", what=handed.row.what, told=_told(caller, handed)),
            offers=(Offer("Done", Action.FINISH_HANDOFF, str(handoff_id)),),
        )


@once
def finish(db: Database, caller: Caller, *, handoff_id: int, note: str = "", now: datetime) -> Done:
    """The receiving team is done with what was handed over; who sent it is told.

    Raises:
        Refusal: no such handoff.
        NotAllowed: somebody who has no part in the receiving team.
    """
    with db.write() as session:
        handed = _received(session, caller, handoff_id, still=(*_OPEN, HandoffState.ACCEPTED), now=now)
        if isinstance(handed, Done):
            return handed
        decide(session, caller, handed, HandoffState.DONE, reason=note.strip(), now=now)
        return Done(text=say("Done: {what}.{told}", what=handed.row.what, told=_told(caller, handed)))


@once
def withdraw(db: Database, caller: Caller, *, handoff_id: int, reason: str = "", now: datetime) -> Done:
    """Take back what was handed over, while nobody has accepted it; the receiving team's messages say so.

    Raises:
        Refusal: no such handoff.
        NotAllowed: neither who sent it, nor the owner, nor a curator.
    """
    with db.write() as session:
        handed = held(session, caller, handoff_id, now=now)
        require_sender(session, caller, handed)
        already = settled(session, caller, handed, still=_OPEN)
        if already is not None:
            return already
        decide(session, caller, handed, HandoffState.WITHDRAWN, reason=reason.strip(), now=now)
        return Done(
            text=say(
                "Withdrawn: {what}. {team} needn't accept it any more.{told}",
                what=handed.row.what,
                team=handed.team.title,
                told=_told(caller, handed),
            )
        )


def _told(caller: Caller, handed: HandedOver) -> Mrkdwn | str:
    sender = handed.row.sent_by
    return say(" {sender} is told.", sender=mention(sender)) if sender != caller.member else ""


@once
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
        handed = _received(session, caller, handoff_id, now=now)
        if isinstance(handed, Done):
            return handed
        if not reason.strip():
            raise Refusal("Say in a sentence why it can't be used.", field="reason")
        named = dict(enumerate(handed.terms.inputs))
        missing = [text for place, text in named.items() if str(place) in lacking]
        decide(session, caller, handed, HandoffState.FAILED, reason=reason.strip(), lacking=missing, now=now)
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
        handed = _received(session, caller, handoff_id, now=now)
        if isinstance(handed, Done):
            return handed
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
    verb: Verb,
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
        find = {"done": in_hand, "withdraw": withdrawable}.get(verb, answerable)
        waiting = find(session, caller, playbook=playbook, now=now)
        if not waiting:
            raise Refusal(_NOTHING[verb])
        if len(waiting) == 1:
            return waiting[0].row.id or 0
        return listed(session, caller, waiting, playbook=None, asked=verb, now=now)
