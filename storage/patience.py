"""Database time-outs: seconds for a request from Slack, minutes for a job."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Patience:
    """Time-outs in seconds; 0 means none.

    Args:
        lock: for a lock that another transaction holds, or for SQLite's write lock.
        statement: for one statement on PostgreSQL, including its wait for locks.
    """

    lock: float
    statement: float


REQUEST: Final = Patience(lock=2, statement=5)
"""Slack waits three seconds for an answer."""
BRIEF: Final = Patience(lock=0.25, statement=1)
"""For what a request can do without: nobody waits for it."""
JOB: Final = Patience(lock=30, statement=600)
"""Sending, planning, exports and everything on the command line."""
FOREVER: Final = Patience(lock=0, statement=0)
"""A migration takes as long as it takes."""

_CURRENT: ContextVar[Patience | None] = ContextVar("patience", default=None)


def current() -> Patience | None:
    """This thread's time-outs; None if none are set."""
    return _CURRENT.get()


@contextmanager
def patient(patience: Patience | None) -> Iterator[None]:
    """Set the time-outs of the transactions that this thread begins."""
    before = _CURRENT.set(patience)
    try:
        yield
    finally:
        _CURRENT.reset(before)
