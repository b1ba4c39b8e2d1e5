"""Attempts to send a message: begun before the call, ended after it, or abandoned by a worker that died."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import bindparam, case, func, update
from sqlmodel import Session, col, select

from storage.engine import connection_of
from storage.outbox.queueing import UNDER_WAY
from storage.tables import MessageState, OutboxMessage
from storage.work import UnitOfWork

LONGEST_ATTEMPT = timedelta(seconds=30)
"""How long an attempt owns its message; before it posts later than that, it asks again (`renew`)."""
ANSWERED = timedelta(seconds=12)
"""By then every call of an attempt was answered or abandoned: it posts within 2 seconds, or renews itself
first, and a call lasts 8 seconds at most. If its process is known to be gone, the bot looks for the
message after this."""
SETTLED = timedelta(seconds=36)
"""By then Slack has carried out an attempt's call, or never will: at most 25 seconds after the call was
abandoned. A message that wasn't found is posted again only after this."""
WRONG_CLOCK = timedelta(minutes=1)
"""An attempt further in the future than this was made before the clock was set back."""
LOOK_BACK = timedelta(minutes=10)
"""How long before the clock was set back an attempt that is still under way can have begun."""

_STILL_DUE: Final = (
    col(OutboxMessage.id) == bindparam("message"),
    col(OutboxMessage.workspace_id) == bindparam("workspace"),
    col(OutboxMessage.state) == MessageState.DUE,
)
_NTH: Final = col(OutboxMessage.attempts) == bindparam("nth")
_BEGIN: Final = (
    update(OutboxMessage)
    .where(*_STILL_DUE, _NTH)
    .values(
        attempts=col(OutboxMessage.attempts) + 1,
        first_attempt_at=func.coalesce(col(OutboxMessage.first_attempt_at), bindparam("at")),
        last_attempt_at=bindparam("at"),
        not_before=bindparam("until"),
        settles_at=bindparam("settles"),
        reason=UNDER_WAY,
        channel=bindparam("place"),
        text=bindparam("words"),
    )
)


def begin(
    uow: UnitOfWork,
    *,
    message_id: int,
    attempts: int,
    channel: str | None,
    text: str,
    settles_at: datetime | None = None,
) -> bool:
    """Record that a message is about to be posted; False when another worker got there first.

    No other worker takes it for `LONGEST_ATTEMPT`, unless the process is known to be gone (`take_back`).

    Args:
        settles_at: when an earlier attempt settles, if this one only looks for the message; an attempt that
            may post settles after `SETTLED`.
    """
    given = {"message": message_id, "nth": attempts, "at": uow.now, "until": uow.now + LONGEST_ATTEMPT}
    given |= {"place": channel, "words": text, "settles": settles_at or uow.now + SETTLED}
    return _changed(uow, _BEGIN, given)


def _ending(*names: str) -> Any:
    """Build the statement that ends a message and sets these columns; each parameter is named `new_` plus
    the column."""
    return update(OutboxMessage).values({name: bindparam(f"new_{name}") for name in names})


_SENT: Final = _ending("state", "reason", "sent_at", "ts").where(*_STILL_DUE)
_SENT_THERE: Final = _ending("state", "reason", "sent_at", "ts", "channel").where(*_STILL_DUE)
_ENDED: Final = _ending("state", "reason").where(*_STILL_DUE)
_POSTPONED: Final = _ending("not_before", "reason").where(*_STILL_DUE)
_SETTLED: Final = _ending("not_before", "reason", "settles_at").where(*_STILL_DUE)


def finish(
    uow: UnitOfWork,
    *,
    message_id: int,
    state: MessageState,
    reason: str = "",
    ts: str | None = None,
    channel: str | None = None,
    attempts: int | None = None,
) -> None:
    """End a message: sent (with its channel and `ts`), skipped or failed (with the reason).

    With `attempts`, only if no later attempt has begun: a worker that was considered dead decides nothing.
    """
    given: dict[str, Any] = {"message": message_id, "new_state": state, "new_reason": reason[:500]}
    end = _ENDED
    if state is MessageState.SENT:
        end = _SENT if channel is None else _SENT_THERE
        given |= {"new_sent_at": uow.now, "new_ts": ts}
        given |= {} if channel is None else {"new_channel": channel}
    _changed(uow, end, given, attempts=attempts)


