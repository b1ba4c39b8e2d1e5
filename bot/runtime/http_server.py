"""HTTP: an event loop reads requests within limits, threads answer them, and shutdown lets them finish.

A client can hold a connection but never a thread: a request reaches a thread only when all of it has arrived.
The event loop itself answers `/healthz`, so it works even when every thread is blocked.
"""

import asyncio
import ipaddress
import os
import resource
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from threading import Event, Thread
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.errors import code_for
from bot.request_validation import LARGEST_BODY
from bot.runtime.asgi_host import LARGEST_PUSH, AsgiHost, HttpAnswer, is_api, problem
from bot.settings import SettingsRefused

log = structlog.get_logger(__name__)

LISTEN_BACKLOG: Final = 1024
LAST_ANSWERS_SECONDS: Final = 10
"""Seconds for open requests to finish when the process stops."""
SETTLE_SECONDS: Final = 0.1
"""Seconds within which a connection just accepted sends its request."""
FILES_TO_SPARE: Final = 200
"""File descriptors reserved for the database, logs and calls to Slack."""
ALIVE: Final = "/healthz"
PROBES: Final = frozenset({"/readyz", "/metrics"})
"""Answered by dedicated threads, so that monitoring works while every other thread is busy."""
PROBE_THREADS: Final = 2

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Any], Iterable[bytes]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one server.

    Args:
        header_seconds: from the beginning of a connection, or the first byte of a later request, until its
            headers are complete.
        header_bytes: of incomplete headers.
        body_seconds: from the headers until all of the body has arrived.
        body_bytes: of one request.
        held_bytes: of all requests whose bodies are arriving or wait for a thread; the API's are counted apart, so
            that tools leave room for Slack.
        idle_seconds: between two requests on a connection; longer than load balancers keep theirs.
        write_seconds: for which a client may leave a response unread.
        wait_seconds: until a thread begins; after that the request is refused, as Slack has given up by then.
        connections: at once.
        per_address: connections at once from one address; 0 for any number.
        proxies: networks whose addresses represent many clients, so `per_address` doesn't apply to them.
    """

    header_seconds: float = 10
    header_bytes: int = 32_768
    body_seconds: float = 10
    body_bytes: int = LARGEST_BODY
    held_bytes: int = 64_000_000
    idle_seconds: int = 75
    write_seconds: float = 30
    wait_seconds: float = 2.5
    connections: int = 1000
    per_address: int = 100
    proxies: tuple[Network, ...] = ()


def listen(host: str, port: int, *, setting: str = "PORT") -> socket.socket:
    """Create a listening socket.

    Raises:
        SettingsRefused: it is impossible there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=LISTEN_BACKLOG)
    except OSError as refused:
        number = refused.errno or 0
        why = os.strerror(number) if number > 0 else refused.strerror  # below 0: the host's name isn't known
        raise SettingsRefused(
            [
                f"Nothing can listen at {host}, port {port} ({why}). "
                f"Set {setting} (or HOST) to another one, such as {setting}={3001 if port != 3001 else 3002}."
            ]
        ) from None
    listener.setsockopt(
        socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
    )  # asyncio sets it only on sockets it made itself
    return listener


def require_port(host: str, port: int, *, setting: str = "PORT") -> None:
    """Check that a server can listen there; werkzeug would print its own page and exit.

    Raises:
        SettingsRefused: it can't.
    """
    listen(host, port, setting=setting).close()


@contextmanager
def serving(
    app: WsgiApp,
    *,
    host: str,
    port: int,
    threads: int,
    setting: str = "PORT",
    limits: Limits | None = None,
    api: AsgiHost | None = None,
) -> Iterator[str]:
    """Serve a WSGI app; yields its address. On exit new requests are refused, and open ones are answered.

    Args:
        api: answers the API's paths instead, in threads of its own.

    Raises:
        SettingsRefused: nothing can listen there.
    """
    limits = limits or Limits()
    listener = listen(host, port, setting=setting)
    door = _Door(limits, most=_most_connections(limits.connections))
    gate = Gate(app, threads=threads, limits=limits, api=api)
    config = uvicorn.Config(
        gate,
        http=partial(_Connection, door=door),  # type: ignore[arg-type] # whatever makes a protocol will do
        loop="asyncio",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=LISTEN_BACKLOG,
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=LAST_ANSWERS_SECONDS,
        h11_max_incomplete_event_size=limits.header_bytes,
    )
    server = _Server(config)
    thread = Thread(target=server.run, args=([listener],), name="web", daemon=True)
    thread.start()
    try:
        server.listening.wait()
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(LAST_ANSWERS_SECONDS + 5)
        listener.close()
        gate.close()


