"""Compose a message from its row in the ledger, or return the reason why it isn't sent."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from cadence.flows import (
    adoption,
    checkins,
    cutover,
    cycles,
    exceptions,
    gates,
    handoffs,
    history,
    nudging,
    numbers,
    overview,
    people,
    pilots,
    playbooks,
    promotions,
    rubrics,
    setup,
    standards,
    training,
    trends,
    waves,
    workspaces,
)
from cadence.flows.core import (
    CLOSES,
    Composed,
    Later,
    MessageKind,
    Say,
    Skip,
    Urgency,
    is_person,
    reader_of,
    require_workspace,
    working_days,
)
from cadence.nudges import Unless, next_open
from cadence.refusals import Refusal
from cadence.rules.calendar import local_day
from storage.outbox import ledger
from storage.outbox.queueing import REWRITE
from storage.queries import people as people_rows
from storage.tables import OutboxMessage
from storage.work import UnitOfWork
from templates.contexts.base import MessageContext

_PACKAGES: Final = (
    adoption,
    checkins,
    cutover,
    cycles,
    exceptions,
    gates,
    handoffs,
    history,
    nudging,
    numbers,
    overview,
    people,
    pilots,
    playbooks,
    promotions,
    rubrics,
    setup,
    standards,
    training,
    trends,
    waves,
    workspaces,
)


def compose(uow: UnitOfWork, message: OutboxMessage) -> Composed:
    """Compose a message as of this moment. Reads only; called just before the message is sent."""
    if message.useful_until < uow.now:
        return Skip(Unless.DOWNTIME)
    kind = KINDS[message.kind]
    with uow.read():
        if kind.urgency is Urgency.NUDGE:
            closed = _closed_door(uow, message, reaches_the_away=kind.reaches_the_away)
            if closed is not None:
                return closed
        try:
            made = kind.compose(uow, message)
        except Refusal as gone:
            return Skip(Unless.GONE, gone.plain)
    return Say(made) if isinstance(made, MessageContext) else made


def _closed_door(uow: UnitOfWork, message: OutboxMessage, *, reaches_the_away: bool) -> Later | Skip | None:
    """Wait for the reader's working hours, or skip if none are left while it is useful."""
    workspace = require_workspace(uow)
    if is_person(message.recipient):
        person = people_rows.reader(uow, member_id=message.recipient)
        if not person.takes_part:
            return Skip(Unless.LEFT if person.is_gone else Unless.NO_PART)
    reader = reader_of(uow, workspace, message.recipient)
    if reaches_the_away:
        reader = replace(reader, away=())
    opens = next_open(uow.now, reader, working_days(workspace))
    if opens == uow.now:
        return None
    if opens > message.useful_until:
        return Skip(Unless.AWAY if reader.is_away(local_day(uow.now, reader.zone)) else Unless.NO_HOURS)
    return Later(opens)


def _rewrite(uow: UnitOfWork, message: OutboxMessage) -> Say | Skip:
    """The current content of a message, as a rewrite of the sent one."""
    original = ledger.get(uow, message_id=message.replaces_id or 0)
    if original is None or original.ts is None or original.channel is None:
        return Skip(Unless.NO_ORIGINAL)
    kind = KINDS[original.kind]
    if message.subject.get(CLOSES) and kind.needs_no_end is not None:
        reason = kind.needs_no_end(uow, original)
        if reason is not None:
            return Skip(reason)
    if kind.rewrite is None:
        raise LookupError(f"A {kind.name} message is never rewritten.")
    return Say(kind.rewrite(uow, original), rewrites=(original.channel, original.ts))


KINDS: Final[Mapping[str, MessageKind]] = {
    kind.name: kind
    for kind in (
        MessageKind(REWRITE, _rewrite, urgency=Urgency.EDIT, unless=(Unless.NO_ORIGINAL,)),
        *(kind for package in _PACKAGES for kind in package.KINDS),
    )
}
"""Every kind of message, by its name in the ledger: the registry of the packages' `KINDS`."""


def picture_lost(uow: UnitOfWork, message: OutboxMessage) -> None:
    """Queue the picture of a rewritten message again, once per rewrite."""
    original = ledger.get(uow, message_id=message.replaces_id or 0)
    again = KINDS[original.kind].picture_lost if original is not None else None
    if original is not None and again is not None:
        again(uow, original, f"lost:{message.id}")


def is_alert(name: str) -> bool:
    """Whether a kind of message is an alert; an unknown kind isn't."""
    return name in KINDS and KINDS[name].urgency is Urgency.ALERT
