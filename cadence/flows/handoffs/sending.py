"""Send a handoff and change its state; notify the people concerned."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from cadence.flows.core import (
    AdoptionView,
    adoption_by_id,
    once,
    reader_of,
    visible_adoptions,
    working_days,
    zone_of,
)
from cadence.flows.handoffs.contracts import (
    Contract,
    HandedOver,
    contracts_of,
    handed_over,
    hours_words,
    receiving_owner,
)
from cadence.flows.handoffs.fallbacks import apply_fallback, end_fallbacks
from cadence.flows.numbers import require_team_member
from cadence.links import kept_link
from cadence.mrkdwn import code, mention, say
from cadence.nudges import BY_KIND, HANDOFF_OVERDUE, next_open
from cadence.refusals import Offer, Refusal
from storage.outbox.queueing import NewMessage
from storage.queries import adoptions, handoffs
from storage.tables import Handoff, HandoffState, Team
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.handoffs import HandoffForm
from templates.filters import clock, day
from templates.ids import Action, Field

GONE: Final = "That handoff doesn't exist. See open ones with `/cadence handoff show`."
_DID: Final = {
    HandoffState.ACCEPTED: "accepted it",
    HandoffState.FAILED: "sent it back",
    HandoffState.DONE: "finished it",
    HandoffState.WITHDRAWN: "withdrew it",
}


def held(uow: UnitOfWork, handoff_id: int) -> HandedOver:
    """A handoff, with its sender's adoption locked.

    Raises:
        Refusal: no such handoff.
    """
    row = handoffs.get(uow, handoff_id=handoff_id)
    if row is None:
        raise Refusal(GONE)
    adoptions.lock_adoption(uow, adoption_id=row.adoption_id)
    uow.session.refresh(row)
    return handed_over(uow, row)


def settled(uow: UnitOfWork, handed: HandedOver, *, still: Sequence[HandoffState]) -> Done | None:
    """The outcome of a decided handoff; None while its state is one that can be changed."""
    row = handed.row
    if row.state in still or row.decided_at is None:
        return None
    if row.decided_by == uow.actor.member:
        return Done(text=say("You already {did}: {what}.", did=_DID[row.state], what=row.what))
    at = row.decided_at.astimezone(zone_of(uow, handed.view.workspace, uow.actor.member))
    return Done(
        text=say(
            "{who} {did} on {day}, {clock}. Nothing changed.",
            who=mention(row.decided_by or ""),
            did=_DID[row.state],
            day=day(at.date()),
            clock=clock(at),
        )
    )


def decide(
    uow: UnitOfWork, handed: HandedOver, state: HandoffState, *, reason: str, lacking: Sequence[str] = ()
) -> None:
    """Change a handoff's state; the sender is told, and the owner if it can't be used."""
    row, before = handed.row, handed.row.state
    row.state, row.reason, row.lacking = state, reason or row.reason, list(lacking)
    row.decided_by, row.decided_at = uow.actor.member, uow.now
    uow.session.add(row)
    uow.session.flush()
    uow.record(
        action=f"handoff-{state}",
        subject=f"adoption:{row.adoption_id}",
        before=before,
        after={"handoff": row.id, "what": row.what, "reason": reason, "lacking": list(lacking)},
    )
    uow.rewrite((POSTED, ASKED, OVERDUE), row.id, mark=row.state)
    if state is HandoffState.FAILED:
        apply_fallback(uow, handed)
    elif state in (HandoffState.ACCEPTED, HandoffState.DONE):
        end_fallbacks(uow, handed)
    told = [row.sent_by]
    if state is HandoffState.FAILED:
        told.append(handed.view.playbook.owner)
    subject = {"handoff": row.id, "adoption": row.adoption_id, "state": state}
    uow.send(
        [
            NewMessage(ANSWERED, member, subject, about=(row.id, state, member))
            for member in dict.fromkeys(told)
            if member != uow.actor.member
        ]
    )


LONGEST: Final = 300
"""Maximum characters of a handoff's description."""
ASKED, POSTED, OVERDUE, ANSWERED = "handoff-asked", "handoff", HANDOFF_OVERDUE, "handoff-answered"
"""Kinds in the ledger: in a DM, in the channel, at the end of its time, and the answer to the sender."""


