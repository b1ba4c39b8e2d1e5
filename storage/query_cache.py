"""Query cache of a transaction: a cached query runs again only after one of its tables was written to.

Use cases are composed of functions that each query what they need, so one request asks for the same data many
times: team members, absences, answers. The cache lives in the session.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import event
from sqlmodel import Session, SQLModel

from storage.engine import connection_of, writes_of

if TYPE_CHECKING:
    from storage.work import UnitOfWork

P = ParamSpec("P")
R = TypeVar("R")
_ANSWERS: Final = "answers"
MOST: Final = 1_000
"""Answers kept in a transaction; one that asks more goes through a whole workspace, and needs each of them once."""
CACHED: Final[dict[str, frozenset[str]]] = {}
"""The cached queries, and the tables that each one reads."""


def cached(
    *tables: type[SQLModel], besides: Sequence[type[SQLModel]] = ()
) -> Callable[[Callable[Concatenate["UnitOfWork", P], R]], Callable[Concatenate["UnitOfWork", P], R]]:
    """Cache a query's results within its transaction.

    Args:
        tables: the tables it reads; a write to any of them invalidates its results.
        besides: tables it reads too, whose rows change only along with one of `tables`.
    """
    names = tuple(sorted(str(table.__tablename__) for table in tables))

    def decorate(
        query: Callable[Concatenate["UnitOfWork", P], R],
    ) -> Callable[Concatenate["UnitOfWork", P], R]:
        CACHED[f"{query.__module__}.{query.__name__}"] = frozenset(
            str(table.__tablename__) for table in (*tables, *besides)
        )

        @wraps(query)
        def run(uow: "UnitOfWork", /, *args: P.args, **kwargs: P.kwargs) -> R:
            session = uow.session
            if session.new or session.dirty or session.deleted:
                session.flush()
            writes = writes_of(connection_of(session))
            state = tuple(writes[name] for name in names)
            answers = session.info.setdefault(_ANSWERS, {})
            named = tuple((name, _hashable(one)) for name, one in kwargs.items())
            key = (query, uow.workspace_id, tuple(map(_hashable, args)), named)
            found = answers.get(key)
            if found is None or found[0] != state:
                if len(answers) >= MOST:
                    answers.clear()
                found = answers[key] = (state, query(uow, *args, **kwargs))
            answer: R = _copied(found[1])
            return answer

        return run

    return decorate


def forget(uow: "UnitOfWork") -> None:
    """Clear the cache, after waiting for a lock: somebody else may have written meanwhile."""
    uow.session.info.pop(_ANSWERS, None)


def hold(uow: "UnitOfWork", row: SQLModel) -> None:
    """Read a row again and hold it until the transaction ends; everything is asked again, also who acts."""
    forget(uow)
    uow.facts.clear()
    uow.session.refresh(row, with_for_update=True)


@event.listens_for(Session, "after_soft_rollback")
def _forget_what_was_undone(session: Session, _previous: object) -> None:
    """A savepoint was rolled back: what was asked within it isn't true any more."""
    session.info.pop(_ANSWERS, None)


def _hashable(value: Any) -> Any:
    if isinstance(value, str | int | None):
        return value
    if isinstance(value, Set):
        return frozenset(value)
    if isinstance(value, Mapping):
        return tuple(value.items())
    return tuple(value) if isinstance(value, Sequence) else value


def _copied(answer: Any) -> Any:
    """Copy a result, so that the caller can sort it or add to it."""
    return answer.copy() if isinstance(answer, list | dict | set) else answer
