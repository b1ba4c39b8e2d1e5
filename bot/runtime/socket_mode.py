"""Socket Mode: one connection to Slack, and a watchdog that reopens it after silence.

Slack's SDK reconnects when the connection ends. It doesn't notice one that is open but dead from the start
(no answer to any ping), nor that one of its own threads hangs: the watchdog does.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Event, Lock, Thread

import structlog
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from structlog.contextvars import clear_contextvars

from bot.delivery.gateway import SlackError, typed_errors

log = structlog.get_logger(__name__)

PING_SECONDS = 5.0
STALE_SECONDS = 30.0
"""Seconds: the SDK drops a connection after four unanswered pings; longer silence means that it missed it."""
LAST_ANSWERS_SECONDS = 5.0
"""Seconds for open requests to finish when the process stops."""
HANG_UP_SECONDS = 5.0
"""Seconds for a connection to close; its threads are daemons, so a stopping process doesn't wait longer."""
_CLOSE_TRIES = 3
"""The second try finds the socket closed by the thread that won; one more costs nothing."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The state of the connection.

    Args:
        ago: seconds since Slack was last heard.
        restarts: how often the watchdog opened another connection.
    """

    ok: bool
    ago: float
    restarts: int


class InFlight:
    """Counts the requests being answered."""

    def __init__(self) -> None:
        self._count = 0
        self._changed = Condition()

    def add(self, number: int) -> None:
        """Change the count by this number."""
        with self._changed:
            self._count += number
            self._changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Wait until none is left; False after the time-out."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, seconds)


class Handler(SocketModeHandler):
    """Bolt's adapter; an envelope that can't be answered is logged without its contents."""

    def __init__(
        self, app: App, app_token: str, *, web_client: WebClient, ping: float, in_flight: InFlight
    ) -> None:
        super().__init__(app, app_token, web_client=web_client, ping_interval=ping)
        self._in_flight = in_flight

    def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        """Answer one envelope."""
        self._in_flight.add(1)
        try:
            super().handle(client, req)
        except Exception as broken:  # noqa: BLE001 - the others are answered all the same
            log.error("envelope not answered", type=req.type, error=type(broken).__name__)
        finally:
            clear_contextvars()
            self._in_flight.add(-1)


class SlackSocket:
    """The connection of one process.

    Args:
        ping: seconds between two pings.
        stale: seconds of silence after which another connection is opened.
        timer: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        app: App,
        app_token: str,
        *,
        web_client: WebClient,
        ping: float = PING_SECONDS,
        stale: float = STALE_SECONDS,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app, self._token, self._web = app, app_token, web_client
        self._ping, self._stale, self._timer = ping, stale, timer
        self._in_flight = InFlight()
        self._stop = Event()
        self._lock = Lock()
        self.handler: Handler | None = None
        self._heard_at = self._tried_at = timer()
        self._heard_once = False
        self._last_pong: tuple[str | None, float | None] = (None, None)
        self._restarts = 0
        self._watch = Thread(target=self._run, name="socket-watch", daemon=True)

    def open(self) -> None:
        """Connect, and watch the connection from now on.

        Raises:
            SlackError: Slack refuses the app-level token, or can't be reached.
        """
        self.handler = self._connected()
        self._watch.start()

    def close(self) -> None:
        """Let open requests finish, then disconnect."""
        self._stop.set()
        if self._watch.is_alive():
            self._watch.join(LAST_ANSWERS_SECONDS)
        if not self._in_flight.wait(LAST_ANSWERS_SECONDS):
            log.warning("stopped before every request was answered")
        if self.handler is not None:
            _hang_up(self.handler).join(HANG_UP_SECONDS)

    def heard(self) -> Heard:
        """The current state of the connection."""
        self._listen()
        with self._lock:
            ago = self._timer() - self._heard_at
            return Heard(self._heard_once and ago <= self._stale, ago, self._restarts)

    def look(self) -> None:
        """One check of the watchdog: open another connection if this one is silent."""
        self._listen()
        now = self._timer()
        if now - max(self._heard_at, self._tried_at) <= self._stale:
            return
        log.warning("socket is silent; opening another one", seconds=round(now - self._heard_at))
        self._tried_at = now
        try:
            fresh = self._connected()
        except SlackError as refused:
            log.warning("no other socket", error=refused.code)
            return
        old, self.handler = self.handler, fresh
        self._restarts += 1
        if old is not None:  # closing waits for its threads, and one of them may hang
            _hang_up(old)

    def _run(self) -> None:
        while not self._stop.wait(min(self._ping, self._stale / 2)):
            try:
                self.look()
            except Exception:  # a watchdog that ended would never see the next dead socket
                log.exception("socket watch stumbled")

    def _connected(self) -> Handler:
        handler = Handler(
            self._app, self._token, web_client=self._web, ping=self._ping, in_flight=self._in_flight
        )
        handler.client.on_message_listeners.append(lambda _message: self._note())
        try:
            with typed_errors():
                handler.connect()  # type: ignore[no-untyped-call]
        except SlackError:
            _hang_up(handler).join(HANG_UP_SECONDS)
            raise
        return handler

    def _listen(self) -> None:
        """Whether another ping was answered since the last time."""
        session = self.handler.client.current_session if self.handler else None
        pong = (session.session_id, session.last_ping_pong_time) if session else (None, None)
        if pong[1] is not None and pong != self._last_pong:
            self._last_pong = pong
            self._note()

    def _note(self) -> None:
        with self._lock:
            self._heard_at = self._timer()
            self._heard_once = True


def _hang_up(handler: Handler) -> Thread:
    """Close a connection in a separate thread, which never raises; joining it is up to the caller."""
    closing = Thread(target=_close, args=(handler,), name="socket-close", daemon=True)
    closing.start()
    return closing


def _close(handler: Handler) -> None:
    """Close a connection permanently, whatever the SDK's own threads are doing with it.

    The SDK checks its socket before it takes the lock, so closing a socket that its monitor is also closing
    raises AttributeError; and a reconnect in progress would outlive the close.
    """
    client = handler.client
    client.connect_to_new_endpoint = _stay_closed  # type: ignore[method-assign]
    if client.connect_operation_lock.acquire(timeout=HANG_UP_SECONDS):  # a reconnect that had begun is over
        client.connect_operation_lock.release()
    for _ in range(_CLOSE_TRIES):
        try:
            handler.close()  # type: ignore[no-untyped-call]
        except Exception as raced:  # noqa: BLE001 - nobody is left to be told
            log.debug("socket was being closed already", error=type(raced).__name__)
        else:
            return


def _stay_closed(force: bool = False) -> None:
    """Replace the SDK's reconnect on a permanently closed connection."""
