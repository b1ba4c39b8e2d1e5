"""Socket Mode: the app connects to the workspace and gets everything over one WebSocket."""

import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from bot.sandbox.delivery import ACK_SECONDS, TIMED_OUT, UNREACHABLE, AppAnswer, Kind
from bot.sandbox.kinds import Json

CONNECTIONS = 10


class Sockets:
    """A `Delivery` over WebSocket. Each envelope goes to one connection: the newest.

    Args:
        app_id: sent in the hello message.
        host: where to listen.
        seconds: how long the app may take to ack.
    """

    def __init__(self, app_id: str, host: str = "127.0.0.1", seconds: float = ACK_SECONDS) -> None:
        self._app_id = app_id
        self._host = host
        self.seconds = seconds
        self._lock = Lock()
        self._tickets: set[str] = set()
        self._connections: list[ServerConnection] = []
        self._waiting: dict[str, SimpleQueue[Json]] = {}
        self._server: Server | None = None
        self._thread: Thread | None = None
        self.on_connect: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Listen, on a port of the system's choice, in a thread."""
        self._server = serve(self._serve_one, self._host, 0, close_timeout=0.1, compression=None)
        self._thread = Thread(target=self._server.serve_forever, name="sandbox-sockets", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and stop listening."""
        if self._server and self._thread:
            self.disconnect(reason=None)
            self._server.shutdown()
            self._thread.join(5)

    @property
    def connected(self) -> int:
        """How many connections are open."""
        with self._lock:
            return len(self._connections)

    def new_url(self) -> str:
        """The answer of `apps.connections.open`: valid for one connection."""
        if self._server is None:
            raise RuntimeError("start the sockets first")
        ticket = secrets.token_urlsafe(24)
        with self._lock:
            self._tickets.add(ticket)
        port = self._server.socket.getsockname()[1]
        return f"ws://{self._host}:{port}/link/?ticket={ticket}&app_id={self._app_id}"

    def deliver(self, kind: Kind, body: Json, retry_num: int | None = None) -> AppAnswer:
        """Send an envelope and wait for its ack, with or without a payload."""
        with self._lock:
            connection = self._connections[-1] if self._connections else None
        if connection is None:
            return UNREACHABLE
        envelope_id = secrets.token_hex(16)
        envelope: Json = {"envelope_id": envelope_id, "type": kind, "payload": body}
        envelope["accepts_response_payload"] = kind != "events_api"
        if kind == "events_api":
            reason = "timeout" if retry_num else ""
            envelope |= {"retry_attempt": retry_num or 0, "retry_reason": reason}
        self._waiting[envelope_id] = SimpleQueue()
        try:
            connection.send(json.dumps(envelope))
            ack = self._waiting[envelope_id].get(timeout=self.seconds)
        except ConnectionClosed:
            return UNREACHABLE
        except Empty:
            return TIMED_OUT
        finally:
            self._waiting.pop(envelope_id, None)
        payload = ack.get("payload")
        return AppAnswer(200, "" if payload is None else json.dumps(payload))

    def disconnect(self, reason: str | None = "refresh_requested") -> None:
        """Ask every client to reconnect, as Slack does every few hours, and close; None closes without a
        message."""
        with self._lock:
            connections, self._connections = self._connections, []
        for connection in connections:
            if reason:
                with suppress(ConnectionClosed):  # it left already
                    connection.send(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {}}))
            connection.close()

    def _serve_one(self, connection: ServerConnection) -> None:
        if not self._admit(connection):
            connection.close(1008, "unknown ticket")
            return
        hello = {
            "type": "hello",
            "num_connections": self.connected,
            "connection_info": {"app_id": self._app_id},
        }
        try:
            connection.send(json.dumps(hello | {"debug_info": {"approximate_connection_time": 18_060}}))
            self.on_connect()
            for text in connection:
                self._take_ack(text)
        except ConnectionClosed:
            pass
        finally:
            with self._lock:
                self._connections = [other for other in self._connections if other is not connection]

    def _admit(self, connection: ServerConnection) -> bool:
        query = parse_qs(urlsplit(connection.request.path if connection.request else "").query)
        ticket = query.get("ticket", [""])[0]
        with self._lock:
            if ticket not in self._tickets or len(self._connections) >= CONNECTIONS:
                return False
            self._tickets.remove(ticket)
            self._connections.append(connection)
            return True

    def _take_ack(self, text: str | bytes) -> None:
        try:
            ack = json.loads(text)
        except ValueError:
            return
        if isinstance(ack, dict):
            self.acknowledge(ack.get("envelope_id", ""), ack)

    def acknowledge(self, envelope_id: str, ack: Json) -> None:
        """Answer the envelope that waits under an id; any other id is ignored."""
        waiting = self._waiting.get(envelope_id)
        if waiting:
            waiting.put(ack)