def postpone(
    uow: UnitOfWork,
    *,
    message_id: int,
    until: datetime,
    reason: str,
    attempts: int | None = None,
    is_settled: bool = False,
) -> None:
    """Retry one message later; with `attempts`, only if no later attempt has begun.

    Args:
        is_settled: no earlier call to Slack can post it any more.
    """
    given: dict[str, Any] = {"message": message_id, "new_not_before": until, "new_reason": reason[:500]}
    if is_settled:
        _changed(uow, _SETTLED, given | {"new_settles_at": None}, attempts=attempts)
    else:
        _changed(uow, _POSTPONED, given, attempts=attempts)


@cache
def _nth(change: Any) -> Any:
    """The statement for a certain attempt only; built once for each statement."""
    return change.where(_NTH)


def _changed(uow: UnitOfWork, change: Any, given: dict[str, Any], *, attempts: int | None = None) -> bool:
    """Whether a row was changed; with `attempts`, only if that is the number of the last attempt."""
    if attempts is not None:
        change, given = _nth(change), given | {"nth": attempts}
    uow.session.flush()
    given["workspace"] = uow.workspace_id
    return bool(connection_of(uow.session).execute(change, given).rowcount)


def renew(uow: UnitOfWork, *, message_id: int, attempts: int, file: str | None = None) -> bool:
    """Extend the attempt with this number; False if a later one has begun.

    Args:
        file: the ID of the file that is about to be shared.
    """
    changed = uow.session.execute(
        update(OutboxMessage)
        .where(
            col(OutboxMessage.id) == message_id,
            col(OutboxMessage.workspace_id) == uow.workspace_id,
            col(OutboxMessage.state) == MessageState.DUE,
            col(OutboxMessage.attempts) == attempts,
            col(OutboxMessage.reason) == UNDER_WAY,
        )
        .values(
            last_attempt_at=uow.now,
            not_before=uow.now + LONGEST_ATTEMPT,
            settles_at=uow.now + SETTLED,
            file=func.coalesce(file, col(OutboxMessage.file)),
        )
    )
    return bool(getattr(changed, "rowcount", 0))


def under_way(session: Session) -> list[tuple[str, str]]:
    """(workspace, recipient) pairs with an attempt under way."""
    query = select(OutboxMessage.workspace_id, OutboxMessage.recipient).where(
        OutboxMessage.state == MessageState.DUE, OutboxMessage.reason == UNDER_WAY
    )
    return list(session.exec(query.distinct()))


def take_back(uow: UnitOfWork, *, recipient: str) -> int:
    """After a recipient's sender died, look for its message as soon as the attempt was answered or abandoned.

    Returns how many messages that affects.
    """
    query = select(OutboxMessage).where(
        OutboxMessage.state == MessageState.DUE,
        OutboxMessage.workspace_id == uow.workspace_id,
        OutboxMessage.recipient == recipient,
        OutboxMessage.reason == UNDER_WAY,
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
    """After the clock was set back, let attempts in the future count as under way now. Returns how many."""
    changed = session.execute(
        update(OutboxMessage)
        .where(
            col(OutboxMessage.state) == MessageState.DUE,
            col(OutboxMessage.last_attempt_at) > now + WRONG_CLOCK,
        )
        .values(
            first_attempt_at=case(
                (col(OutboxMessage.first_attempt_at) > now - LOOK_BACK, now - LOOK_BACK),
                else_=col(OutboxMessage.first_attempt_at),
            ),
            last_attempt_at=now,
            not_before=now + ANSWERED,
            settles_at=now + SETTLED,
        )
    )
    return int(getattr(changed, "rowcount", 0))
