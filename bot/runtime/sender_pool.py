"""Several recipients at once, one message at a time to each: what the embedded runner sends with."""

import heapq
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Condition, Thread
from time import monotonic

import structlog

from bot.delivery.sender import Delivery, Outcome
from cadence.flows.outbox import AHEAD

log = structlog.get_logger(__name__)

WIDTH = 8
"""Calls to Slack at the same time: at a tenth of a second each, more than Slack takes of a workspace."""


class Lanes:
    """Hands each recipient whose turn it is to a thread of its own; who is slow holds up nobody else.

    Who has more to come is waited for to the instant of their next turn: looking around every quarter of a second
    would cost a channel a fifth of its pace.

    Args:
        width: messages on their way at the same time.
        may_begin: whether a lane may begin by itself now.
    """

    def __init__(
        self, delivery: Delivery, *, width: int = WIDTH, may_begin: Callable[[], bool] = lambda: True
    ) -> None:
        self._delivery = delivery
        self._may_begin = may_begin
        self._turns: list[tuple[float, tuple[str, str]]] = []
        self._closed = False
        self._pool = ThreadPoolExecutor(width, thread_name_prefix="lane")
        self._busy: set[tuple[str, str]] = set()
        self._changed = Condition()
        self._waker = Thread(target=self._wake, name="turns", daemon=True)
        self._waker.start()

    def fill(self) -> int:
        """Begin with everybody whose turn it is and who isn't being written to; returns how many."""
        begun = 0
        for lane in self._delivery.due(limit=self._delivery.outbox.pace.at_most(1)):
            begun += self._begin(lane)
        return begun

    def _begin(self, lane: tuple[str, str]) -> bool:
        with self._changed:
            if lane in self._busy or self._closed:
                return False
            self._busy.add(lane)
        self._pool.submit(self._send, lane)
        return True

    def _send(self, lane: tuple[str, str]) -> None:
        wait = None
        try:
            step = self._delivery.step(*lane)
            if step.outcome is not Outcome.NOTHING and not step.is_last:
                wait = self._delivery.soon(*lane)
        except Exception:  # a pool would swallow it unseen; this recipient's next turn comes by itself
            log.exception("lane stumbled", recipient=lane[1])
        finally:
            with self._changed:
                self._busy.discard(lane)
                if wait is not None:
                    heapq.heappush(self._turns, (monotonic() + wait - AHEAD.total_seconds(), lane))
                self._changed.notify_all()

    def _wake(self) -> None:
        """Begin with each recipient whose turn has come; what can't begin now is found by the next `fill`."""
        while True:
            with self._changed:
                if self._closed:
                    return
                wait = self._turns[0][0] - monotonic() if self._turns else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                _, lane = heapq.heappop(self._turns)
            with suppress(RuntimeError):  # closed meanwhile
                if self._may_begin():
                    self._begin(lane)

    def wait(self) -> None:
        """Until nobody is being written to."""
        with self._changed:
            self._changed.wait_for(lambda: not self._busy)

    def close(self) -> None:
        """Finish the messages being sent; what waits for a thread or its turn stays owed."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._waker.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
