"""A handoff changes its state: what became of it already, and who hears of the change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cadence.flows.core import TeamRun, note, once, reader_of, run_by_id, visible_runs, working_days, zone_of
from cadence.flows.handoffs.contracts import (
    Contract,
    HandedOver,
    contracts_of,
    handed_over,
    hours_words,
    receiving_owner,
)
from cadence.flows.numbers import require_team_member
from cadence.links import kept_link
from cadence.mrkdwn import code, mention, say
from cadence.nudges import BY_KIND, HANDOFF_OVERDUE, next_open
from cadence.refusals import Offer, Refusal
from storage.outbox import ledger
from storage.outbox.ledger import Owed
from storage.queries import handoffs, playbooks
from storage.tables import Handoff, HandoffState, Team
from storage.work import UnitOfWork
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.handoffs import HandoffForm
from templates.filters import clock, day
from templates.ids import Action, Field

GONE: Final = "That handoff isn't there. `/cadence handoff show` lists what waits."
_DID: Final = {
    HandoffState.ACCEPTED: "accepted it",
    HandoffState.FAILED: "sent it back",
    HandoffState.DONE: "finished it",
    HandoffState.WITHDRAWN: "withdrew it",
}


def held(uow: UnitOfWork, handoff_id: int) -> HandedOver:
    """A handoff, its sender's adoption locked.

    Raises:
        Refusal: no such handoff.
    """
    row = handoffs.get(uow, handoff_id=handoff_id)
    if row is None:
        raise Refusal(GONE)
    playbooks.lock_adoption(uow, adoption_id=row.adoption_id)
    uow.session.refresh(row)
    return handed_over(uow, row)


def settled(uow: UnitOfWork, handed: HandedOver, *, still: Sequence[HandoffState]) -> Done | None:
    """What became of a handoff already; None while it is in one of the states that can still be changed."""
    row = handed.row
    if row.state in still or row.decided_at is None:
        return None
    if row.decided_by == uow.actor.member:
        return Done(text=say("You {did} already: {what}.", did=_DID[row.state], what=row.what))
    at = row.decided_at.astimezone(zone_of(uow, handed.run.workspace, uow.actor.member))
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
    uow: UnitOfWork, handed: HandedOver, state: HandoffState, *, reason: str, lacking: Sequence[str] = ()
) -> None:
    """Put a handoff into a state: who sent it is told, and, when it can't be used, the owner."""
    row, before = handed.row, handed.row.state
    row.state, row.reason, row.lacking = state, reason or row.reason, list(lacking)
    row.decided_by, row.decided_at = uow.actor.member, uow.now
    uow.session.add(row)
    uow.session.flush()
    note(
        uow,
        action=f"handoff-{state}",
        subject=f"adoption:{row.adoption_id}",
        before=before,
        after={"handoff": row.id, "what": row.what, "reason": reason, "lacking": list(lacking)},
    )
    ledger.owe_rewrites(
        uow,
        messages=[
            sent
            for kind in (POSTED, ASKED, OVERDUE)
            for sent in ledger.by_prefix(uow, prefix=handoff_key(kind, row))
        ],
        mark=row.state,
    )
    told = [row.sent_by]
    if state is HandoffState.FAILED:
        told.append(handed.run.playbook.owner)
    ledger.owe(
        uow,
        owed=[
            Owed(
                key=f"{handoff_key(ANSWERED, row)}:{state}:{member}",
                kind=ANSWERED,
                recipient=member,
                subject={"handoff": row.id, "adoption": row.adoption_id, "state": state},
                due_at=uow.now,
            )
            for member in dict.fromkeys(told)
            if member != uow.actor.member
        ],
        correlation_id=uow.actor.request,
    )


LONGEST: Final = 300
"""Characters of what is handed over."""
ASKED, POSTED, OVERDUE, ANSWERED = "handoff-asked", "handoff", HANDOFF_OVERDUE, "handoff-answered"
"""Kinds in the ledger: in a DM, in the channel, when the time is over, and back to who sent it."""


@dataclass(frozen=True, slots=True)
class HandoffGiven:
    """Something to hand over: `contract` is what a form carries, else `to` (a team's slug) says which one."""

    what: str
    to: str | None = None
    contract: str | None = None
    link: str | None = None
    playbook: str | None = None
    team: str | None = None


class WhichContract(Refusal):
    """Several contracts fit, or none was named: the form asks."""


