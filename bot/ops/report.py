"""`cadence deliveries`: the ledger as a table, or as JSON."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.ops.commands import ready_database, workspace_id
from bot.ops.findings import printable
from bot.ops.terminal_output import Part, Table
from bot.settings import Settings
from cadence.actor import Actor
from cadence.flows.outbox import Asked, DeliveriesSeen, deliveries_of
from cadence.flows.people import workspace_ids
from cadence.nudges import title_of
from storage.engine import Database
from storage.tables import MessageState, OutboxMessage
from storage.work import UnitOfWork
from templates.filters import plural

_HEAD = (
    "due",
    "what",
    "to",
    "state",
    "tries",
    "first try",
    "last try",
    "useful until",
    "why",
)


def seen(settings: Settings, asked: Asked, *, team_id: str | None, now: datetime) -> DeliveriesSeen:
    """The messages that match a filter.

    Raises:
        Refusal: the filter is invalid, or there are several workspaces to choose from.
    """
    with closing(ready_database(settings)) as db:
        return deliveries_of(UnitOfWork(db, Actor.system(team_id or _workspace(settings, db)), now), asked)


def _workspace(settings: Settings, db: Database) -> str:
    """The only workspace, determined without Slack, because the report must work while Slack is down."""
    known = workspace_ids(db)
    return known[0] if len(known) == 1 else workspace_id(settings, db)


def as_parts(found: DeliveriesSeen, asked: Asked) -> Iterator[Part]:
    """Totals first, then a line for each message, newest first."""
    name = f"{printable(found.name)} ({found.workspace})" if found.name else found.workspace
    if not found.count:
        yield f"No such messages in {name}."
        return
    yield f"{plural(found.count, 'message')} in {name}. Times are {found.zone.key}."
    yield from _totals(found)
    yield ""
    yield Table(_HEAD, [_cells(message, found) for message in found.messages])
    if len(found.messages) < found.count:
        yield f"The newest {asked.limit} of {found.count}. --limit shows more; --state, --kind, --to, --since filter."


def _totals(found: DeliveriesSeen) -> Iterator[str]:
    for state in MessageState:
        mine = [total for total in found.totals if total.state is state]
        if mine:
            why = ", ".join(f"{total.count} {_clean(total.reason)}" for total in mine if total.reason)
            yield f"  {state:<8}{sum(total.count for total in mine):>7}{'  ' if why else ''}{why}"


def _cells(message: OutboxMessage, found: DeliveriesSeen) -> tuple[str, ...]:
    zone = found.zone
    return (
        _local(message.due_at, zone),
        title_of(message.kind),
        printable(found.names.get(message.recipient) or message.recipient),
        message.state,
        str(message.attempts),
        _local(message.first_attempt_at, zone, seconds=True),
        _local(message.last_attempt_at, zone, seconds=True),
        _local(message.useful_until, zone),
        _why(message, zone),
    )


def _why(message: OutboxMessage, zone: ZoneInfo) -> str:
    """The reason; for a waiting message also until when."""
    reason = _clean(message.reason)
    if message.state is MessageState.DUE and message.not_before > message.due_at:
        return f"{reason or 'being sent'}; next try {_local(message.not_before, zone, seconds=True)}"
    return reason


def _local(moment: datetime | None, zone: ZoneInfo, *, seconds: bool = False) -> str:
    shape = "%a %Y-%m-%d %H:%M:%S" if seconds else "%a %Y-%m-%d %H:%M"
    return moment.astimezone(zone).strftime(shape) if moment else ""


def _clean(text: str) -> str:
    return printable(text)[:120]


def as_json(found: DeliveriesSeen) -> dict[str, Any]:
    """The same for programs, with Slack's IDs and the kinds' names in the ledger; instants are ISO 8601 in UTC."""
    return {
        "workspace": found.workspace,
        "totals": [
            {"state": total.state, "reason": total.reason, "count": total.count} for total in found.totals
        ],
        "messages": [_object(message) for message in found.messages],
    }


def _object(message: OutboxMessage) -> dict[str, Any]:
    moments = ("due_at", "useful_until", "not_before", "first_attempt_at", "last_attempt_at", "sent_at")
    plain = ("key", "kind", "recipient", "state", "reason", "attempts", "channel", "ts", "correlation_id")
    return {name: getattr(message, name) for name in plain} | {
        name: moment.astimezone(UTC).isoformat() if (moment := getattr(message, name)) else None
        for name in moments
    }
