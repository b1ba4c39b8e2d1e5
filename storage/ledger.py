"""The ledger of messages owed: queued once under a key, then sent, skipped or failed.

A message is queued in the transaction of what caused it. Its key makes queueing it again a no-op, so any
number of planners may plan the same slot. Sending it is another transaction, later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import ColumnElement, Table, bindparam, func, literal_column, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select
from structlog.contextvars import get_contextvars

from storage.engine import connection_of
from storage.lanes import BUDGET, POSTING
from storage.tables import Lane, MessageState, OwedMessage

FOREVER = timedelta(days=30)
"""How long an alert stays worth sending after downtime."""
LONGEST_ATTEMPT = timedelta(seconds=30)
"""Nobody else takes a message for this long after an attempt began; who posts late asks first (`attempts.renew`)."""
UNDER_WAY = "being sent"
"""The reason of a message while somebody is sending it."""
SETTLING = 5
"""Attempts during which later messages to the same recipient wait, so that order holds; one that can't be
sent for longer no longer holds them up."""


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


def owe(
    session: Session, *, workspace_id: str, owed: Sequence[Owed], now: datetime, correlation_id: str = ""
) -> int:
    """Queue messages; those whose key is already there are left alone. Returns how many are new.

    Without a `correlation_id` a row takes that of the request, or the planning, that its log lines carry.
    """
    if not owed:
        return 0
    correlation_id = correlation_id or str(get_contextvars().get("correlation_id", ""))
    rows = [
        {
            "workspace_id": workspace_id,
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
            "created_at": now,
        }
        for one in owed
    ]
    session.flush()  # what the messages are about comes first
    connection = connection_of(session)
    done = connection.execute(
        _INSERT[connection.dialect.name], rows, execution_options={"preserve_rowcount": True}
    )
    return int(done.rowcount)


def known_keys(session: Session, *, workspace_id: str, keys: Sequence[str]) -> set[str]:
    """Which of these keys are in the ledger already."""
    found: set[str] = set()
    for start in range(0, len(keys), 2_000):
        query = select(OwedMessage.key).where(
            OwedMessage.workspace_id == workspace_id, col(OwedMessage.key).in_(keys[start : start + 2_000])
        )
        found.update(session.exec(query))
    return found


def _held_up(row: Any, *, at: Any) -> ColumnElement[bool]:
    """Whether another message to the recipient of `row` is on its way, or to be tried again, at an instant."""
    ahead = aliased(OwedMessage)
    return (
        select(ahead.id)
        .where(
            ahead.state == MessageState.DUE,
            ahead.workspace_id == row.workspace_id,
            ahead.recipient == row.recipient,
            ahead.attempts >= 1,
            ahead.attempts <= SETTLING,
            ahead.not_before > at,
        )
        .exists()
    )


def _closed(now: datetime) -> ColumnElement[bool]:
    """Whether the recipient's turn, a pause in posting or the budget of the workspace is still to wait for."""
    return (
        select(Lane.name)
        .where(
            Lane.workspace_id == OwedMessage.workspace_id,
            col(Lane.name).in_([col(OwedMessage.recipient), POSTING, BUDGET]),
            Lane.free_at > now,
        )
        .exists()
    )


def due_recipients(
    session: Session, *, now: datetime, limit: int = 500, within: Sequence[str] | None = None
) -> list[tuple[str, str]]:
    """(workspace, recipient) pairs whose next message may go out now, the longest waiting first.

    `within` looks at these workspaces only: those of others must not take up the limit.
    """
    query = (
        select(OwedMessage.workspace_id, OwedMessage.recipient, func.min(OwedMessage.due_at).label("first"))
        .where(
            OwedMessage.state == MessageState.DUE,
            OwedMessage.not_before <= now,
            ~_held_up(OwedMessage, at=now),
            ~_closed(now),
        )
        .group_by(col(OwedMessage.workspace_id), col(OwedMessage.recipient))
        .order_by("first")
        .limit(limit)
    )
    if within is not None:
        query = query.where(col(OwedMessage.workspace_id).in_(within))
    return [(workspace_id, recipient) for workspace_id, recipient, _ in session.exec(query)]


def next_due(session: Session, *, within: Sequence[str] | None = None) -> datetime | None:
    """When the earliest waiting message may be sent; `within` looks at these workspaces only."""
    query = (
        select(OwedMessage.workspace_id, func.min(OwedMessage.not_before), func.max(Lane.free_at))
        .outerjoin(Lane, (col(Lane.workspace_id) == OwedMessage.workspace_id) & (col(Lane.name) == POSTING))
        .where(OwedMessage.state == MessageState.DUE, ~_held_up(OwedMessage, at=OwedMessage.not_before))
        .group_by(col(OwedMessage.workspace_id))
    )
    if within is not None:
        query = query.where(col(OwedMessage.workspace_id).in_(within))
    return min((max(first, paused or first) for _, first, paused in session.exec(query)), default=None)


