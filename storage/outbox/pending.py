"""What a transaction queues: collected, and written by one statement when it commits.

The messages to rewrite are found by one query then, whatever number of changes asks for it; several changes rewrite
a message once.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlmodel import Session

from storage.deferred import Deferred
from storage.outbox.queueing import Sent, find_sent, insert, rewrite_row
from storage.tables import OutboxMessage


class Occasion(NamedTuple):
    """A change that rewrites messages.

    Args:
        shared: columns of its rows: the workspace, the request, the instant.
        mark: identifies it: each occasion rewrites a message once.
        due_at: when the rewrite shows the state.
        subject: added to the rewrite's subject, as items.
    """

    shared: dict[str, Any]
    mark: str
    due_at: datetime
    subject: tuple[tuple[str, str | int], ...] = ()


class _Rewrites(NamedTuple):
    """Messages to rewrite on an occasion: those at hand, and those to be found by their keys."""

    occasion: Occasion
    given: tuple[Sent, ...] = ()
    keys: tuple[str, ...] = ()
    week: str | None = None

    @property
    def workspace_id(self) -> str:
        return str(self.occasion.shared["workspace_id"])

    def among(self, found: Sequence[Sent]) -> list[Sent]:
        """Those of the found messages that it means, after those at hand."""
        return [*self.given, *(one for one in found if self._means(one))]

    def _means(self, one: Sent) -> bool:
        is_about = any(one.key == key or one.key.startswith(f"{key}:") for key in self.keys)
        return is_about and self.week in (None, str(one.subject.get("week")))


def add(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Queue rows of the ledger when the transaction commits; existing keys are left alone.

    Raises:
        RuntimeError: the transaction only reads.
    """
    _PENDING.add(session, rows)


def rewrite(session: Session, occasion: Occasion, messages: Iterable[OutboxMessage]) -> None:
    """Queue a rewrite of each of these messages when the transaction commits.

    Raises:
        RuntimeError: the transaction only reads.
    """
    given = tuple(Sent(one.id or 0, one.key, one.kind, one.recipient, one.subject) for one in messages)
    _PENDING.add(session, [_Rewrites(occasion, given)])


def rewrite_about(session: Session, occasion: Occasion, keys: Sequence[str], *, week: str | None) -> None:
    """Queue a rewrite of each message with one of these keys, sent or being sent, when the transaction commits.

    Args:
        keys: the first parts are enough.
        week: only messages about the week that begins on this Monday.

    Raises:
        RuntimeError: the transaction only reads.
    """
    _PENDING.add(session, [_Rewrites(occasion, keys=tuple(keys), week=week)])


def flush(session: Session, kinds: Sequence[str] = ()) -> None:
    """Write what was queued since the last time; with `kinds`, only if a message of one of them was."""
    _PENDING.flush(
        session, only_if=(lambda one: isinstance(one, dict) and one["kind"] in kinds) if kinds else None
    )


def _write(session: Session, pending: list[dict[str, Any] | _Rewrites]) -> None:
    insert(session, list(_rows(session, pending)))


def _rows(session: Session, pending: Sequence[dict[str, Any] | _Rewrites]) -> Iterator[dict[str, Any]]:
    """The rows to insert, in the order in which they were asked for: one rewrite of each message and instant, marked
    with all of its occasions."""
    rewrites = [one for one in pending if isinstance(one, _Rewrites)]
    sent = {name: _found(session, name, rewrites) for name in {one.workspace_id for one in rewrites}}
    together: dict[Any, tuple[Sent, list[Occasion]]] = {}
    ordered: list[dict[str, Any] | tuple[Sent, list[Occasion]]] = []
    for one in pending:
        if isinstance(one, dict):
            ordered.append(one)
            continue
        for message in one.among(sent[one.workspace_id]):
            same = message.id, one.occasion.due_at, one.occasion.subject
            if same not in together:
                ordered.append(together.setdefault(same, (message, [])))
            together[same][1].append(one.occasion)
    yield from (one if isinstance(one, dict) else _rewrite_row(*one) for one in ordered)


def _rewrite_row(message: Sent, occasions: Sequence[Occasion]) -> dict[str, Any]:
    first = occasions[0]
    mark = "+".join(dict.fromkeys(one.mark for one in occasions))
    return rewrite_row(message, mark=mark, due_at=first.due_at, **dict(first.subject)) | first.shared


def _found(session: Session, workspace_id: str, rewrites: Sequence[_Rewrites]) -> list[Sent]:
    keys = dict.fromkeys(key for one in rewrites if one.workspace_id == workspace_id for key in one.keys)
    return find_sent(session, workspace_id, list(keys)) if keys else []


_PENDING: Final = Deferred[dict[str, Any] | _Rewrites]("messages", _write)
"""Rows to insert and messages to rewrite."""