@dataclass(frozen=True, slots=True)
class HandoffGiven:
    """A request to hand over: `contract` is the form's value, else `to` (a team's slug) selects one."""

    what: str
    to: str | None = None
    contract: str | None = None
    link: str | None = None
    playbook: str | None = None
    team: str | None = None


class WhichContract(Refusal):
    """Several contracts match, or none was named: the form asks."""


@once
def send_handoff(uow: UnitOfWork, given: HandoffGiven) -> Done:
    """Hand something over: the receiving team's channel and its responsible person are asked to accept it in
    time.

    Raises:
        Refusal: no such contract, nothing to hand over, a receiving team that isn't here yet.
        NotAllowed: somebody from outside the sending team who isn't the owner or a curator.
        WhichContract: several contracts fit.
    """
    with uow.write():
        contract = _contract(uow, given)
        view, team = contract.view, contract.team
        require_team_member(uow, view, to="hand off its work")
        if team is None:
            raise Refusal(not_here(contract.terms.to), field=Field.CONTRACT)
        what, link = _checked(given.what), kept_link(given.link)
        adoptions.lock_adoption(uow, adoption_id=view.id)
        row = _save(uow, contract, team, what, link)
        _send_messages(uow, row, view, team)
        due = row.due_at.astimezone(zone_of(uow, view.workspace, uow.actor.member))
        return Done(
            text=say(
                "Handed to {team} as #{number}. They have {hours} to accept it, until {day}, {clock}. We'll "
                "tell you what they say.",
                team=team.title,
                number=row.id,
                hours=hours_words(contract.terms.sla_hours),
                day=day(due, uow.now.astimezone(due.tzinfo)),
                clock=clock(due),
            ),
            offers=(Offer("Withdraw", Action.WITHDRAW_HANDOFF, str(row.id)),),
        )


def not_here(slug: str) -> str:
    """Why nothing can be handed to a team that the workspace doesn't have."""
    return say(
        "{team} isn't a team here yet. Create it with {create}.",
        team=code(slug),
        create=code("/cadence team create"),
    )


def _checked(typed: str) -> str:
    what = typed.strip()
    if not what:
        raise Refusal("Add a line about what you're handing over.", field=Field.WHAT)
    if len(what) > LONGEST:
        raise Refusal(
            f"That has {len(what):,} characters. The limit is {LONGEST}. Link to the rest.",
            field=Field.WHAT,
        )
    return what


def _contract(uow: UnitOfWork, given: HandoffGiven) -> Contract:
    if given.contract is not None:
        return _chosen(uow, given.contract)
    runs = _runs(uow, playbook=given.playbook, team=given.team)
    every = contracts_of(uow, runs)
    fitting = [one for one in every if one.terms.to == given.to]
    here = [one for one in fitting if one.view.team.channel == uow.actor.channel]
    if len(here or fitting) == 1:
        return (here or fitting)[0]
    if fitting:
        raise WhichContract("Which of them do you mean?", field=Field.CONTRACT)
    known = ", ".join(dict.fromkeys(one.terms.to for one in every))
    if not known:
        raise Refusal(NO_CONTRACT)
    raise Refusal(
        say(
            "Your playbooks don't hand anything to {to}. They hand off to: {known}.",
            to=code(given.to or ""),
            known=code(known[:200]),
        ),
        field=Field.CONTRACT,
    )


NO_CONTRACT: Final = (
    "Your playbooks don't have any handoffs. "
    "An owner can add one under `handoffs:` with `/cadence playbook revise`."
)