def oldest_due(session: Session, *, workspace_id: str, recipient: str, now: datetime) -> OwedMessage | None:
    """The message this recipient has waited for longest, of those that may be sent now.

    Messages go out in the order they were due; one that was postponed doesn't hold up the others.
    """
    query = (
        select(OwedMessage)
        .where(
            OwedMessage.state == MessageState.DUE,
            OwedMessage.workspace_id == workspace_id,
            OwedMessage.recipient == recipient,
            OwedMessage.not_before <= now,
            ~_held_up(OwedMessage, at=now),
        )
        .order_by(col(OwedMessage.due_at), col(OwedMessage.id))
        .limit(1)
    )
    return session.exec(query).first()


def begin_attempt(
    session: Session, *, message_id: int, attempts: int, now: datetime, channel: str | None, text: str
) -> bool:
    """Record that a message is about to be posted; False when another worker got there first.

    Nobody else takes it for `LONGEST_ATTEMPT`, unless its process is known to be gone (`attempts.take_back`).
    """
    changed = session.execute(
        update(OwedMessage)
        .where(
            col(OwedMessage.id) == message_id,
            col(OwedMessage.state) == MessageState.DUE,
            col(OwedMessage.attempts) == attempts,
        )
        .values(
            attempts=attempts + 1,
            first_attempt_at=func.coalesce(col(OwedMessage.first_attempt_at), now),
            last_attempt_at=now,
            not_before=now + LONGEST_ATTEMPT,
            reason=UNDER_WAY,
            channel=channel,
            text=text,
        )
    )
    return bool(getattr(changed, "rowcount", 0))


def finish(
    session: Session,
    *,
    message_id: int,
    state: MessageState,
    now: datetime,
    reason: str = "",
    ts: str | None = None,
    channel: str | None = None,
    attempts: int | None = None,
) -> None:
    """End a message: sent (with its channel and `ts`), skipped or failed (with the reason).

    With `attempts`, only while no later attempt has begun: a worker that was taken for dead decides nothing.
    """
    values: dict[str, Any] = {"state": state, "reason": reason[:500]}
    if state is MessageState.SENT:
        values |= {"sent_at": now, "ts": ts}
    if channel is not None:
        values["channel"] = channel
    session.execute(update(OwedMessage).where(*_if_due(message_id, attempts)).values(**values))


def postpone(
    session: Session, *, message_id: int, until: datetime, reason: str, attempts: int | None = None
) -> None:
    """Try one message again later; with `attempts`, only while no later attempt has begun."""
    session.execute(
        update(OwedMessage)
        .where(*_if_due(message_id, attempts))
        .values(not_before=until, reason=reason[:500])
    )


def _if_due(message_id: int, attempts: int | None) -> list[ColumnElement[bool]]:
    found = [col(OwedMessage.id) == message_id, col(OwedMessage.state) == MessageState.DUE]
    return found if attempts is None else [*found, col(OwedMessage.attempts) == attempts]


def timestamps(session: Session, *, workspace_id: str, channel: str) -> set[str]:
    """The `ts` of every message sent to a channel: those that are accounted for."""
    query = select(OwedMessage.ts).where(
        OwedMessage.workspace_id == workspace_id,
        OwedMessage.channel == channel,
        col(OwedMessage.ts).is_not(None),
    )
    return {ts for ts in session.exec(query) if ts}


def get(session: Session, *, workspace_id: str, message_id: int) -> OwedMessage | None:
    """One row of the ledger."""
    query = select(OwedMessage).where(OwedMessage.workspace_id == workspace_id, OwedMessage.id == message_id)
    return session.exec(query).first()


def unsent_counts(
    session: Session, *, workspace_id: str, since: datetime, until: datetime
) -> list[tuple[str, MessageState, str, int]]:
    """(kind, state, reason, count) of what was skipped or failed among messages due in an interval."""
    query = (
        select(col(OwedMessage.kind), col(OwedMessage.state), col(OwedMessage.reason), func.count())
        .where(
            OwedMessage.workspace_id == workspace_id,
            OwedMessage.due_at >= since,
            OwedMessage.due_at < until,
            col(OwedMessage.state).in_([MessageState.SKIPPED, MessageState.FAILED]),
        )
        .group_by(col(OwedMessage.kind), col(OwedMessage.state), col(OwedMessage.reason))
        .order_by(col(OwedMessage.kind), col(OwedMessage.reason))
    )
    return list(session.exec(query))


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


class Brief(NamedTuple):
    """A message, as far as rewriting it needs."""

    id: int
    key: str
    kind: str
    recipient: str
    subject: dict[str, Any]
    state: MessageState
    replaces_id: int | None


_BRIEFS = _BY_PREFIX.with_only_columns(*(getattr(OwedMessage, name) for name in Brief._fields))


def briefs_by_prefix(session: Session, *, workspace_id: str, prefix: str) -> list[Brief]:
    """`by_prefix` without the rest of the rows."""
    asked = {"workspace": workspace_id, "exact": prefix, "first": f"{prefix}:", "after": f"{prefix};"}
    return [Brief(*row) for row in connection_of(session).execute(_BRIEFS, asked)]


def by_prefix(session: Session, *, workspace_id: str, prefix: str) -> list[OwedMessage]:
    """The messages queued under a key, or under one that goes on from it after a colon."""
    asked = {"workspace": workspace_id, "exact": prefix, "first": f"{prefix}:", "after": f"{prefix};"}
    return list(session.exec(_BY_PREFIX, params=asked))
