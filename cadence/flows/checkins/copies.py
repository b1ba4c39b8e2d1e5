"""Keep one live copy of a check-in, the newest, and close the buttons of weekly DMs."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Final

from cadence.flows.core import CHECKIN_KINDS, CLOSES, require_workspace, zone_of
from cadence.rules.calendar import WEEKS, instant, local_day, monday_of
from storage.outbox import ledger
from storage.queries import cycles
from storage.tables import MessageState, OutboxMessage, Workspace
from storage.work import UnitOfWork

KPI_MISSING: Final = "kpi-missing"
WHO_IS_MISSING: Final = "who-is-missing"


def sent_copies(uow: UnitOfWork, *, member: str, week: str) -> list[OutboxMessage]:
    """The messages that contained a week's check-in of a member, in the order of sending."""
    return sent_of(uow.messages(CHECKIN_KINDS, member, week))


def sent_of(messages: Iterable[OutboxMessage]) -> list[OutboxMessage]:
    """Those of some messages that were sent, in the order of sending."""
    sent = [row for row in messages if row.state is MessageState.SENT and row.ts is not None]
    return sorted(sent, key=lambda row: float(row.ts or 0))


def closes_at(uow: UnitOfWork, workspace: Workspace, message: OutboxMessage) -> datetime:
    """When a message's buttons close: at the end of the week in which it was sent, in its reader's zone.

    A missing number can be reported while its cycle runs, and until a week after its own week.
    """
    zone = zone_of(uow, workspace, message.recipient)
    monday = monday_of(local_day(message.sent_at or message.due_at, zone)) + timedelta(weeks=1)
    if message.kind == KPI_MISSING:
        week = date.fromisoformat(str(message.subject["week"]))
        cycle = cycles.cycle_on(uow, adoption_id=int(message.subject["adoption"]), day=week)
        ends = cycle.starts_on + timedelta(weeks=WEEKS) if cycle else monday
        monday = max(ends, week + timedelta(weeks=2))
    return instant(monday, time.min, zone)


def came(uow: UnitOfWork, message: OutboxMessage) -> None:
    """After a message was sent, queue the rewrite that removes its buttons when they no longer work.

    Older copies of a check-in then link to the new one.
    """
    if message.kind in CHECKIN_KINDS:
        found = sent_copies(uow, member=message.recipient, week=str(message.subject["week"]))
        older = [row for row in found if row.id != message.id]
        uow.rewrite_messages(older, mark=f"moved:{message.id}")
    row = ledger.get(uow, message_id=message.id or 0)
    if row is not None:
        at = closes_at(uow, require_workspace(uow), row)
        uow.rewrite_messages([row], mark=CLOSES, at=at, **{CLOSES: True})


def rewrite_live(uow: UnitOfWork, *, week: str) -> None:
    """Rewrite the live copy, to show the choice just made and an unselected menu."""
    found = sent_copies(uow, member=uow.actor.member, week=week)
    uow.rewrite_messages(found[-1:], mark=uow.correlation_id)
