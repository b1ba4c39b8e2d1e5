"""The ledger of messages: each is a row, queued once under a key, then sent, skipped or failed."""

from datetime import datetime

from sqlalchemy import bindparam, func
from sqlmodel import col, select

from storage.tables import MessageState, OutboxMessage
from storage.work import UnitOfWork


def timestamps(uow: UnitOfWork, *, channel: str) -> set[str]:
    """The `ts` of every message that the bot sent to a channel."""
    query = select(OutboxMessage.ts).where(
        OutboxMessage.workspace_id == uow.workspace_id,
        OutboxMessage.channel == channel,
        col(OutboxMessage.ts).is_not(None),
    )
    return {ts for ts in uow.session.exec(query) if ts}


def get(uow: UnitOfWork, *, message_id: int) -> OutboxMessage | None:
    """One row of the ledger."""
    return uow.session.exec(_ONE, params={"workspace": uow.workspace_id, "message": message_id}).first()


_ONE = select(OutboxMessage).where(
    OutboxMessage.workspace_id == bindparam("workspace"), OutboxMessage.id == bindparam("message")
)


def unsent_counts(
    uow: UnitOfWork, *, since: datetime, until: datetime
) -> list[tuple[str, MessageState, str, int]]:
    """(kind, state, reason, count) of what was skipped or failed among messages due in an interval."""
    query = (
        select(col(OutboxMessage.kind), col(OutboxMessage.state), col(OutboxMessage.reason), func.count())
        .where(
            OutboxMessage.workspace_id == uow.workspace_id,
            OutboxMessage.due_at >= since,
            OutboxMessage.due_at < until,
            col(OutboxMessage.state).in_([MessageState.SKIPPED, MessageState.FAILED]),
        )
        .group_by(col(OutboxMessage.kind), col(OutboxMessage.state), col(OutboxMessage.reason))
        .order_by(col(OutboxMessage.kind), col(OutboxMessage.reason))
    )
    return list(uow.session.exec(query))
