"""Slack's rate limits: so many calls of a method a minute by tier, and one message a second in a channel."""

import math
import time
from collections import deque
from threading import Lock

from bot.sandbox.tickets import Timer

PER_MINUTE = {"t1": 1, "t2": 20, "t3": 50, "t4": 100}
MESSAGE_GAP = 1.0
_WINDOW = 60.0


class Limiter:
    """Counts calls in a sliding minute, real time. Slack allows bursts above; this doesn't, so an app learns to wait.

    Args:
        timer: real seconds.
    """

    def __init__(self, timer: Timer = time.monotonic) -> None:
        self._timer = timer
        self._lock = Lock()
        self._calls: dict[str, deque[float]] = {}
        self._posted: dict[str, float] = {}

    def seconds_to_wait(self, method: str, tier: str, channel: str | None) -> int:
        """Whole seconds the caller must wait, 0 when the call is fine (and counted)."""
        with self._lock:
            now = self._timer()
            if method == "chat.postMessage":
                return self._pace(channel or "", now)
            allowed = PER_MINUTE.get(tier)
            return self._count(method, allowed, now) if allowed else 0

    def _pace(self, channel: str, now: float) -> int:
        left = self._posted.get(channel, -MESSAGE_GAP) + MESSAGE_GAP - now
        if left > 0:
            return math.ceil(left)
        self._posted[channel] = now
        return 0

    def _count(self, method: str, allowed: int, now: float) -> int:
        calls = self._calls.setdefault(method, deque())
        while calls and calls[0] <= now - _WINDOW:
            calls.popleft()
        if len(calls) >= allowed:
            return max(1, math.ceil(calls[0] + _WINDOW - now))
        calls.append(now)
        return 0
