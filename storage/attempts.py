"""Attempts that are under way: still one's own, or left behind by a worker that is gone."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from storage.ledger import LONGEST_ATTEMPT, UNDER_WAY
from storage.tables import MessageState, OwedMessage

LANDED = timedelta(seconds=12)
"""By then what an attempt asked of Slack was answered, given up (a call lasts 8 seconds at most) or lost: when its
process is known to be gone, the message is taken up after this."""


def renew(session: Session, *, message_id: int, attempts: int, now: datetime) -> bool:
    """Whether the attempt with this number is still the last; if so, nobody else takes the message for a while."""
    changed = session.execute(
        update(OwedMessage)
        .where(
            col(OwedMessage.id) == message_id,
            col(OwedMessage.state) == MessageState.DUE,
            col(OwedMessage.attempts) == attempts,
            col(OwedMessage.reason) == UNDER_WAY,
        )
        .values(last_attempt_at=now, not_before=now + LONGEST_ATTEMPT)
    )
    return bool(getattr(changed, "rowcount", 0))


def under_way(session: Session) -> list[tuple[str, str]]:
    """(workspace, recipient) pairs to whom somebody is sending a message."""
    query = select(OwedMessage.workspace_id, OwedMessage.recipient).where(
        OwedMessage.state == MessageState.DUE, OwedMessage.reason == UNDER_WAY
    )
    return list(session.exec(query.distinct()))


def take_back(session: Session, *, workspace_id: str, recipient: str, now: datetime) -> int:
    """Who was sending to this recipient is gone: the message is tried again as soon as the attempt has landed.

    Returns how many there are.
    """
    query = select(OwedMessage).where(
        OwedMessage.state == MessageState.DUE,
        OwedMessage.workspace_id == workspace_id,
        OwedMessage.recipient == recipient,
        OwedMessage.reason == UNDER_WAY,
    )
    found = session.exec(query.with_for_update()).all()
    for message in found:
        message.not_before = min(message.not_before, max(now, (message.last_attempt_at or now) + LANDED))
        message.reason = "taken back from a worker that is gone"
        session.add(message)
    return len(found)
