"""Short-lived permissions of an app: triggers (once in 3 seconds), response URLs (5 times in 30 minutes)."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from bot.sandbox.errors import SlackError

Timer = Callable[[], float]
"""Monotonic real seconds. Slack's own limits run in real time, whatever the workspace's clock says."""

RESPONSE_USES = 5
RESPONSE_SECONDS = 30 * 60.0


@dataclass(slots=True)
class _Trigger:
    user: str
    until: float
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """Where an answer through a response URL goes.

    Args:
        channel: where the interaction happened.
        user: who it was.
        message_ts: the message with the button, if there was one.
        until: timer seconds at which it ends.
        uses: how often it was used.
        last_ts: the last message posted through it: the one `replace_original` means after a slash command.
    """

    channel: str
    user: str
    message_ts: str | None
    until: float
    uses: int = 0
    last_ts: str | None = None


class Tickets:
    """Issues triggers and response URLs, and checks their use.

    Args:
        timer: real seconds.
        trigger_seconds: how long a trigger lives.
    """

    def __init__(self, timer: Timer = time.monotonic, trigger_seconds: float = 3.0) -> None:
        self._timer = timer
        self._trigger_seconds = trigger_seconds
        self._lock = Lock()
        self._triggers: dict[str, _Trigger] = {}
        self._urls: dict[str, ResponseUrl] = {}

    def trigger(self, user: str) -> str:
        """A new trigger ID for what `user` just did."""
        with self._lock:
            name = f"{len(self._triggers) + 1}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
            self._triggers[name] = _Trigger(user, self._timer() + self._trigger_seconds)
            return name

    def exchange(self, trigger_id: object) -> str:
        """Use up a trigger and return its user."""
        with self._lock:
            trigger = self._triggers.get(trigger_id) if isinstance(trigger_id, str) else None
            if trigger is None:
                raise SlackError("invalid_trigger_id")
            if trigger.used:
                raise SlackError("exchanged_trigger_id")
            if self._timer() > trigger.until:
                raise SlackError("expired_trigger_id")
            trigger.used = True
            return trigger.user

    def response_url(self, channel: str, user: str, message_ts: str | None = None) -> str:
        """The secret part of a new response URL."""
        with self._lock:
            name = secrets.token_urlsafe(18)
            self._urls[name] = ResponseUrl(channel, user, message_ts, self._timer() + RESPONSE_SECONDS)
            return name

    def use(self, name: str) -> ResponseUrl:
        """Count one use of a response URL; `expired_url` or `used_url` if it is no longer valid."""
        with self._lock:
            url = self._urls.get(name)
            if url is None or self._timer() > url.until:
                raise SlackError("expired_url", status=404)
            if url.uses >= RESPONSE_USES:
                raise SlackError("used_url", status=404)
            url.uses += 1
            return url
