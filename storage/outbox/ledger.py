"""The ledger of messages owed: queued once under a key, then sent, skipped or failed.

A message is queued in the transaction of what caused it. Its key makes queueing it again a no-op, so any
number of planners may plan the same slot. Sending it is another transaction, later: `turns.py`, `attempts.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import Table, bindparam, func, literal_column, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select
from structlog.contextvars import get_contextvars

from storage.engine import connection_of
from storage.tables import MessageState, OwedMessage
from storage.work import UnitOfWork

FOREVER = timedelta(days=30)
"""How long an alert stays worth sending after downtime."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A message to queue.

    Args:
        key: unique for the message: `kind:workspace:subject:slot`.
        kind: which message it is.
        recipient: a channel or a member.
        subject: ids only; what the message says is read when it is sent.
        due_at: not sent before.
        useful_until: skipped after.
        replaces_id: the ledger row whose message this one rewrites.
    """

    key: str
    kind: str
    recipient: str
    subject: dict[str, Any]
    due_at: datetime
    useful_until: datetime | None = None
    replaces_id: int | None = None
    state: MessageState = MessageState.DUE
    reason: str = ""


def _insert(make: Any) -> Any:
    """The dialect's insert that leaves keys alone which are there already."""
    table = cast(Table, OwedMessage.__table__)  # type: ignore[attr-defined]
    due = bindparam("due", type_=table.c.due_at.type)
    row = make(table).values(
        due_at=due, not_before=due, attempts=literal_column("0"), text=literal_column("''")
    )
    return row.on_conflict_do_nothing(index_elements=["key"]).inline()


_INSERT: Final = {"sqlite": _insert(sqlite.insert), "postgresql": _insert(postgresql.insert)}


def owe(uow: UnitOfWork, *, owed: Sequence[Owed], correlation_id: str = "") -> int:
    """Queue messages; those whose key is already there are left alone. Returns how many are new.

    Without a `correlation_id` a row takes that of the request, or the planning, that its log lines carry.
    """
    if not owed:
        return 0
    correlation_id = correlation_id or str(get_contextvars().get("correlation_id", ""))
    rows = [
        {
            "workspace_id": uow.workspace_id,
            "key": one.key,
            "kind": one.kind,
            "recipient": one.recipient,
            "subject": one.subject,
            "replaces_id": one.replaces_id,
            "due": one.due_at,
            "useful_until": one.useful_until or one.due_at + FOREVER,
            "state": one.state,
            "reason": one.reason,
            "correlation_id": correlation_id,
            "created_at": uow.now,
        }
        for one in owed
    ]
    uow.session.flush()  # what the messages are about comes first
    connection = connection_of(uow.session)
    done = connection.execute(
        _INSERT[connection.dialect.name], rows, execution_options={"preserve_rowcount": True}
    )
    return int(done.rowcount)


def timestamps(uow: UnitOfWork, *, channel: str) -> set[str]:
    """The `ts` of every message sent to a channel: those that are accounted for."""
    query = select(OwedMessage.ts).where(
        OwedMessage.workspace_id == uow.workspace_id,
        OwedMessage.channel == channel,
        col(OwedMessage.ts).is_not(None),
    )
    return {ts for ts in uow.session.exec(query) if ts}


def owe_rewrites(uow: UnitOfWork, *, messages: Iterable[OwedMessage], mark: str) -> int:
    """Queue a rewrite of each message that was sent: it says from then on what is true now. Returns how many are new.

    Args:
        mark: tells one occasion from the next: each rewrites a message once.
    """
    owed = [
        Owed(
            key=f"rewrite:{one.id}:{mark}"[:255],
            kind="rewrite",
            recipient=one.recipient,
            subject={"kind": one.kind} | one.subject,
            due_at=uow.now,
            replaces_id=one.id,
        )
        for one in messages
        if one.state is MessageState.SENT and one.replaces_id is None
    ]
    return owe(uow, owed=owed, correlation_id=uow.correlation_id)


def sent_to(uow: UnitOfWork, *, recipient: str, kinds: Sequence[str]) -> list[OwedMessage]:
    """The messages of some kinds that a recipient got, oldest first; files aren't among them."""
    query = select(OwedMessage).where(
        OwedMessage.workspace_id == uow.workspace_id,
        OwedMessage.state == MessageState.SENT,
        OwedMessage.recipient == recipient,
        col(OwedMessage.kind).in_(kinds),
        col(OwedMessage.ts).is_not(None),
    )
    return list(uow.session.exec(query.order_by(col(OwedMessage.id))))


def get(uow: UnitOfWork, *, message_id: int) -> OwedMessage | None:
    """One row of the ledger."""
    query = select(OwedMessage).where(
        OwedMessage.workspace_id == uow.workspace_id, OwedMessage.id == message_id
    )
    return uow.session.exec(query).first()


def unsent_counts(
    uow: UnitOfWork, *, since: datetime, until: datetime
) -> list[tuple[str, MessageState, str, int]]:
    """(kind, state, reason, count) of what was skipped or failed among messages due in an interval."""
    query = (
        select(col(OwedMessage.kind), col(OwedMessage.state), col(OwedMessage.reason), func.count())
        .where(
            OwedMessage.workspace_id == uow.workspace_id,
            OwedMessage.due_at >= since,
            OwedMessage.due_at < until,
            col(OwedMessage.state).in_([MessageState.SKIPPED, MessageState.FAILED]),
        )
        .group_by(col(OwedMessage.kind), col(OwedMessage.state), col(OwedMessage.reason))
        .order_by(col(OwedMessage.kind), col(OwedMessage.reason))
    )
    return list(uow.session.exec(query))


_KEY = col(OwedMessage.key)
_BY_PREFIX = (
    select(OwedMessage)
    .where(
        OwedMessage.workspace_id == bindparam("workspace"),
        bindparam("exact")
        <= _KEY,  # these two are a range of the index on keys: a semicolon follows the colon
        bindparam("after") > _KEY,
        or_(bindparam("exact") == _KEY, bindparam("first") <= _KEY),
    )
    .order_by(col(OwedMessage.id))
)


def by_prefix(uow: UnitOfWork, *, prefix: str) -> list[OwedMessage]:
    """The messages queued under a key, or under one that goes on from it after a colon."""
    asked = {"workspace": uow.workspace_id, "exact": prefix, "first": f"{prefix}:", "after": f"{prefix};"}
    return list(uow.session.exec(_BY_PREFIX, params=asked))
