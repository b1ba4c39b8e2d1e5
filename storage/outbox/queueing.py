"""Queue messages: each once under its key, in the transaction of its cause.

The key makes queueing a message again a no-op, so any number of planners can plan the same slot. Another
transaction sends it later: `leases.py`, `attempts.py`. Flows queue through the unit of work: `send`,
`rewrite`. What a transaction queues is collected, and written by one statement when it commits (`pending.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from itertools import product
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from sqlalchemy import String, Table, and_, bindparam, literal_column, or_
from sqlalchemy import select as select_rows
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from storage.engine import connection_of
from storage.queries.streams import columns
from storage.query_cache import cached
from storage.tables import MessageState, OutboxMessage

if TYPE_CHECKING:
    from storage.work import UnitOfWork

REWRITE: Final = "rewrite"
"""The kind of a message that rewrites a sent one."""
FOREVER: Final = timedelta(days=30)
"""How long a message is worth sending by default, such as an alert after downtime."""
LONGEST_KEY: Final = 255
"""Maximum length of a key, in characters."""
UNDER_WAY: Final = "being sent"
"""The reason of a message that is due and whose text was composed: an attempt to send it has begun."""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to queue.

    Args:
        kind: which message it is.
        recipient: a channel or a member.
        subject: ids only; the text is composed when it is sent.
        about: distinguishes it from others of its kind in the workspace, from general to specific; messages
            are found by the first of these (`UnitOfWork.messages`).
        due_at: not sent before; None means now.
        useful: skipped if it couldn't be sent for so long after it was due.
        reason: why it is stored as skipped or failed from the start.
    """

    kind: str
    recipient: str
    subject: dict[str, Any]
    about: tuple[object, ...]
    due_at: datetime | None = None
    useful: timedelta = FOREVER
    state: MessageState = MessageState.DUE
    reason: str = ""

    def key(self, workspace_id: str) -> str:
        """Its key in the ledger."""
        return message_key(workspace_id, self.kind, self.about)[:LONGEST_KEY]

    def row(self, workspace_id: str, now: datetime) -> dict[str, Any]:
        """Its columns as a row."""
        due = self.due_at or now
        return {
            "key": self.key(workspace_id),
            "kind": self.kind,
            "recipient": self.recipient,
            "subject": self.subject,
            "replaces_id": None,
            "due": due,
            "useful_until": due + self.useful,
            "state": self.state,
            "reason": self.reason,
        }


class Sent(NamedTuple):
    """A message that was sent or is being sent, as far as rewriting it takes; see `OutboxMessage`."""

    id: int
    key: str
    kind: str
    recipient: str
    subject: dict[str, Any]


def rewrite_row(message: Sent, *, mark: str, due_at: datetime, **subject: Any) -> dict[str, Any]:
    """The columns of a message's rewrite; `mark` distinguishes occasions."""
    return {
        "key": _short(f"{REWRITE}:{message.id}:{mark}"),
        "kind": REWRITE,
        "recipient": message.recipient,
        "subject": {"kind": message.kind} | subject | message.subject,
        "replaces_id": message.id,
        "due": due_at,
        "useful_until": due_at + FOREVER,
        "state": MessageState.DUE,
        "reason": "",
    }


def _short(key: str) -> str:
    """A key within the maximum length; different ones stay different."""
    if len(key) <= LONGEST_KEY:
        return key
    digest = blake2b(key.encode(), digest_size=8).hexdigest()
    return f"{key[: LONGEST_KEY - len(digest) - 1]}:{digest}"


def is_shown(message: OutboxMessage) -> bool:
    """Whether a message shows a state that can be out of date: it was sent, or is being sent."""
    composed = message.state is MessageState.SENT or (
        message.state is MessageState.DUE and message.reason == UNDER_WAY
    )
    return composed and message.replaces_id is None


def message_key(workspace_id: str, kind: str, about: Iterable[object]) -> str:
    """The key of a message: `kind:workspace:about`, or the common prefix of several keys."""
    return ":".join(str(part) for part in (kind, workspace_id, *about))


def _insert(make: Any) -> Any:
    """The dialect's insert that skips existing keys."""
    table = cast(Table, OutboxMessage.__table__)  # type: ignore[attr-defined]
    due = bindparam("due", type_=table.c.due_at.type)
    row = make(table).values(
        due_at=due, not_before=due, attempts=literal_column("0"), text=literal_column("''")
    )
    return row.on_conflict_do_nothing(index_elements=["key"]).inline()


_INSERT: Final = {"sqlite": _insert(sqlite.insert), "postgresql": _insert(postgresql.insert)}


def insert(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    """Add rows to the ledger except existing keys; returns how many are new."""
    if not rows:
        return 0
    session.flush()  # the subject of the messages comes first
    connection = connection_of(session)
    done = connection.execute(
        _INSERT[connection.dialect.name], rows, execution_options={"preserve_rowcount": True}
    )
    return int(done.rowcount)


def _by_prefixes(count: int) -> Any:
    """The condition on messages with one of this many key prefixes.

    Only the index on keys may serve it: by the one that begins with the workspace, PostgreSQL may read all of the
    workspace's messages. So the workspace is compared as an expression.
    """
    key = col(OutboxMessage.key)
    alternatives: list[Any] = [
        key.in_([bindparam(f"whole{place}", type_=String()) for place in range(count)])
    ]
    for place in range(count):
        first, after = (bindparam(f"{name}{place}", type_=String()) for name in ("first", "after"))
        alternatives.append(and_(key >= first, key < after))
    workspace = col(OutboxMessage.workspace_id).concat("") == bindparam("workspace")
    return and_(workspace, or_(*alternatives))


@lru_cache(maxsize=16)
def _messages(count: int) -> Any:
    """Finds messages, unordered: SQLite would scan the ledger for an order."""
    return select(OutboxMessage).where(_by_prefixes(count))


@lru_cache(maxsize=64)
def _sent(count: int) -> Any:
    return select_rows(*columns(OutboxMessage, Sent._fields)).where(
        _by_prefixes(count),
        or_(
            col(OutboxMessage.state) == MessageState.SENT,
            and_(col(OutboxMessage.state) == MessageState.DUE, col(OutboxMessage.reason) == UNDER_WAY),
        ),
        col(OutboxMessage.replaces_id).is_(None),
    )


def _asked(workspace_id: str, keys: Iterable[str]) -> dict[str, str]:
    asked = {"workspace": workspace_id}
    for place, key in enumerate(keys):
        # In ASCII a semicolon follows the colon.
        asked |= {f"whole{place}": key, f"first{place}": f"{key}:", f"after{place}": f"{key};"}
    return asked


@cached(OutboxMessage)
def find(
    uow: "UnitOfWork", *, kinds: Sequence[str], prefixes: Sequence[Sequence[object]]
) -> list[OutboxMessage]:
    """The messages of some kinds whose `about` has one of these prefixes; oldest first within each kind."""
    keys = [message_key(uow.workspace_id, kind, about) for kind, about in product(kinds, prefixes)]
    found = uow.session.exec(_messages(len(keys)), params=_asked(uow.workspace_id, keys))
    return sorted(found, key=lambda row: (kinds.index(row.kind), row.id or 0))


def find_sent(session: Session, workspace_id: str, keys: Sequence[str]) -> list[Sent]:
    """A workspace's messages that were sent, or are being sent, with one of these keys or one that goes on after it;
    oldest first."""
    rows = connection_of(session).execute(_sent(len(keys)), _asked(workspace_id, keys))
    return sorted((Sent(*row) for row in rows), key=lambda one: one.id)
