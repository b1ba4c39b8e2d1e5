"""Rate limits: requests of a token, and failed attempts from an address. Each process counts its own."""

import ipaddress
import time
from collections.abc import Mapping, Sequence
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from bot.api.problems import Problem

FAILURES_A_MINUTE: Final = 30
"""Requests without a valid token from one address."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class RequestLimits:
    """The limits of one process.

    Args:
        proxies: networks whose addresses represent many clients, so failures from them aren't limited.
    """

    def __init__(self, requests_a_minute: int, *, proxies: Sequence[Network] = ()) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._requests = RateLimitItemPerMinute(requests_a_minute)
        self._failures = RateLimitItemPerMinute(FAILURES_A_MINUTE)
        self._proxies = proxies

    def spend(self, token: str) -> Mapping[str, str]:
        """Count a request of a token; returns the headers that say what is left.

        Raises:
            Problem: there were too many in the last minute.
        """
        allowed = self._limiter.hit(self._requests, "token", token)
        left = self._limiter.get_window_stats(self._requests, "token", token)
        seconds = max(1, round(left.reset_time - time.time()))
        headers = {
            "RateLimit-Limit": str(self._requests.amount),
            "RateLimit-Remaining": str(max(0, left.remaining)),
            "RateLimit-Reset": str(seconds),
        }
        if not allowed:
            raise Problem(
                "too-many-requests",
                f"This token made more than {self._requests.amount:,} requests in a minute. Send several items in "
                f"one request, or try again in {seconds} seconds.",
                headers={**headers, "Retry-After": str(seconds)},
            )
        return headers

    def failed(self, address: str) -> None:
        """Count a request without a valid token.

        Raises:
            Problem: there were too many from the address in the last minute.
        """
        if not self._is_counted(address) or self._limiter.hit(self._failures, "address", address):
            return
        raise Problem(
            "too-many-requests",
            "Too many requests without a valid token came from this address. Try again in a minute.",
            headers={"Retry-After": "60"},
        )

    def _is_counted(self, address: str) -> bool:
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return False
        return not any(known in network for network in self._proxies)
