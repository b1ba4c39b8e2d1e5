"""A pool that sends to several recipients at once, one message at a time to each; used by the embedded
runner."""

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
"""Parallel calls to Slack: at a tenth of a second each, more than Slack allows per workspace."""


class SenderPool:
    """Gives each recipient with a free slot to a thread; a slow one delays no other.

    A recipient with more messages is scheduled for the instant of its next slot: searching every quarter of a
    second would cost a channel a fifth of its pace.

    Args:
        width: messages sent at the same time.
        may_begin: whether a recipient may be served between two calls of `fill`.
    """

    def __init__(
        self, delivery: Delivery, *, width: int = WIDTH, may_begin: Callable[[], bool] = lambda: True
    ) -> None:
        self._delivery = delivery
        self._may_begin = may_begin
        self._slots: list[tuple[float, tuple[str, str]]] = []
        self._closed = False
        self._pool = ThreadPoolExecutor(width, thread_name_prefix="sender")
        self._busy: set[tuple[str, str]] = set()
        self._changed = Condition()
        self._waker = Thread(target=self._wake, name="slots", daemon=True)
        self._waker.start()

    def fill(self) -> int:
        """Begin with every recipient who has a free slot and no message being sent; returns how many."""
        begun = 0
        for recipient in self._delivery.due(limit=self._delivery.outbox.pace.at_most(1)):
            begun += self._begin(recipient)
        return begun

    def _begin(self, recipient: tuple[str, str]) -> bool:
        with self._changed:
            if recipient in self._busy or self._closed:
                return False
            self._busy.add(recipient)
        self._pool.submit(self._send, recipient)
        return True

    def _send(self, recipient: tuple[str, str]) -> None:
        wait = None
        try:
            step = self._delivery.step(*recipient)
            if step.outcome is not Outcome.NOTHING and not step.is_last:
                wait = self._delivery.soon(*recipient)
        except Exception:  # the pool would hide it; this recipient's next slot comes anyway
            log.exception("sending failed", recipient=recipient[1])
        finally:
            with self._changed:
                self._busy.discard(recipient)
                if wait is not None:
                    heapq.heappush(self._slots, (monotonic() + wait - AHEAD.total_seconds(), recipient))
                self._changed.notify_all()

    def _wake(self) -> None:
        """Begin with each recipient at its slot; the next `fill` finds those that can't begin now."""
        while True:
            with self._changed:
                if self._closed:
                    return
                wait = self._slots[0][0] - monotonic() if self._slots else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                _, recipient = heapq.heappop(self._slots)
            with suppress(RuntimeError):  # closed meanwhile
                if self._may_begin():
                    self._begin(recipient)

    def wait(self) -> None:
        """Wait until no message is being sent."""
        with self._changed:
            self._changed.wait_for(lambda: not self._busy)

    def close(self) -> None:
        """Finish the messages being sent; those that wait for a thread or a slot stay due."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._waker.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
