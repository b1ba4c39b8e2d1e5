"""The workspace's clock: real time with an offset, or frozen time that is moved by hand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock


class SandboxClock:
    """A clock that can be moved. Thread-safe; call it, or `now()`, for an aware instant in UTC.

    Args:
        start: by default the real time. Must be aware.
        frozen: time stands still unless moved (tests and rehearsals); otherwise it runs on at real speed.

    `on_move` is called after each move.
    """

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        self._lock = Lock()
        self._frozen = frozen
        self._at = datetime.now(UTC)
        self._offset = timedelta(0)
        self.on_move: Callable[[], None] | None = None
        if start is not None:
            self.set(start)

    def __call__(self) -> datetime:
        """The same as `now()`: a clock can be passed wherever a function that returns the time is
        expected."""
        return self.now()

    def now(self) -> datetime:
        """The workspace's time, aware, in UTC."""
        with self._lock:
            return self._at if self._frozen else datetime.now(UTC) + self._offset

    @property
    def frozen(self) -> bool:
        """Whether time stands still unless moved."""
        return self._frozen

    @property
    def offset(self) -> timedelta:
        """How far the workspace's time is ahead of real time."""
        return self.now() - datetime.now(UTC)

    def set(self, moment: datetime) -> None:
        """Jump to `moment`; ValueError when it has no time zone."""
        if moment.tzinfo is None:
            raise ValueError("the clock takes aware datetimes only")
        with self._lock:
            self._at = moment.astimezone(UTC)
            self._offset = self._at - datetime.now(UTC)
        self._moved()

    def advance(self, by: timedelta) -> datetime:
        """Move on by `by` and return the new time."""
        with self._lock:
            self._at += by
            self._offset += by
        self._moved()
        return self.now()

    def _moved(self) -> None:
        if self.on_move:
            self.on_move()
