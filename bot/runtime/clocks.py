"""A process's clock: real time or, with the built-in workspace, that workspace's time."""

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException

from bot.settings import Settings

Clock = Callable[[], datetime]
QUICK_SECONDS = 2
NOT_MOVED = timedelta(seconds=2)
"""Time-out of asking for the time."""


def utc_now() -> datetime:
    """The current time."""
    return datetime.now(UTC)


def clock_of(settings: Settings) -> Clock:
    """Real time; without a token, with the offset of the built-in workspace's clock when asked.

    The workspace that runs on `PORT` is asked first; else the state in `CADENCE_DATA` is used.
    """
    if not settings.embedded:
        return utc_now
    ahead = _of_the_running(settings)
    if ahead is None:
        ahead = _of_the_kept(settings)
    if ahead is None or abs(ahead) < NOT_MOVED:
        return utc_now
    offset = ahead
    return lambda: datetime.now(UTC) + offset


def _of_the_running(settings: Settings) -> timedelta | None:
    connection = HTTPConnection("127.0.0.1", settings.port, timeout=QUICK_SECONDS)
    try:
        connection.request("GET", "/_sandbox/clock")
        answer = connection.getresponse()
        if answer.status != 200:
            return None
        return datetime.fromisoformat(json.loads(answer.read())["now"]) - datetime.now(UTC)
    except (OSError, HTTPException, ValueError, LookupError, TypeError):
        return None
    finally:
        connection.close()


def _of_the_kept(settings: Settings) -> timedelta | None:
    file = settings.cadence_data / "workspace.db"
    if not file.exists():
        return None
    try:
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=QUICK_SECONDS)
        try:
            found = connection.execute("SELECT value FROM kept WHERE kind = 'clock'").fetchone()
        finally:
            connection.close()
        return timedelta(seconds=json.loads(found[0])["ahead"]) if found else None
    except (sqlite3.Error, ValueError, LookupError, TypeError, OverflowError):
        return None
