"""Hand something over to another team, under a contract of the playbook."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.handoff_contracts import Contract, contracts_of, hours_words, receiving_owner
from cadence.flows.kpis import require_team_member
from cadence.flows.noting import note
from cadence.flows.people import reader_of, zone_of
from cadence.flows.repeats import once
from cadence.flows.runs import TeamRun, run_by_id, visible_runs
from cadence.flows.working_week import working_days
from cadence.links import kept_link
from cadence.mrkdwn import code, say
from cadence.nudges import BY_KIND, HANDOFF_OVERDUE, next_open
from cadence.refusals import Offer, Refusal
from storage import ledger, playbooks
from storage.engine import Database
from storage.ledger import Owed
from storage.tables import Handoff, Team
from templates.contexts.answers import Done
from templates.contexts.base import Choice
from templates.contexts.handoffs import HandoffForm
from templates.filters import clock, day
from templates.ids import Action, Field

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
def send_handoff(db: Database, caller: Caller, given: HandoffGiven, *, now: datetime) -> Done:
    """Hand something over: the receiving team's channel and who answers for it are asked to accept it in time.

    Raises:
        Refusal: no such contract, nothing to hand over, a receiving team that isn't here yet.
        NotAllowed: somebody from outside the sending team who isn't the owner or a curator.
        WhichContract: several contracts fit.
    """
    with db.write() as session:
        contract = _contract(session, caller, given, now=now)
        run, team = contract.run, contract.team
        require_team_member(session, caller, run, to="hand its work over")
        if team is None:
            raise Refusal(not_here(contract.terms.to), field=Field.CONTRACT)
        what, link = _checked(given.what), kept_link(given.link)
        playbooks.lock_adoption(session, workspace_id=run.workspace.id, adoption_id=run.id)
        row = _save(session, caller, contract, team, what, link, now=now)
        _owe(session, caller, row, run, team, now=now)
        due = row.due_at.astimezone(zone_of(session, run.workspace, caller.member))
        return Done(
            text=say(
                "Handed to {team} as #{number}. They have {hours} to accept it, until {day}, {clock}; "
                "you are told what they say.",
                team=team.title,
                number=row.id,
                hours=hours_words(contract.terms.sla_hours),
                day=day(due, now.astimezone(due.tzinfo)),
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


def _contract(session: Session, caller: Caller, given: HandoffGiven, *, now: datetime) -> Contract:
    if given.contract is not None:
        return _chosen(session, caller, given.contract, now=now)
    runs = _runs(session, caller, playbook=given.playbook, team=given.team, now=now)
    every = contracts_of(session, runs)
    fitting = [one for one in every if one.terms.to == given.to]
    here = [one for one in fitting if one.run.team.channel == caller.channel]
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


def _chosen(session: Session, caller: Caller, value: str, *, now: datetime) -> Contract:
    """The contract a form carries, as long as it is still the one in force."""
    parts = value.split(":")
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        raise Refusal("Choose what you hand over, and to whom.", field=Field.CONTRACT)
    adoption_id, version_id, place = map(int, parts)
    run = run_by_id(session, workspace_id=caller.workspace_id, adoption_id=adoption_id, now=now)
    require_team_member(session, caller, run, to="hand its work over")
    for one in contracts_of(session, [run]):
        if one.place == place and run.version.id == version_id:
            return one
    raise Refusal(
        "The playbook has changed since this form was opened. Close it and open it again.",
        field=Field.CONTRACT,
    )


def _runs(
    session: Session, caller: Caller, *, playbook: str | None, team: str | None, now: datetime
) -> list[TeamRun]:
    return [
        run
        for run in visible_runs(session, caller, now=now)
        if playbook in (None, run.playbook.slug) and team in (None, run.team.slug)
    ]


def _save(
    session: Session,
    caller: Caller,
    contract: Contract,
    team: Team,
    what: str,
    link: str | None,
    *,
    now: datetime,
) -> Handoff:
    run = contract.run
    reader = reader_of(session, run.workspace, team.channel, now=now)
    reaches_them = next_open(now, reader, working_days(run.workspace))
    row = Handoff(
        workspace_id=run.workspace.id,
        adoption_id=run.id,
        version_id=run.version.id or 0,
        place=contract.place,
        team_id=team.id or 0,
        what=what,
        link=link,
        sent_by=caller.member,
        surface=caller.surface,
        source=caller.request,
        sent_at=now,
        due_at=reaches_them + timedelta(hours=contract.terms.sla_hours),
    )
    session.add(row)
    session.flush()
    note(
        session,
        caller,
        action="handoff-sent",
        subject=f"adoption:{run.id}",
        after={"handoff": row.id, "to": team.slug, "what": what, "link": link, "due": row.due_at.isoformat()},
        now=now,
    )
    return row


def handoff_key(kind: str, row: Handoff) -> str:
    """The start of the ledger keys of a handoff's messages; `:recipient` follows."""
    return f"{kind}:{row.workspace_id}:{row.id}"


def _owe(session: Session, caller: Caller, row: Handoff, run: TeamRun, team: Team, *, now: datetime) -> None:
    """Ask the receiving team now; both owners hear of it when its time is over and nobody accepted it."""
    theirs = receiving_owner(session, team, now=now)
    both = dict.fromkeys(one for one in (run.playbook.owner, theirs) if one)
    late = row.due_at + BY_KIND[OVERDUE].useful
    planned: list[tuple[str, str, datetime, datetime | None]] = [(POSTED, team.channel, now, None)]
    planned += [(ASKED, theirs, now, None)] if theirs and theirs != caller.member else []
    planned += [(OVERDUE, owner, row.due_at, late) for owner in both]
    ledger.owe(
        session,
        workspace_id=row.workspace_id,
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
        now=now,
        correlation_id=caller.request,
    )


def handoff_form(
    db: Database,
    caller: Caller,
    *,
    playbook: str | None = None,
    team: str | None = None,
    adoption_id: int | None = None,
    to: str | None = None,
    what: str = "",
    link: str = "",
    now: datetime,
) -> HandoffForm | None:
    """The form to hand something over; None when no contract is the caller's to use.

    Raises:
        Refusal: the contracts there are go to teams that aren't here yet.
    """
    with db.read() as session:
        runs = _runs(session, caller, playbook=playbook, team=team, now=now)
        if adoption_id is not None:
            runs = [run for run in runs if run.id == adoption_id]
        every = contracts_of(session, runs)
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
