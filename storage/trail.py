"""The append-only record of who did what, when and from where."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, insert
from sqlmodel import Session, col, select

from storage import homes
from storage.engine import Bound, connection_of
from storage.tables import HomeChange, TrailEntry

_ENTRY = insert(TrailEntry).inline()
_ENTRY_AND_CHANGE = _ENTRY.add_cte(
    insert(HomeChange)
    .values(workspace_id=bindparam("home"), subject=bindparam("happened"), member=bindparam("whose"))
    .inline()
    .cte("touched")
)
"""Both at once, where a statement can."""


def record(
    session: Bound,
    *,
    workspace_id: str,
    at: datetime,
    member: str | None,
    action: str,
    subject: str,
    surface: str,
    before: Any = None,
    after: Any = None,
    correlation_id: str = "",
) -> None:
    """Add one entry; `subject` is `noun:id`, `member` is None when the bot acted on its own.

    Whatever people or the bot do comes through here, so this is where Homes learn that something happened.
    """
    entry = {
        "workspace_id": workspace_id,
        "at": at,
        "member": member,
        "action": action,
        "subject": subject,
        "surface": surface,
        "before": before,
        "after": after,
        "correlation_id": correlation_id,
    }
    connection = connection_of(session)
    if connection.dialect.name == "postgresql":
        connection.execute(
            _ENTRY_AND_CHANGE, entry | {"home": workspace_id, "happened": subject, "whose": member}
        )
        return
    homes.touch(session, workspace_id=workspace_id, subject=subject, member=member)
    connection.execute(_ENTRY, entry)


class Entry(NamedTuple):
    """Something the bot did on its own, one of many at once."""

    action: str
    subject: str
    surface: str
    after: Any = None


def record_all(session: Session, *, workspace_id: str, at: datetime, entries: Sequence[Entry]) -> None:
    """Add many entries of what the bot did on its own at an instant, in as many statements as for one."""
    connection = connection_of(session)
    nothing = {"member": None, "before": None, "correlation_id": ""}
    rows = [{"workspace_id": workspace_id, "at": at, **one._asdict(), **nothing} for one in entries]
    connection.execute(_ENTRY, rows)
    homes.touch_all(session, workspace_id=workspace_id, subjects=[one.subject for one in entries])


def entries(
    session: Session,
    *,
    workspace_id: str,
    action: str | None = None,
    subject: str | None = None,
    after: int = 0,
) -> list[TrailEntry]:
    """Entries of a workspace after one of them, oldest first."""
    query = select(TrailEntry).where(TrailEntry.workspace_id == workspace_id)
    if action is not None:
        query = query.where(TrailEntry.action == action)
    if subject is not None:
        query = query.where(TrailEntry.subject == subject)
    if after:
        query = query.where(col(TrailEntry.id) > after)
    return list(session.exec(query.order_by(col(TrailEntry.id))))


def last_id(session: Session, *, workspace_id: str, subject: str) -> int:
    """The newest entry about something: what comes after it in the trail came later. 0 when there is none."""
    query = select(func.max(TrailEntry.id)).where(
        TrailEntry.workspace_id == workspace_id, TrailEntry.subject == subject
    )
    return session.exec(query).one() or 0
