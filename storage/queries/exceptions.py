"""Queries on logged exceptions."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from storage.engine import connection_of
from storage.queries.streams import columns
from storage.query_cache import cached
from storage.tables import LoggedException
from storage.work import UnitOfWork


def exception_reasons(uow: UnitOfWork, *, cycle_id: int) -> list[str]:
    """The reasons of the cycle's exceptions, oldest first; "" for an exception without one."""
    asked = {"workspace": uow.workspace_id, "cycle": cycle_id}
    return list(uow.session.exec(_REASONS, params=asked))


_REASONS: Final = (
    select(LoggedException.reason)
    .where(
        LoggedException.workspace_id == bindparam("workspace"),
        LoggedException.cycle_id == bindparam("cycle"),
        col(LoggedException.withdrawn_after).is_(None),
    )
    .order_by(col(LoggedException.id))
)


def exceptions_by_link(uow: UnitOfWork, *, adoption_id: int, step: str, link: str) -> list[LoggedException]:
    """Exceptions of a step that count and have this link as evidence, oldest first."""
    query = select(LoggedException).where(
        LoggedException.workspace_id == uow.workspace_id,
        LoggedException.adoption_id == adoption_id,
        LoggedException.step == step,
        LoggedException.link == link,
        col(LoggedException.withdrawn_after).is_(None),
    )
    return list(uow.session.exec(query.order_by(col(LoggedException.id))))


def exception(uow: UnitOfWork, *, exception_id: int) -> LoggedException | None:
    """One logged exception, undone or not."""
    query = select(LoggedException).where(
        LoggedException.workspace_id == uow.workspace_id, LoggedException.id == exception_id
    )
    return uow.session.exec(query).first()


def last_exception_by(uow: UnitOfWork, *, member: str) -> LoggedException | None:
    """The newest exception that a member logged and hasn't undone; none that a tool reported in their name."""
    query = select(LoggedException).where(
        LoggedException.workspace_id == uow.workspace_id,
        LoggedException.member == member,
        col(LoggedException.token_id).is_(None),
        col(LoggedException.withdrawn_after).is_(None),
    )
    return uow.session.exec(query.order_by(col(LoggedException.id).desc()).limit(1)).first()


class OwnException(NamedTuple):
    """An exception as its author described it; `source` is the request that logged it."""

    source: str
    critical: bool
    reason: str


@cached(LoggedException)
def exceptions_by(
    uow: UnitOfWork, *, member: str, adoption_id: int, step: str, since: datetime
) -> list[OwnException]:
    """Exceptions that a member logged on a step after an instant and hasn't undone."""
    asked = {
        "workspace": uow.workspace_id,
        "member": member,
        "adoption": adoption_id,
        "step": step,
        "since": since,
    }
    return [OwnException(*row) for row in connection_of(uow.session).execute(_EXCEPTIONS_BY, asked)]


_EXCEPTIONS_BY: Final[Any] = select_columns(*columns(LoggedException, OwnException._fields)).where(
    col(LoggedException.workspace_id) == bindparam("workspace"),
    col(LoggedException.member) == bindparam("member"),
    col(LoggedException.adoption_id) == bindparam("adoption"),
    col(LoggedException.step) == bindparam("step"),
    col(LoggedException.logged_at) > bindparam("since"),
    col(LoggedException.withdrawn_after).is_(None),
)


class CycleException(NamedTuple):
    """What counts of an exception. Tools can report thousands in a cycle, so they aren't loaded as rows."""

    id: int
    step: str
    critical: bool
    reason: str
    link: str | None
    token_id: int | None
    happened_at: datetime | None
    logged_at: datetime
    withdrawn_after: int | None


def exceptions(
    uow: UnitOfWork,
    *,
    adoption_id: int,
    step: str,
    cycle_id: int,
    after_id: int = 0,
    through_id: int | None = None,
    for_verdict: int | None = None,
    since: datetime | None = None,
) -> list[CycleException]:
    """The exceptions of a step in a cycle that count, after one id and up to another, oldest first.

    An undone exception doesn't count, except in earlier verdicts: with `for_verdict`, return those that the
    verdict with that id counted. With `since`, leave out those that a tool reported late, because they
    happened before that instant.
    """

    def counts(row: CycleException) -> bool:
        taken_back = row.withdrawn_after
        return taken_back is None or (for_verdict is not None and taken_back >= for_verdict)

    return [
        row
        for row in exceptions_of_cycle(uow, adoption_id=adoption_id, cycle_id=cycle_id)
        if row.step == step
        and after_id < row.id
        and (through_id is None or row.id <= through_id)
        and counts(row)
        and (since is None or row.happened_at is None or row.happened_at >= since)
    ]


@cached(LoggedException)
def exceptions_of_cycle(uow: UnitOfWork, *, adoption_id: int, cycle_id: int) -> list[CycleException]:
    """Every exception of a cycle, undone or not, oldest first."""
    asked = {"workspace": uow.workspace_id, "adoption": adoption_id, "cycle": cycle_id}
    return [CycleException(*row) for row in connection_of(uow.session).execute(_EXCEPTIONS, asked)]


_EXCEPTIONS: Final[Any] = (
    select_columns(*columns(LoggedException, CycleException._fields))
    .where(
        col(LoggedException.workspace_id) == bindparam("workspace"),
        col(LoggedException.adoption_id) == bindparam("adoption"),
        col(LoggedException.cycle_id) == bindparam("cycle"),
    )
    .order_by(col(LoggedException.id))
)