class _Server(uvicorn.Server):
    """Uvicorn's server, which signals when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


def _most_connections(wanted: int) -> int:
    """The wanted number, or what the system's limit on open files leaves."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + FILES_TO_SPARE
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else max(min(wanted, soft - FILES_TO_SPARE), 10)


class _Door:
    """The open connections, and which to close if there are too many. Used by the event loop only."""

    def __init__(self, limits: Limits, *, most: int) -> None:
        self.limits = limits
        self._most = most
        self._open: dict[_Connection, str] = {}  # oldest first
        self._by_address: Counter[str] = Counter()

    def enter(self, connection: "_Connection", address: str) -> bool:
        """Admit a connection, in place of the oldest idle one if there is no room."""
        counted = address if self.limits.per_address and not self._is_proxy(address) else ""
        if counted and self._by_address[counted] >= self.limits.per_address:
            return False
        if len(self._open) >= self._most:
            idle = next((one for one in self._open if one.is_waiting), None)
            if idle is None:
                return False
            idle.transport.abort()
            self.leave(idle)
        self._open[connection] = counted
        self._by_address[counted] += 1
        return True

    def leave(self, connection: "_Connection") -> None:
        """Remove a closed connection; may be called twice."""
        counted = self._open.pop(connection, None)
        if counted is not None:
            self._by_address[counted] -= 1
            if not self._by_address[counted]:
                del self._by_address[counted]

    def _is_proxy(self, address: str) -> bool:
        try:
            known = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:  # a socket without an address
            return True
        known = getattr(known, "ipv4_mapped", None) or known
        return any(known in network for network in self.limits.proxies)


