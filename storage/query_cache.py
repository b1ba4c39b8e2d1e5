"""Query cache of a transaction: a cached query runs again only after one of its tables was written to.

Use cases are composed of functions that each query what they need, so one request asks for the same data many
times: team members, absences, answers. The cache lives in the session.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from datetime import date
from functools import wraps
from types import NoneType
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
_PLAIN: Final = (str, int, date, NoneType)
_CHANGEABLE: Final = (list, dict, set)
CACHED: Final[dict[str, frozenset[str]]] = {}
"""The cached queries, and the tables that each one reads."""


_INVALIDATED_BY: Final[dict[Any, tuple[str, ...]]] = {}
"""The tables whose changes invalidate the results of each cached query."""


class _Answer:
    """A result, the writes to its tables when it was asked, and to any table when it was last found unchanged."""

    __slots__ = ("state", "value", "writes")

    def __init__(self, state: list[int], value: Any) -> None:
        self.state = state
        self.value = value
        self.writes = 0


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
        _INVALIDATED_BY[query] = names
        CACHED[f"{query.__module__}.{query.__name__}"] = frozenset(
            str(table.__tablename__) for table in (*tables, *besides)
        )

        @wraps(query)
        def run(uow: "UnitOfWork", /, *args: P.args, **kwargs: P.kwargs) -> R:
            session = uow.session
            session.flush()
            writes = writes_of(connection_of(session))
            answers: dict[Any, _Answer] = session.info.setdefault(_ANSWERS, {})
            key = _key(query, uow, args, kwargs)
            found = answers.get(key)
            if found is None or found.writes != writes.to_any:
                state = [writes[name] for name in names]
                if found is None or found.state != state:
                    if len(answers) >= MOST:
                        answers.clear()
                    found = answers[key] = _Answer(state, query(uow, *args, **kwargs))
                found.writes = writes.to_any
            value: Any = found.value
            if isinstance(value, _CHANGEABLE):
                value = value.copy()  # its caller can sort it or add to it
            answer: R = value
            return answer

        return run

    return decorate


def teach(uow: "UnitOfWork", query: Callable[..., R], answer: R, **kwargs: Any) -> None:
    """Cache what a cached query would return now, after its caller has written the difference itself."""
    inner = query.__wrapped__  # type: ignore[attr-defined]
    writes = writes_of(connection_of(uow.session))
    taught = _Answer([writes[name] for name in _INVALIDATED_BY[inner]], answer)
    taught.writes = writes.to_any
    uow.session.info.setdefault(_ANSWERS, {})[_key(inner, uow, (), kwargs)] = taught


def _key(query: Any, uow: "UnitOfWork", args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    values = tuple(map(_hashable, kwargs.values()))
    return query, uow.workspace_id, tuple(map(_hashable, args)), tuple(kwargs), values


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
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Set):
        return frozenset(value)
    if isinstance(value, Mapping):
        return tuple(value.items())
    return tuple(value) if isinstance(value, Sequence) else value
