"""How long a transaction waits for the database: a person's request for seconds, a job for minutes."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits in seconds; 0 waits for as long as it takes.

    Args:
        lock: for a lock that another transaction holds, or for the turn to write on SQLite.
        statement: for one statement on PostgreSQL, waiting for locks included.
    """

    lock: float
    statement: float


REQUEST: Final = Patience(lock=2, statement=5)
"""Slack waits three seconds for an answer."""
JOB: Final = Patience(lock=30, statement=600)
"""Sending, planning, exports and everything on the command line."""
FOREVER: Final = Patience(lock=0, statement=0)
"""A migration takes as long as it takes."""

_CURRENT: ContextVar[Patience | None] = ContextVar("patience", default=None)


def current() -> Patience | None:
    """The patience of this thread; None where nobody set any."""
    return _CURRENT.get()


@contextmanager
def patient(patience: Patience | None) -> Iterator[None]:
    """Let the transactions that this thread begins wait for so long."""
    before = _CURRENT.set(patience)
    try:
        yield
    finally:
        _CURRENT.reset(before)