class _Connection(H11Protocol):
    """Uvicorn's HTTP/1.1, with deadlines for headers and for reading the response."""

    def __init__(self, *args: Any, door: _Door, **options: Any) -> None:
        super().__init__(*args, **options)
        self._door = door
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether no request is being answered, and no body is being read."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Admit or refuse the connection."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(0)  # so that `pause_writing` is called for every unread response
        if self._door.enter(self, self.client[0] if self.client else ""):
            self._within(self._door.limits.header_seconds)
        else:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Receive part of a request: the rest of its headers must arrive in time."""
        began = self.is_waiting and self.timeout_keep_alive_task is not None
        super().data_received(data)
        if not self.is_waiting:
            self._no_deadline()
        elif began:
            self._within(self._door.limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Free the connection's place."""
        self._no_deadline()
        self._door.leave(self)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Continue with what arrived meanwhile: it may be the first half of another request."""
        super().on_response_complete()
        if self.is_waiting and self.conn.trailing_data[0]:
            self._within(self._door.limits.header_seconds)

    def pause_writing(self) -> None:
        """Part of the response waits for the client."""
        super().pause_writing()
        self._within(self._door.limits.write_seconds)

    def resume_writing(self) -> None:
        """The client has read it."""
        super().resume_writing()
        self._no_deadline()

    def shutdown(self) -> None:
        """Stop after the current request, or one that was just sent."""
        if self.is_waiting and not self.transport.is_closing():
            self.loop.call_later(SETTLE_SECONDS, self._settled)
        else:
            super().shutdown()

    def _settled(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()

    def _within(self, seconds: float) -> None:
        self._no_deadline()
        self._deadline = self.loop.call_later(seconds, self._hang_up)

    def _hang_up(self) -> None:
        """Close with a reset: the system would continue to offer the rest to a client that doesn't read
        it."""
        self.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.transport.abort()

    def _no_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Gate:
    """The ASGI app in front of a WSGI app: reads a request within limits, then lets a thread answer it.

    Requests for the API's paths go to its host, once all of their body has arrived.
    """

    def __init__(self, app: WsgiApp, *, threads: int, limits: Limits, api: AsgiHost | None = None) -> None:
        self._app = app
        self._api = api
        self._limits = limits
        self._held = {False: 0, True: 0}  # bytes, by whether they are the API's
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="web")
        self._probes = ThreadPoolExecutor(PROBE_THREADS, thread_name_prefix="probe")

    def close(self) -> None:
        """Accept no more requests."""
        for pool in (self._threads, self._probes):
            pool.shutdown(wait=False, cancel_futures=True)
        if self._api is not None:
            self._api.close()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["path"] == ALIVE and scope["method"] in ("GET", "HEAD"):
            await _send(send, _said(200, "ok"))
            return
        body = bytearray()
        api = self._api if is_api(scope["path"]) else None
        try:
            refused = await self._read(scope, receive, body, api=api is not None)
            if api is None:
                answer = refused or await self._in_a_thread(scope, bytes(body))
            elif refused is not None:
                answer = refused = problem(refused.status)
            else:
                answer = await api.answer(scope, bytes(body))
        except ConnectionError:  # the client has gone
            return
        finally:
            self._held[api is not None] -= len(body)
        await _send(send, answer, close=refused is not None)

    async def _read(self, scope: Any, receive: Any, body: bytearray, *, api: bool) -> HttpAnswer | None:
        """Read the body into `body`; returns the response if it is refused."""
        most = LARGEST_PUSH if api else self._limits.body_bytes
        if int(_header(scope, b"content-length") or 0) > most:
            return _said(413, "too large")
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ConnectionError
                    piece = message["body"]
                    if len(body) + len(piece) > most:
                        return _said(413, "too large")
                    if self._held[api] + len(piece) > self._limits.held_bytes:
                        return _said(503, "busy")
                    body += piece
                    self._held[api] += len(piece)
                    if not message["more_body"]:
                        return None
        except TimeoutError:
            return _said(408, "too slow")

    async def _in_a_thread(self, scope: Any, body: bytes) -> HttpAnswer:
        loop, environ = asyncio.get_running_loop(), _environ(scope, body)
        if scope["path"] in PROBES:
            return await loop.run_in_executor(self._probes, self._answer, environ, time.monotonic())
        with self._api.traffic.passing() if self._api else nullcontext():
            return await loop.run_in_executor(self._threads, self._answer, environ, time.monotonic())

    def _answer(self, environ: Environ, asked: float) -> HttpAnswer:
        if time.monotonic() - asked > self._limits.wait_seconds:
            return _said(503, "busy, nothing was done")
        try:
            return _answered(self._app, environ)
        except Exception as error:  # noqa: BLE001 - a mistake of ours, told in the log
            return _said(500, f"something went wrong on our side: {code_for(error)}")


def _said(status: int, text: str) -> HttpAnswer:
    return HttpAnswer(status, [("Content-Type", "text/plain; charset=utf-8")], f"{text}\n".encode())


def _header(scope: Mapping[str, Any], wanted: bytes) -> bytes:
    return next((value for name, value in scope["headers"] if name == wanted), b"")


def _environ(scope: Mapping[str, Any], body: bytes) -> Environ:
    """The WSGI environment. Header names with an underscore are dropped: WSGI couldn't tell them from
    those with a dash."""
    host, port = scope["server"] or ("", 0)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope["client"] or ("",))[0],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for raw, value in scope["headers"]:
        if b"_" in raw or raw in (b"content-length", b"transfer-encoding"):
            continue
        name = raw.decode("latin-1").upper().replace("-", "_")
        key = name if name == "CONTENT_TYPE" else f"HTTP_{name}"
        said = value.decode("latin-1")
        environ[key] = f"{environ[key]},{said}" if key in environ else said
    return environ


def _answered(app: WsgiApp, environ: Environ) -> HttpAnswer:
    answer = HttpAnswer()

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        answer.status, answer.headers = int(status.partition(" ")[0]), headers

    pieces = app(environ, start_response)
    try:
        answer.body = b"".join(pieces)
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
    return answer


async def _send(send: Any, answer: HttpAnswer, *, close: bool = False) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if all(name != b"content-length" for name, _ in headers):
        headers.append((b"content-length", str(len(answer.body)).encode()))
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
