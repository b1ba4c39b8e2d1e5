"""The ledger for people to read: which messages, in what state, and how many of each."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func
from sqlmodel import col, select

from cadence.rules.verdicts import Decision
from storage.tables import MessageState, OwedMessage, StepVerdict
from storage.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages are asked for; what is None doesn't matter.

    Args:
        recipients: any of these channels or members.
        since: due at this instant or later.
    """

    state: MessageState | None = None
    kind: str | None = None
    recipients: tuple[str, ...] | None = None
    since: datetime | None = None


def find(uow: UnitOfWork, *, wanted: Wanted, limit: int) -> list[OwedMessage]:
    """The newest messages by the instant they were due, newest first."""
    query = select(OwedMessage).where(*_conditions(uow.workspace_id, wanted))
    query = query.order_by(col(OwedMessage.due_at).desc(), col(OwedMessage.id).desc())
    return list(uow.session.exec(query.limit(limit)))


def totals(uow: UnitOfWork, *, wanted: Wanted) -> list[tuple[MessageState, str, int]]:
    """(state, reason, count): a message that waits or was sent without a remark has no reason."""
    query = (
        select(col(OwedMessage.state), col(OwedMessage.reason), func.count())
        .where(*_conditions(uow.workspace_id, wanted))
        .group_by(col(OwedMessage.state), col(OwedMessage.reason))
    )
    return list(uow.session.exec(query))


def kinds(uow: UnitOfWork) -> list[str]:
    """Every kind of message there has been."""
    query = select(OwedMessage.kind).where(OwedMessage.workspace_id == uow.workspace_id).distinct()
    return sorted(uow.session.exec(query))


def _conditions(workspace_id: str, wanted: Wanted) -> list[ColumnElement[bool]]:
    found = [col(OwedMessage.workspace_id) == workspace_id]
    if wanted.state is not None:
        found.append(col(OwedMessage.state) == wanted.state)
    if wanted.kind is not None:
        found.append(col(OwedMessage.kind) == wanted.kind)
    if wanted.recipients is not None:
        found.append(col(OwedMessage.recipient).in_(wanted.recipients))
    if wanted.since is not None:
        found.append(col(OwedMessage.due_at) >= wanted.since)
    return found


def waiting(uow: UnitOfWork) -> list[tuple[str, int, datetime]]:
    """(kind, count, since when the first may be sent) of the messages that may be sent now and aren't yet."""
    query = (
        select(col(OwedMessage.kind), func.count(), func.min(OwedMessage.not_before))
        .where(
            OwedMessage.state == MessageState.DUE,
            OwedMessage.workspace_id == uow.workspace_id,
            OwedMessage.not_before <= uow.now,
        )
        .group_by(col(OwedMessage.kind))
        .order_by(col(OwedMessage.kind))
    )
    return list(uow.session.exec(query))


def by_state(uow: UnitOfWork) -> list[tuple[str, MessageState, int]]:
    """(kind, state, count) of every message there is."""
    query = (
        select(col(OwedMessage.kind), col(OwedMessage.state), func.count())
        .where(OwedMessage.workspace_id == uow.workspace_id)
        .group_by(col(OwedMessage.kind), col(OwedMessage.state))
        .order_by(col(OwedMessage.kind), col(OwedMessage.state))
    )
    return list(uow.session.exec(query))


def verdicts(uow: UnitOfWork) -> list[tuple[Decision, int]]:
    """(decision, count) of every verdict there is."""
    query = (
        select(col(StepVerdict.decision), func.count())
        .where(StepVerdict.workspace_id == uow.workspace_id)
        .group_by(col(StepVerdict.decision))
        .order_by(col(StepVerdict.decision))
    )
    return list(uow.session.exec(query))


def stuck(uow: UnitOfWork, *, since: datetime, until: datetime) -> list[tuple[str, str, int]]:
    """(recipient, reason, count) of what failed or waits for a reason, among messages due in an interval."""
    query = (
        select(col(OwedMessage.recipient), col(OwedMessage.reason), func.count())
        .where(
            OwedMessage.workspace_id == uow.workspace_id,
            OwedMessage.due_at >= since,
            OwedMessage.due_at < until,
            col(OwedMessage.state).in_([MessageState.FAILED, MessageState.DUE]),
            OwedMessage.reason != "",
        )
        .group_by(col(OwedMessage.recipient), col(OwedMessage.reason))
        .order_by(func.count().desc(), col(OwedMessage.recipient))
    )
    return list(uow.session.exec(query))
