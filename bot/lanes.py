"""Several recipients at once, one message at a time to each: what the embedded runner sends with."""

from concurrent.futures import ThreadPoolExecutor
from threading import Condition

import structlog

from bot.delivery import Delivery

log = structlog.get_logger(__name__)

WIDTH = 8
"""Calls to Slack at the same time: at a tenth of a second each, more than Slack takes of a workspace."""


class Lanes:
    """Hands each recipient whose turn it is to a thread of its own; who is slow holds up nobody else.

    Args:
        width: messages on their way at the same time.
    """

    def __init__(self, delivery: Delivery, *, width: int = WIDTH) -> None:
        self._delivery = delivery
        self._pool = ThreadPoolExecutor(width, thread_name_prefix="lane")
        self._busy: set[tuple[str, str]] = set()
        self._changed = Condition()

    def fill(self) -> int:
        """Begin with everybody whose turn it is and who isn't being written to; returns how many."""
        begun = 0
        for lane in self._delivery.due(limit=self._delivery.outbox.pace.at_most(1)):
            with self._changed:
                if lane in self._busy:
                    continue
                self._busy.add(lane)
            self._pool.submit(self._send, lane)
            begun += 1
        return begun

    def _send(self, lane: tuple[str, str]) -> None:
        try:
            self._delivery.send_next(*lane)
        except Exception:
            log.exception("lane stumbled", recipient=lane[1])
        finally:
            with self._changed:
                self._busy.discard(lane)
                self._changed.notify_all()

    def wait(self) -> None:
        """Until nobody is being written to."""
        with self._changed:
            self._changed.wait_for(lambda: not self._busy)

    def close(self) -> None:
        """Finish the messages being sent; what waits for a thread stays owed."""
        self._pool.shutdown(wait=True, cancel_futures=True)