@once
def send_handoff(uow: UnitOfWork, given: HandoffGiven) -> Done:
    """Hand something over: the receiving team's channel and who answers for it are asked to accept it in time.

    Raises:
        Refusal: no such contract, nothing to hand over, a receiving team that isn't here yet.
        NotAllowed: somebody from outside the sending team who isn't the owner or a curator.
        WhichContract: several contracts fit.
    """
    with uow.write():
        contract = _contract(uow, given)
        run, team = contract.run, contract.team
        require_team_member(uow, run, to="hand its work over")
        if team is None:
            raise Refusal(not_here(contract.terms.to), field=Field.CONTRACT)
        what, link = _checked(given.what), kept_link(given.link)
        playbooks.lock_adoption(uow, adoption_id=run.id)
        row = _save(uow, contract, team, what, link)
        _owe(uow, row, run, team)
        due = row.due_at.astimezone(zone_of(uow, run.workspace, uow.actor.member))
        return Done(
            text=say(
                "Handed to {team} as #{number}. They have {hours} to accept it, until {day}, {clock}; "
                "you are told what they say.",
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
        "{team} isn't a team here yet, so nobody could take it. {create} makes it.",
        team=code(slug),
        create=code("/cadence team create"),
    )


def _checked(typed: str) -> str:
    what = typed.strip()
    if not what:
        raise Refusal("Say in a line what you hand over.", field=Field.WHAT)
    if len(what) > LONGEST:
        raise Refusal(
            f"That has {len(what):,} characters, and {LONGEST} is the most. Give a link to the rest.",
            field=Field.WHAT,
        )
    return what


def _contract(uow: UnitOfWork, given: HandoffGiven) -> Contract:
    if given.contract is not None:
        return _chosen(uow, given.contract)
    runs = _runs(uow, playbook=given.playbook, team=given.team)
    every = contracts_of(uow, runs)
    fitting = [one for one in every if one.terms.to == given.to]
    here = [one for one in fitting if one.run.team.channel == uow.actor.channel]
    if len(here or fitting) == 1:
        return (here or fitting)[0]
    if fitting:
        raise WhichContract("Which of them do you mean?", field=Field.CONTRACT)
    known = ", ".join(dict.fromkeys(one.terms.to for one in every))
    if not known:
        raise Refusal(NO_CONTRACT)
    raise Refusal(
        say(
            "None of your playbooks hands anything to {to}. They hand over to: {known}.",
            to=code(given.to or ""),
            known=code(known[:200]),
        ),
        field=Field.CONTRACT,
    )


NO_CONTRACT: Final = (
    "None of your playbooks hands anything over. Its owner adds a contract under `handoffs:` in the playbook "
    "with `/cadence playbook revise`."
)


def _chosen(uow: UnitOfWork, value: str) -> Contract:
    """The contract a form carries, as long as it is still the one in force."""
    parts = value.split(":")
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        raise Refusal("Choose what you hand over, and to whom.", field=Field.CONTRACT)
    adoption_id, version_id, place = map(int, parts)
    run = run_by_id(uow, adoption_id=adoption_id)
    require_team_member(uow, run, to="hand its work over")
    for one in contracts_of(uow, [run]):
        if one.place == place and run.version.id == version_id:
            return one
    raise Refusal(
        "The playbook has changed since this form was opened. Close it and open it again.",
        field=Field.CONTRACT,
    )


def _runs(uow: UnitOfWork, *, playbook: str | None, team: str | None) -> list[TeamRun]:
    return [
        run
        for run in visible_runs(uow)
        if playbook in (None, run.playbook.slug) and team in (None, run.team.slug)
    ]


def _save(uow: UnitOfWork, contract: Contract, team: Team, what: str, link: str | None) -> Handoff:
    run = contract.run
    reader = reader_of(uow, run.workspace, team.channel)
    reaches_them = next_open(uow.now, reader, working_days(run.workspace))
    row = Handoff(
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        version_id=run.version.id or 0,
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
    note(
        uow,
        action="handoff-sent",
        subject=f"adoption:{run.id}",
        after={"handoff": row.id, "to": team.slug, "what": what, "link": link, "due": row.due_at.isoformat()},
    )
    return row


def handoff_key(kind: str, row: Handoff) -> str:
    """The start of the ledger keys of a handoff's messages; `:recipient` follows."""
    return f"{kind}:{row.workspace_id}:{row.id}"


def _owe(uow: UnitOfWork, row: Handoff, run: TeamRun, team: Team) -> None:
    """Ask the receiving team now; both owners hear of it when its time is over and nobody accepted it."""
    theirs = receiving_owner(uow, team)
    both = dict.fromkeys(one for one in (run.playbook.owner, theirs) if one)
    late = row.due_at + BY_KIND[OVERDUE].useful
    planned: list[tuple[str, str, datetime, datetime | None]] = [(POSTED, team.channel, uow.now, None)]
    planned += [(ASKED, theirs, uow.now, None)] if theirs and theirs != uow.actor.member else []
    planned += [(OVERDUE, owner, row.due_at, late) for owner in both]
    ledger.owe(
        uow,
        owed=[
            Owed(
                key=f"{handoff_key(kind, row)}:{recipient}",
                kind=kind,
                recipient=recipient,
                subject={"handoff": row.id, "adoption": run.id},
                due_at=at,
                useful_until=until,
            )
            for kind, recipient, at, until in planned
        ],
        correlation_id=uow.actor.request,
    )


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
    """The form to hand something over; None when no contract is the caller's to use.

    Raises:
        Refusal: the contracts there are go to teams that aren't here yet.
    """
    with uow.read():
        runs = _runs(uow, playbook=playbook, team=team)
        if adoption_id is not None:
            runs = [run for run in runs if run.id == adoption_id]
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
    """`Refund decision from Billing · Support reply`: as much as a menu shows."""
    team = contract.team.title if contract.team else contract.terms.to
    return f"{team}: {contract.terms.outputs[0][:40]} · {contract.run.playbook.title} ({contract.run.team.title})"
