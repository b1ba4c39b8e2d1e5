"""Faults on purpose: an optional plan, seeded, that makes the Web API fail as networks and servers do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from threading import Lock, Timer


class Fault(StrEnum):
    """What can go wrong with one call."""

    RATE_LIMIT = "429"
    """Refused with `Retry-After: 1`; nothing happened."""
    SERVER_ERROR = "500"
    """Refused; nothing happened."""
    BAD_GATEWAY = "502"
    """Refused by a proxy; nothing happened."""
    DROPPED = "dropped"
    """Accepted and carried out, and the connection ends without an answer: the caller can't know."""
    RESET = "reset"
    """The connection is reset before anything happened."""
    SLOW = "slow"
    """Done, but answered late."""
    LATE = "late"
    """Never answered, and carried out only after the caller gave up."""


@dataclass(frozen=True, slots=True)
class FaultRates:
    """How often each fault strikes a call, 0 to 1; together 1 at most."""

    rates: Mapping[Fault, float]

    def __post_init__(self) -> None:
        """Refuse rates that can't be."""
        if any(rate < 0 for rate in self.rates.values()) or sum(self.rates.values()) > 1:
            raise ValueError("fault rates lie between 0 and 1 and add up to 1 at most")


class FaultPlan:
    """Draws a fault, or none, for each call. The same seed and calls give the same faults. Thread-safe.

    Args:
        rates: per method name; `*` stands for every method without rates of its own.
        seed: of the draw.
        slow_seconds: how late a slow answer is.
        hang_seconds: how long the caller of a late call waits before the connection is dropped.
        late_seconds: how long after that a late call is done, at most.
    """

    def __init__(
        self,
        rates: Mapping[str, FaultRates],
        *,
        seed: int = 0,
        slow_seconds: float = 0.2,
        hang_seconds: float = 0,
        late_seconds: float = 25,
    ) -> None:
        self._rates = dict(rates)
        self._random = Random(seed)  # noqa: S311 - not for secrets: it must repeat
        self._lock = Lock()
        self.slow_seconds = slow_seconds
        self.hang_seconds = hang_seconds
        self.late_seconds = late_seconds
        self.pending = 0
        """Late calls that are still to be done."""
        self.struck: list[tuple[str, Fault]] = []

    def draw(self, method: str) -> Fault | None:
        """The fault that strikes this call, if any; it is noted in `struck`."""
        found = self._rates.get(method) or self._rates.get("*")
        if found is None:
            return None
        with self._lock:
            left = self._random.random()
            for fault, rate in found.rates.items():
                left -= rate
                if left < 0:
                    self.struck.append((method, fault))
                    return fault
        return None

    def do_late(self, call: Callable[[], object]) -> None:
        """Do a late call once its caller has given up."""

        def do() -> None:
            try:
                call()
            finally:
                with self._lock:
                    self.pending -= 1

        with self._lock:
            self.pending += 1
            wait = self.hang_seconds + self._random.uniform(0, self.late_seconds)
        timer = Timer(wait, do)
        timer.daemon = True
        timer.start()
