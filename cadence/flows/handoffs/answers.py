"""Decide handoffs: accept, finish, send back, withdraw; a second click changes nothing."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from cadence.actor import Actor
from cadence.flows.core import once
from cadence.flows.handoffs.contracts import HandedOver, require_receiver, require_sender
from cadence.flows.handoffs.lists import answerable, in_hand, listed, settleable, withdrawable
from cadence.flows.handoffs.sending import decide, held, settled
from cadence.mrkdwn import Mrkdwn, mention, say
from cadence.refusals import Offer, Refusal
from storage.tables import HandoffState
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.handoffs import HandoffFailForm, Handoffs
from templates.ids import Action

Verb: TypeAlias = Literal["accept", "fail", "done", "withdraw", "settle"]
_OPEN = (HandoffState.SENT,)
_NOTHING: dict[Verb, str] = {
    "accept": "Your teams don't have any handoffs to answer.",
    "fail": "Your teams don't have any handoffs to answer.",
    "done": "Your teams don't have any accepted handoffs to finish.",
    "withdraw": "You don't have any handoffs to withdraw.",
    "settle": "None of your playbooks' steps runs in a fallback mode because of a handoff.",
}


def _received(
    uow: UnitOfWork, handoff_id: int, *, still: Sequence[HandoffState] = _OPEN
) -> HandedOver | Done:
    """A handoff that the caller can answer; its outcome, if it is already decided."""
    handed = held(uow, handoff_id)
    require_receiver(uow, handed)
    return settled(uow, handed, still=still) or handed


@once
def accept(uow: UnitOfWork, *, handoff_id: int, note: str = "") -> Done:
    """Accept a handoff; the sender is told. A second click shows the decision.

    Raises:
        Refusal: no such handoff. NotAllowed: somebody who isn't responsible for the receiving team.
    """
    with uow.write():
        handed = _received(uow, handoff_id)
        if isinstance(handed, Done):
            return handed
        decide(uow, handed, HandoffState.ACCEPTED, reason=note.strip())
        return Done(
            text=say("Accepted: {what}.{told}", what=handed.row.what, told=_told(uow.actor, handed)),
            offers=(Offer("Done", Action.FINISH_HANDOFF, str(handoff_id)),),
        )


@once
def finish(uow: UnitOfWork, *, handoff_id: int, note: str = "") -> Done:
    """Mark a handoff as done by the receiving team; the sender is told.

    Raises:
        Refusal: no such handoff. NotAllowed: somebody who isn't responsible for the receiving team.
    """
    with uow.write():
        handed = _received(uow, handoff_id, still=(*_OPEN, HandoffState.ACCEPTED))
        if isinstance(handed, Done):
            return handed
        decide(uow, handed, HandoffState.DONE, reason=note.strip())
        return Done(text=say("Done: {what}.{told}", what=handed.row.what, told=_told(uow.actor, handed)))


@once
def withdraw(uow: UnitOfWork, *, handoff_id: int, reason: str = "") -> Done:
    """Withdraw a handoff that nobody has accepted; the receiving team's messages say so.

    Raises:
        Refusal: no such handoff. NotAllowed: neither the sender, nor the owner, nor a curator.
    """
    with uow.write():
        handed = held(uow, handoff_id)
        require_sender(uow, handed)
        already = settled(uow, handed, still=_OPEN)
        if already is not None:
            return already
        decide(uow, handed, HandoffState.WITHDRAWN, reason=reason.strip())
        return Done(
            text=say(
                "Withdrawn: {what}. {team} no longer needs to accept it.{told}",
                what=handed.row.what,
                team=handed.team.title,
                told=_told(uow.actor, handed),
            )
        )


def _told(caller: Actor, handed: HandedOver) -> Mrkdwn | str:
    sender = handed.row.sent_by
    return say(" We've told {sender}.", sender=mention(sender)) if sender != caller.member else ""


@once
def fail(uow: UnitOfWork, *, handoff_id: int, reason: str, lacking: Sequence[str] = ()) -> Done:
    """Send back a handoff that can't be used; the sender and the owner are told what the contract says for
    this case.

    `lacking` are indexes of the contract's inputs, as the form carries them.

    Raises:
        Refusal: no such handoff, no reason. NotAllowed: somebody who isn't responsible for the receiving
        team.
    """
    with uow.write():
        handed = _received(uow, handoff_id)
        if isinstance(handed, Done):
            return handed
        if not reason.strip():
            raise Refusal("Add a sentence on why you can't use it.", field="reason")
        named = dict(enumerate(handed.terms.inputs))
        missing = [text for place, text in named.items() if str(place) in lacking]
        decide(uow, handed, HandoffState.FAILED, reason=reason.strip(), lacking=missing)
        return Done(
            text=say(
                "Sent back: {what}. We've told {sender} and the owner. The contract says: {then}.",
                what=handed.row.what,
                sender=mention(handed.row.sent_by),
                then=handed.terms.on_failure,
            )
        )


def fail_form(uow: UnitOfWork, *, handoff_id: int, reason: str = "") -> HandoffFailForm | Done:
    """The form that asks what is missing and why; the decision, if there already is one.

    Raises:
        Refusal: no such handoff. NotAllowed: somebody who isn't responsible for the receiving team.
    """
    with uow.write():
        handed = _received(uow, handoff_id)
        if isinstance(handed, Done):
            return handed
        return HandoffFailForm(
            playbook=handed.view.playbook.title,
            team=handed.view.team.title,
            what=handed.row.what,
            on_failure=handed.terms.on_failure,
            choices=tuple(
                Choice(label=text, value=str(place)) for place, text in enumerate(handed.terms.inputs)
            ),
            reason=reason,
        )


def which(uow: UnitOfWork, *, verb: Verb, playbook: str | None, number: int | None) -> int | Handoffs:
    """The handoff with that number, else the only one that waits for the caller.

    If there are several, they are listed with their buttons.

    Raises:
        Refusal: nothing waits for them.
    """
    if number is not None:
        return number
    with uow.read():
        find = {"done": in_hand, "withdraw": withdrawable, "settle": settleable}.get(verb, answerable)
        waiting = find(uow, playbook=playbook)
        if not waiting:
            raise Refusal(_NOTHING[verb])
        if len(waiting) == 1:
            return waiting[0].row.id or 0
        return listed(uow, waiting, playbook=None, asked=verb)
