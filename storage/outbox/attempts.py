"""Attempts to send a message: begun before the call, ended after it, or left behind by a worker that is gone."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, case, func, update
from sqlmodel import Session, col, select

from storage.engine import connection_of
from storage.tables import MessageState, OwedMessage
from storage.work import UnitOfWork

LONGEST_ATTEMPT = timedelta(seconds=30)
"""Nobody else takes a message for this long after an attempt began; who posts late asks first (`renew`)."""
UNDER_WAY = "being sent"
"""The reason of a message while somebody is sending it."""
ANSWERED = timedelta(seconds=12)
"""By then what an attempt asked of Slack was answered or given up: it posts within 2 seconds, or renews itself first,
and a call lasts 8 seconds at most. When its process is known to be gone, the message is looked for after this."""
SETTLED = timedelta(seconds=36)
"""By then Slack has carried out what an attempt asked of it, or never will: up to 25 seconds after the call was given
up. A message that was looked for and not found is posted again only after this."""
WRONG_CLOCK = timedelta(minutes=1)
"""An attempt that lies further ahead than this was made before the clock was set back."""
LOOK_BACK = timedelta(minutes=10)
"""How long before the clock was set back an attempt under way may have begun."""

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
        settles_at=bindparam("settles"),
        reason=UNDER_WAY,
        channel=bindparam("place"),
        text=bindparam("words"),
    )
)


def begin(
    session: Session,
    *,
    message_id: int,
    attempts: int,
    now: datetime,
    channel: str | None,
    text: str,
    settles_at: datetime | None = None,
) -> bool:
    """Record that a message is about to be posted; False when another worker got there first.

    Nobody else takes it for `LONGEST_ATTEMPT`, unless its process is known to be gone (`take_back`).

    Args:
        settles_at: when an earlier attempt settles, for one that only looks for the message; an attempt that may
            post it settles after `SETTLED`.
    """
    given = {"message": message_id, "nth": attempts, "at": now, "until": now + LONGEST_ATTEMPT}
    given |= {"place": channel, "words": text, "settles": settles_at or now + SETTLED}
    return _changed(session, _BEGIN, given)


def _ending(*names: str) -> Any:
    """The statement that ends a message with these columns, each given as `new_` and its name."""
    return update(OwedMessage).values({name: bindparam(f"new_{name}") for name in names})


_SENT: Final = _ending("state", "reason", "sent_at", "ts").where(*_STILL_DUE)
_SENT_THERE: Final = _ending("state", "reason", "sent_at", "ts", "channel").where(*_STILL_DUE)
_ENDED: Final = _ending("state", "reason").where(*_STILL_DUE)
_POSTPONED: Final = _ending("not_before", "reason").where(*_STILL_DUE)
_SETTLED: Final = _ending("not_before", "reason", "settles_at").where(*_STILL_DUE)


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
    session: Session,
    *,
    message_id: int,
    until: datetime,
    reason: str,
    attempts: int | None = None,
    is_settled: bool = False,
) -> None:
    """Try one message again later; with `attempts`, only while no later attempt has begun.

    Args:
        is_settled: nothing that was asked of Slack can post it any more.
    """
    given: dict[str, Any] = {"message": message_id, "new_not_before": until, "new_reason": reason[:500]}
    if is_settled:
        _changed(session, _SETTLED, given | {"new_settles_at": None}, attempts=attempts)
    else:
        _changed(session, _POSTPONED, given, attempts=attempts)


def _changed(session: Session, change: Any, given: dict[str, Any], *, attempts: int | None = None) -> bool:
    """Whether a row was changed; with `attempts`, only while that is the number of the last one."""
    if attempts is not None:
        change, given = change.where(_NTH), given | {"nth": attempts}
    session.flush()
    return bool(connection_of(session).execute(change, given).rowcount)


def renew(
    session: Session, *, message_id: int, attempts: int, now: datetime, file: str | None = None
) -> bool:
    """Whether the attempt with this number is still the last; if so, nobody else takes the message for a while.

    Args:
        file: the ID of the file that is about to be shared.
    """
    changed = session.execute(
        update(OwedMessage)
        .where(
            col(OwedMessage.id) == message_id,
            col(OwedMessage.state) == MessageState.DUE,
            col(OwedMessage.attempts) == attempts,
            col(OwedMessage.reason) == UNDER_WAY,
        )
        .values(
            last_attempt_at=now,
            not_before=now + LONGEST_ATTEMPT,
            settles_at=now + SETTLED,
            file=func.coalesce(file, col(OwedMessage.file)),
        )
    )
    return bool(getattr(changed, "rowcount", 0))


def under_way(session: Session) -> list[tuple[str, str]]:
    """(workspace, recipient) pairs to whom somebody is sending a message."""
    query = select(OwedMessage.workspace_id, OwedMessage.recipient).where(
        OwedMessage.state == MessageState.DUE, OwedMessage.reason == UNDER_WAY
    )
    return list(session.exec(query.distinct()))


def take_back(uow: UnitOfWork, *, recipient: str) -> int:
    """Who was sending to this recipient is gone: the message is looked for as soon as the attempt was answered.

    Returns how many there are.
    """
    query = select(OwedMessage).where(
        OwedMessage.state == MessageState.DUE,
        OwedMessage.workspace_id == uow.workspace_id,
        OwedMessage.recipient == recipient,
        OwedMessage.reason == UNDER_WAY,
    )
    found = uow.session.exec(query.with_for_update()).all()
    for message in found:
        message.not_before = min(
            message.not_before, max(uow.now, (message.last_attempt_at or uow.now) + ANSWERED)
        )
        message.reason = "taken back from a worker that is gone"
        uow.session.add(message)
    return len(found)


def correct_future(session: Session, *, now: datetime) -> int:
    """The clock was set back: attempts that lie in the future are taken to be under way now. Returns how many."""
    changed = session.execute(
        update(OwedMessage)
        .where(
            col(OwedMessage.state) == MessageState.DUE,
            col(OwedMessage.last_attempt_at) > now + WRONG_CLOCK,
        )
        .values(
            first_attempt_at=case(
                (col(OwedMessage.first_attempt_at) > now - LOOK_BACK, now - LOOK_BACK),
                else_=col(OwedMessage.first_attempt_at),
            ),
            last_attempt_at=now,
            not_before=now + ANSWERED,
            settles_at=now + SETTLED,
        )
    )
    return int(getattr(changed, "rowcount", 0))
