"""One live copy of a check-in: the newest has the buttons. And when the buttons of a weekly DM stop."""

from datetime import date, datetime, time, timedelta
from typing import Final

from cadence.flows.core import CHECKIN_KINDS, require_workspace, zone_of
from cadence.rules.calendar import WEEKS, instant, local_day, monday_of
from storage.outbox import ledger
from storage.outbox.ledger import Owed
from storage.queries import playbooks
from storage.tables import OwedMessage, Workspace
from storage.work import UnitOfWork

KPI_MISSING: Final = "kpi-missing"
WHO_IS_MISSING: Final = "who-is-missing"
CLOSING_KINDS: Final = frozenset({*CHECKIN_KINDS, KPI_MISSING, WHO_IS_MISSING})
"""Messages whose buttons stop at an hour that is known when they are sent."""
CLOSES: Final = "closes"
"""In the subject of the rewrite that takes the buttons."""


def sent_copies(uow: UnitOfWork, *, member: str, week: str) -> list[OwedMessage]:
    """The messages that brought a week's check-in to somebody, in Slack's order."""
    sent = ledger.sent_to(uow, recipient=member, kinds=CHECKIN_KINDS)
    return sorted((row for row in sent if row.subject["week"] == week), key=lambda row: float(row.ts or 0))


def closes_at(uow: UnitOfWork, workspace: Workspace, message: OwedMessage) -> datetime:
    """When a message's buttons stop: as the week ends in which it was sent, by its reader's clock.

    A missing number can be given while its cycle runs, and for a week after its own.
    """
    zone = zone_of(uow, workspace, message.recipient)
    monday = monday_of(local_day(message.sent_at or message.due_at, zone)) + timedelta(weeks=1)
    if message.kind == KPI_MISSING:
        week = date.fromisoformat(str(message.subject["week"]))
        cycle = playbooks.cycle_on(uow, adoption_id=int(message.subject["adoption"]), day=week)
        ends = cycle.starts_on + timedelta(weeks=WEEKS) if cycle else monday
        monday = max(ends, week + timedelta(weeks=2))
    return instant(monday, time.min, zone)


def came(uow: UnitOfWork, message: OwedMessage) -> None:
    """A message was just sent: owe the rewrite that takes its buttons when they can't do anything any more.

    Older copies of a check-in point to the new one from now on.
    """
    if message.kind in CHECKIN_KINDS:
        found = sent_copies(uow, member=message.recipient, week=str(message.subject["week"]))
        older = [row for row in found if row.id != message.id]
        ledger.owe_rewrites(uow, messages=older, mark=f"moved:{message.id}")
    row = ledger.get(uow, message_id=message.id or 0)
    if row is None:
        return
    closing = Owed(
        key=f"rewrite:{row.id}:{CLOSES}",
        kind="rewrite",
        recipient=row.recipient,
        subject={"kind": row.kind, CLOSES: True} | row.subject,
        due_at=closes_at(uow, require_workspace(uow), row),
        replaces_id=row.id,
    )
    ledger.owe(uow, owed=[closing])


def rewrite_live(uow: UnitOfWork, *, week: str) -> None:
    """Owe the live copy a rewrite: it says what was just chosen, and its menu is as new."""
    found = sent_copies(uow, member=uow.actor.member, week=week)
    ledger.owe_rewrites(uow, messages=found[-1:], mark=uow.actor.request)
