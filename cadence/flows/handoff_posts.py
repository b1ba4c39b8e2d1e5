"""What the messages of a handoff say now: the one that hands over, the overdue one, what came of it."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlmodel import Session

from cadence.flows.callers import Caller
from cadence.flows.composed import Composed, Say, Skip
from cadence.flows.handoff_contracts import HandedOver, handed_over, may_answer, may_withdraw, names_of
from cadence.flows.handoffs import OVERDUE
from cadence.flows.people import zone_of
from cadence.flows.runs import current_modes, mode_of
from cadence.nudges import Unless
from cadence.refusals import Refusal
from cadence.rules.modes import rank
from storage import handoffs
from storage.tables import HandoffState, OwedMessage
from templates.contexts.handoffs import HandoffAnswered, HandoffPost

_SETTLED: Final = {
    HandoffState.ACCEPTED: Unless.ACCEPTED,
    HandoffState.DONE: Unless.ACCEPTED,
    HandoffState.FAILED: Unless.SENT_BACK,
    HandoffState.WITHDRAWN: Unless.WITHDRAWN,
}
"""Why nobody is asked any more to accept it."""


def _of(session: Session, message: OwedMessage, now: datetime) -> tuple[HandedOver, ZoneInfo]:
    """The handoff a message is about, and the zone of who reads it."""
    row = handoffs.get(session, workspace_id=message.workspace_id, handoff_id=int(message.subject["handoff"]))
    if row is None:
        raise Refusal("the handoff isn't there")
    handed = handed_over(session, row, now=now)
    if message.recipient == handed.team.channel:
        return handed, ZoneInfo(handed.team.timezone)
    return handed, zone_of(session, handed.run.workspace, message.recipient)


def post(session: Session, message: OwedMessage, now: datetime) -> HandoffPost:
    """What was handed over, or that nobody took it in time; once it is answered, the answer."""
    handed, zone = _of(session, message, now)
    reader = Caller(message.workspace_id, message.recipient, "message")
    return HandoffPost(
        handoff=names_of(handed, zone),
        inputs=handed.terms.inputs,
        outputs=handed.terms.outputs,
        on_failure=handed.terms.on_failure,
        overdue=message.kind == OVERDUE,
        may_withdraw=message.kind == OVERDUE and may_withdraw(session, reader, handed),
        may_answer=message.recipient == handed.team.channel or may_answer(session, reader, handed, now=now),
    )


def posted(session: Session, message: OwedMessage, now: datetime) -> Composed:
    """Ask for what was handed over to be accepted; nothing once it was answered."""
    context = post(session, message, now)
    reason = _SETTLED.get(HandoffState(context.handoff.state))
    return Say(context) if reason is None else Skip(reason)


def answered(session: Session, message: OwedMessage, now: datetime) -> Composed:
    """To who handed over and, when it can't be used, to the owner: what the receiving team says."""
    handed, zone = _of(session, message, now)
    if message.subject.get("state", handed.row.state) != handed.row.state:
        return Skip(Unless.NEWER_SAID)
    return Say(_answer(session, message, handed, zone))


def _answer(session: Session, message: OwedMessage, handed: HandedOver, zone: ZoneInfo) -> HandoffAnswered:
    run, fallback = handed.run, handed.terms.fallback
    modes = current_modes(session, run)
    above = [step for step in run.spec.steps if rank(mode_of(modes, step)) > rank(fallback)]
    failed = handed.row.state is HandoffState.FAILED
    mine = message.recipient == run.playbook.owner
    return HandoffAnswered(
        handoff=names_of(handed, zone),
        on_failure=handed.terms.on_failure,
        owner=None if mine else run.playbook.owner,
        fallback=fallback if failed and above else None,
        declare=f"{run.id}:{above[0].key if len(above) == 1 else ''}:{fallback}"
        if failed and above and mine
        else None,
        again=str(run.id) if failed else None,
    )
