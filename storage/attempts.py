"""Attempts to send a message: begun before the call, ended after it, or left behind by a worker that is gone."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, func, update
from sqlmodel import Session, col, select

from storage.engine import connection_of
from storage.tables import MessageState, OwedMessage

LONGEST_ATTEMPT = timedelta(seconds=30)
"""Nobody else takes a message for this long after an attempt began; who posts late asks first (`renew`)."""
UNDER_WAY = "being sent"
"""The reason of a message while somebody is sending it."""
LANDED = timedelta(seconds=12)
"""By then what an attempt asked of Slack was answered, given up (a call lasts 8 seconds at most) or lost: when its
process is known to be gone, the message is taken up after this."""

_STILL_DUE: Final = (col(OwedMessage.id) == bindparam("message"), col(OwedMessage.state) == MessageState.DUE)
_NTH: Final = col(OwedMessage.attempts) == bindparam("nth")
_BEGIN: Final = (
    update(OwedMessage)
    .where(*_STILL_DUE, _NTH)
    .values(
        attempts=col(OwedMessage.attempts) + 1,
        first_attempt_at=func.coalesce(col(OwedMessage.first_attempt_at), bindparam("at")),
        last_attempt_at=bindparam("at"),
        not_before=bindparam("until"),
        reason=UNDER_WAY,
        channel=bindparam("place"),
        text=bindparam("words"),
    )
)


def begin(
    session: Session, *, message_id: int, attempts: int, now: datetime, channel: str | None, text: str
) -> bool:
    """Record that a message is about to be posted; False when another worker got there first.

    Nobody else takes it for `LONGEST_ATTEMPT`, unless its process is known to be gone (`take_back`).
    """
    given = {"message": message_id, "nth": attempts, "at": now, "until": now + LONGEST_ATTEMPT}
    return _changed(session, _BEGIN, given | {"place": channel, "words": text})


def _ending(*names: str) -> Any:
    """The statement that ends a message with these columns, each given as `new_` and its name."""
    return update(OwedMessage).values({name: bindparam(f"new_{name}") for name in names})


_SENT: Final = _ending("state", "reason", "sent_at", "ts").where(*_STILL_DUE)
_SENT_THERE: Final = _ending("state", "reason", "sent_at", "ts", "channel").where(*_STILL_DUE)
_ENDED: Final = _ending("state", "reason").where(*_STILL_DUE)
_POSTPONED: Final = _ending("not_before", "reason").where(*_STILL_DUE)


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
    given: dict[str, Any] = {"message": message_id, "new_state": state, "new_reason": reason[:500]}
    end = _ENDED
    if state is MessageState.SENT:
        end = _SENT if channel is None else _SENT_THERE
        given |= {"new_sent_at": now, "new_ts": ts}
        given |= {} if channel is None else {"new_channel": channel}
    _changed(session, end, given, attempts=attempts)


def postpone(
    session: Session, *, message_id: int, until: datetime, reason: str, attempts: int | None = None
) -> None:
    """Try one message again later; with `attempts`, only while no later attempt has begun."""
    given = {"message": message_id, "new_not_before": until, "new_reason": reason[:500]}
    _changed(session, _POSTPONED, given, attempts=attempts)


def _changed(session: Session, change: Any, given: dict[str, Any], *, attempts: int | None = None) -> bool:
    """Whether a row was changed; with `attempts`, only while that is the number of the last one."""
    if attempts is not None:
        change, given = change.where(_NTH), given | {"nth": attempts}
    session.flush()
    return bool(connection_of(session).execute(change, given).rowcount)


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
