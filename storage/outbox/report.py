"""The ledger as a report: messages by state, and counts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func
from sqlmodel import col, select

from cadence.rules.verdicts import Decision
from storage.tables import MessageState, OutboxMessage, StepVerdict
from storage.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter of messages; None means any.

    Args:
        recipients: any of these channels or members.
        since: due at this instant or later.
    """

    state: MessageState | None = None
    kind: str | None = None
    recipients: tuple[str, ...] | None = None
    since: datetime | None = None


def find(uow: UnitOfWork, *, wanted: Wanted, limit: int) -> list[OutboxMessage]:
    """The newest messages by the instant they were due, newest first."""
    query = select(OutboxMessage).where(*_conditions(uow.workspace_id, wanted))
    query = query.order_by(col(OutboxMessage.due_at).desc(), col(OutboxMessage.id).desc())
    return list(uow.session.exec(query.limit(limit)))


def totals(uow: UnitOfWork, *, wanted: Wanted) -> list[tuple[MessageState, str, int]]:
    """(state, reason, count): waiting messages, and those sent without a remark, have no reason."""
    query = (
        select(col(OutboxMessage.state), col(OutboxMessage.reason), func.count())
        .where(*_conditions(uow.workspace_id, wanted))
        .group_by(col(OutboxMessage.state), col(OutboxMessage.reason))
    )
    return list(uow.session.exec(query))


def kinds(uow: UnitOfWork) -> list[str]:
    """Every kind of message so far."""
    query = select(OutboxMessage.kind).where(OutboxMessage.workspace_id == uow.workspace_id).distinct()
    return sorted(uow.session.exec(query))


def _conditions(workspace_id: str, wanted: Wanted) -> list[ColumnElement[bool]]:
    found = [col(OutboxMessage.workspace_id) == workspace_id]
    if wanted.state is not None:
        found.append(col(OutboxMessage.state) == wanted.state)
    if wanted.kind is not None:
        found.append(col(OutboxMessage.kind) == wanted.kind)
    if wanted.recipients is not None:
        found.append(col(OutboxMessage.recipient).in_(wanted.recipients))
    if wanted.since is not None:
        found.append(col(OutboxMessage.due_at) >= wanted.since)
    return found


def waiting(uow: UnitOfWork) -> list[tuple[str, int, datetime]]:
    """(kind, count, since when the first is due) of the messages that are due and not sent yet."""
    query = (
        select(col(OutboxMessage.kind), func.count(), func.min(OutboxMessage.not_before))
        .where(
            OutboxMessage.state == MessageState.DUE,
            OutboxMessage.workspace_id == uow.workspace_id,
            OutboxMessage.not_before <= uow.now,
        )
        .group_by(col(OutboxMessage.kind))
        .order_by(col(OutboxMessage.kind))
    )
    return list(uow.session.exec(query))


def by_state(uow: UnitOfWork) -> list[tuple[str, MessageState, int]]:
    """(kind, state, count) of all messages."""
    query = (
        select(col(OutboxMessage.kind), col(OutboxMessage.state), func.count())
        .where(OutboxMessage.workspace_id == uow.workspace_id)
        .group_by(col(OutboxMessage.kind), col(OutboxMessage.state))
        .order_by(col(OutboxMessage.kind), col(OutboxMessage.state))
    )
    return list(uow.session.exec(query))


def verdicts(uow: UnitOfWork) -> list[tuple[Decision, int]]:
    """(decision, count) of all verdicts."""
    query = (
        select(col(StepVerdict.decision), func.count())
        .where(StepVerdict.workspace_id == uow.workspace_id)
        .group_by(col(StepVerdict.decision))
        .order_by(col(StepVerdict.decision))
    )
    return list(uow.session.exec(query))


def stuck(uow: UnitOfWork, *, since: datetime, until: datetime) -> list[tuple[str, str, int]]:
    """(recipient, reason, count) of messages due in an interval that failed or wait for a reason."""
    query = (
        select(col(OutboxMessage.recipient), col(OutboxMessage.reason), func.count())
        .where(
            OutboxMessage.workspace_id == uow.workspace_id,
            OutboxMessage.due_at >= since,
            OutboxMessage.due_at < until,
            col(OutboxMessage.state).in_([MessageState.FAILED, MessageState.DUE]),
            OutboxMessage.reason != "",
        )
        .group_by(col(OutboxMessage.recipient), col(OutboxMessage.reason))
        .order_by(func.count().desc(), col(OutboxMessage.recipient))
    )
    return list(uow.session.exec(query))