def _chosen(uow: UnitOfWork, value: str) -> Contract:
    """The contract of a form's value, if it is still the one in force."""
    parts = value.split(":")
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        raise Refusal("Choose what you're handing over, and to which team.", field=Field.CONTRACT)
    adoption_id, version_id, place = map(int, parts)
    view = adoption_by_id(uow, adoption_id=adoption_id)
    require_team_member(uow, view, to="hand off its work")
    for one in contracts_of(uow, [view]):
        if one.place == place and view.version.id == version_id:
            return one
    raise Refusal(
        "The playbook changed after you opened this form. Close it and open it again.",
        field=Field.CONTRACT,
    )


def _runs(uow: UnitOfWork, *, playbook: str | None, team: str | None) -> list[AdoptionView]:
    return [
        view
        for view in visible_adoptions(uow)
        if playbook in (None, view.playbook.slug) and team in (None, view.team.slug)
    ]


def _save(uow: UnitOfWork, contract: Contract, team: Team, what: str, link: str | None) -> Handoff:
    view = contract.view
    reader = reader_of(uow, view.workspace, team.channel)
    reaches_them = next_open(uow.now, reader, working_days(view.workspace))
    row = Handoff(
        workspace_id=view.workspace.id,
        adoption_id=view.id,
        version_id=view.version.id or 0,
        place=contract.place,
        team_id=team.id or 0,
        what=what,
        link=link,
        sent_by=uow.actor.member,
        surface=uow.actor.surface,
        source=uow.actor.request,
        sent_at=uow.now,
        due_at=reaches_them + timedelta(hours=contract.terms.sla_hours),
    )
    uow.session.add(row)
    uow.session.flush()
    uow.record(
        action="handoff-sent",
        subject=f"adoption:{view.id}",
        after={"handoff": row.id, "to": team.slug, "what": what, "link": link, "due": row.due_at.isoformat()},
    )
    return row


def _send_messages(uow: UnitOfWork, row: Handoff, view: AdoptionView, team: Team) -> None:
    """Ask the receiving team now, and queue the overdue messages to both owners."""
    theirs = receiving_owner(uow, team)
    both = dict.fromkeys(one for one in (view.playbook.owner, theirs) if one)
    subject = {"handoff": row.id, "adoption": view.id}

    def to(kind: str, recipient: str) -> NewMessage:
        return NewMessage(kind, recipient, subject, about=(row.id, recipient))

    messages = [to(POSTED, team.channel)]
    messages += [to(ASKED, theirs)] if theirs and theirs != uow.actor.member else []
    messages += [
        replace(to(OVERDUE, owner), due_at=row.due_at, useful=BY_KIND[OVERDUE].useful) for owner in both
    ]
    uow.send(messages)


def handoff_form(
    uow: UnitOfWork,
    *,
    playbook: str | None = None,
    team: str | None = None,
    adoption_id: int | None = None,
    to: str | None = None,
    what: str = "",
    link: str = "",
) -> HandoffForm | None:
    """The form to hand something over; None if the caller can use no contract.

    Raises:
        Refusal: the existing contracts are with teams that don't exist here.
    """
    with uow.read():
        runs = _runs(uow, playbook=playbook, team=team)
        if adoption_id is not None:
            runs = [view for view in runs if view.id == adoption_id]
        every = contracts_of(uow, runs)
        ready = [one for one in every if one.team is not None]
        absent = tuple(dict.fromkeys(one.terms.to for one in every if one.team is None))
        if not ready and absent:
            raise Refusal(not_here(absent[0]))
        fitting = [one for one in ready if to in (None, one.terms.to)]
        if not ready:
            return None
        return HandoffForm(
            choices=tuple(Choice(label=_label(one), value=one.value) for one in ready),
            selected=fitting[0].value if len(fitting) == 1 else None,
            what=what[:LONGEST],
            link=link,
            absent=absent,
        )


def _label(contract: Contract) -> str:
    """`Refund decision from Billing · Support reply`, truncated to fit a menu."""
    team = contract.team.title if contract.team else contract.terms.to
    return f"{team}: {contract.terms.outputs[0][:40]} · {contract.view.playbook.title} ({contract.view.team.title})"
