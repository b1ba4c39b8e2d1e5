"""Changes of a workspace: one lock, a version number that counts changes, and the keeper that stores them."""

from collections.abc import Callable
from threading import Condition, RLock

from bot.sandbox.kinds import Json

Keeper = Callable[[str, str, Json | None], None]
"""Stores one change: its kind, its key, its value (None if it was deleted)."""


class Pulse:
    """Every change of a workspace goes through here, under one lock."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.version = 0
        self.keeper: Keeper | None = None
        self._changed = Condition(self.lock)
        self._numbers: dict[str, int] = {}

    def note(self, kind: str, key: str, value: Json | None) -> None:
        """Count a change, wake its waiters, and store it if there is a keeper."""
        with self.lock:
            if self.keeper:
                self.keeper(kind, key, value)
            self.bump()

    def bump(self) -> None:
        """Count a change that need not be stored."""
        with self.lock:
            self.version += 1
            self._changed.notify_all()

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Wait until a change makes `until()` true; False after this many real seconds."""
        with self.lock:
            return self._changed.wait_for(until, timeout=seconds)

    def new_id(self, prefix: str) -> str:
        """A unique new ID, such as `V0000001`."""
        with self.lock:
            number = self._numbers.get(prefix, 0) + 1
            self.restore_number(prefix, number)
            if self.keeper:
                self.keeper("number", prefix, {"number": number})
            return f"{prefix}{number:07d}"

    def restore_number(self, prefix: str, number: int) -> None:
        """Go on counting `prefix` from `number`."""
        self._numbers[prefix] = number
