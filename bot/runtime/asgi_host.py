"""Serves the API's ASGI app on an event loop of its own, with a few threads of its own.

Neither its parsing nor its database work takes a thread or the event loop of Slack's requests. The app is made in the
host's thread on the first request (or on `start`), so that nobody else waits for its imports.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Condition, Lock, Thread
from typing import Any, Final

from bot.errors import code_for
from bot.settings import Settings
from handlers.context import Services
from storage.engine import Database

Message = MutableMapping[str, Any]
AsgiApp = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
PREFIXES: Final = ("/api/", "/otlp/", "/mcp")
"""The paths of the API; everything else is for Slack and for monitoring."""
LARGEST_PUSH: Final = 2_000_000
"""Bytes of one request: 1,000 items with long reasons."""
MOST_WAITING: Final = 64
"""Requests being answered or waiting for a thread; more are told to come back."""
SWITCH_SECONDS: Final = 0.0005
"""After so many seconds a thread gives way to another. With Python's default, ten times as long, each statement of a
request from Slack could wait that long beside a push."""
GIVE_WAY_SECONDS: Final = 0.1
"""How long a push gives way to Slack before each of its transactions: evidence arrives late rather than never."""
START_SECONDS: Final = 10
STOP_SECONDS: Final = 10


def problem_body(status: int, title: str, detail: str, code: str) -> bytes:
    """A problem as RFC 9457 describes it, for requests that never reach the app."""
    problem = {"type": f"/api/docs#{code}", "title": title, "status": status, "detail": detail, "code": code}
    return json.dumps(problem).encode()


PROBLEMS: Final = {
    408: ("The request was too slow", "Send the whole body within ten seconds.", "too-slow"),
    413: ("The body is too large", "Send at most 2 MB, and at most 1,000 items.", "too-large"),
    500: ("Something went wrong on our side", "Nothing was recorded. Try again later.", "error"),
    503: ("We're busy", "Nothing was recorded. Try again in a moment.", "busy"),
}
"""Title, detail and code of what is answered without the app, by status."""


@dataclass(slots=True)
class HttpAnswer:
    """A whole response."""

    status: int = 500
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


def problem(status: int, quote: str = "") -> HttpAnswer:
    """The answer to a request that doesn't reach the app, or fails there; `quote` is the error's code in the log."""
    title, detail, code = PROBLEMS[status]
    detail += f" If it happens again, quote {quote}." if quote else ""
    headers = [("content-type", "application/problem+json")]
    if status == 503:
        headers.append(("retry-after", "1"))
    return HttpAnswer(status, headers, problem_body(status, title, detail, code))


def is_api(path: str) -> bool:
    """Whether a path is the API's."""
    return path.startswith(PREFIXES)


class Traffic:
    """Slack's requests that are being answered: what can wait gives way to them."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._open = 0
        self._turn = Lock()

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Answer a request of Slack's."""
        with self._changed:
            self._open += 1
        try:
            yield
        finally:
            with self._changed:
                self._open -= 1
                self._changed.notify_all()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Do what can wait: one transaction at a time, because several would only take the processor from Slack's."""
        with self._turn:
            self.give_way()
            yield

    def give_way(self, seconds: float = GIVE_WAY_SECONDS) -> None:
        """Wait until none is being answered, but not longer than this."""
        with self._changed:
            self._changed.wait_for(lambda: not self._open, seconds)


class AsgiHost:
    """One ASGI app, its event loop and its threads.

    Args:
        make: builds the app; called once, in the host's own thread.
        threads: how many requests are carried out at the same time.
        traffic: the requests of Slack's that the same process answers.
    """

    def __init__(
        self, make: Callable[[], AsgiApp], *, threads: int = 4, traffic: Traffic | None = None
    ) -> None:
        self.traffic = traffic or Traffic()
        self._make = make
        self._threads = threads
        self._lock = Lock()
        self._open = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._app: AsgiApp | None = None
        self._stopping: asyncio.Event | None = None

    def start(self) -> None:
        """Begin to make the app; returns at once. Calling it again does nothing."""
        with self._lock:
            if self._thread is None:
                looping: Future[None] = Future()
                self._thread = Thread(target=self._run, args=(looping,), name="api", daemon=True)
                self._thread.start()
                looping.result(START_SECONDS)

    def close(self) -> None:
        """Stop after the requests that are being answered."""
        with self._lock:
            thread, loop = self._thread, self._loop
        if thread is not None and loop is not None and self._stopping is not None:
            loop.call_soon_threadsafe(self._stopping.set)
            thread.join(STOP_SECONDS)

    def submit(self, scope: Message, body: bytes) -> "Future[HttpAnswer] | None":
        """Begin to answer a request; None if too many wait already."""
        self.start()
        with self._lock:
            if self._open >= MOST_WAITING or self._loop is None:
                return None
            self._open += 1
        return asyncio.run_coroutine_threadsafe(self._one(scope, body), self._loop)

    async def answer(self, scope: Message, body: bytes) -> HttpAnswer:
        """Answer a request of another event loop."""
        begun = self.submit(scope, body)
        return problem(503) if begun is None else await asyncio.wrap_future(begun)

    def answer_now(self, scope: Message, body: bytes) -> HttpAnswer:
        """Answer a request of another thread."""
        begun = self.submit(scope, body)
        return problem(503) if begun is None else begun.result()

    def _run(self, looping: "Future[None]") -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        try:
            asyncio.run(self._main(looping))
        except Exception as error:  # noqa: BLE001 - a mistake of ours, told in the log; Slack is still answered
            code_for(error)

    async def _main(self, looping: "Future[None]") -> None:
        self._stopping = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        looping.set_result(None)
        from anyio.to_thread import current_default_thread_limiter  # noqa: PLC0415 - only who serves it pays

        current_default_thread_limiter().total_tokens = self._threads
        app = self._make()
        steps: asyncio.Queue[Message] = asyncio.Queue()
        started = asyncio.Event()

        async def told(message: Message) -> None:
            if message["type"].startswith("lifespan.startup"):
                started.set()

        scope: Message = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        life = asyncio.ensure_future(app(scope, steps.get, told))
        await steps.put({"type": "lifespan.startup"})
        await started.wait()
        self._app = app
        await self._stopping.wait()
        while self._open:
            await asyncio.sleep(0.05)
        await steps.put({"type": "lifespan.shutdown"})
        await life

    async def _one(self, scope: Message, body: bytes) -> HttpAnswer:
        found, sent = HttpAnswer(), False
        pieces = [body]

        async def receive() -> Message:
            if pieces:
                return {"type": "http.request", "body": pieces.pop(), "more_body": False}
            await asyncio.Event().wait()  # the client is thought to wait for its answer
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            nonlocal sent
            if message["type"] == "http.response.start":
                found.status, sent = message["status"], True
                found.headers = [
                    (name.decode("latin-1"), value.decode("latin-1"))
                    for name, value in message.get("headers", ())
                ]
            else:
                found.body += message.get("body", b"")

        try:
            while self._app is None:
                await asyncio.sleep(0.01)  # it is being made
            await self._app(dict(scope), receive, send)
        except Exception as error:  # noqa: BLE001 - a mistake of ours, told in the log
            return problem(500, code_for(error))
        finally:
            with self._lock:
                self._open -= 1
        return found if sent else problem(500)


def api_host(
    settings: Settings,
    *,
    db: Database,
    clock: Callable[[], datetime],
    services: Callable[[], Services],
    secret: str | None,
    serves: Callable[[str], bool],
) -> AsgiHost:
    """The API, which is imported and built in its host's thread on the first request, or on `start`.

    Args:
        services: what the bot's listeners use; asked for when the API is built.
        secret: Slack's signing secret; None where Slack's requests come through a socket.
        serves: whether the bot is installed in a workspace.
    """

    traffic = Traffic()

    def make() -> AsgiApp:
        from bot.api.app import build_api  # noqa: PLC0415 - FastAPI takes a while to load

        return build_api(
            settings,
            db=db,
            clock=clock,
            services=services(),
            secret=secret,
            serves=serves,
            turn=traffic.turn,
        )

    return AsgiHost(make, threads=settings.cadence_api_threads, traffic=traffic)


def wsgi(
    host: AsgiHost, otherwise: Callable[[dict[str, Any], Any], Any]
) -> Callable[[dict[str, Any], Any], Any]:
    """A WSGI app that passes the API's paths to a host, and everything else on."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        path = environ.get("PATH_INFO", "")
        if not is_api(path):
            return otherwise(environ, start_response)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > LARGEST_PUSH:
            answer = problem(413)
        else:
            answer = host.answer_now(
                _scope(environ, path), environ["wsgi.input"].read(length) if length else b""
            )
        start_response(f"{answer.status} .", answer.headers)
        return [answer.body]

    return app


def _scope(environ: dict[str, Any], path: str) -> Message:
    headers = [
        (name[5:].replace("_", "-").lower().encode("latin-1"), str(value).encode("latin-1"))
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    headers += [
        (name.replace("_", "-").lower().encode("latin-1"), str(environ[name]).encode("latin-1"))
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH")
        if environ.get(name)
    ]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "scheme": environ.get("wsgi.url_scheme", "http"),
        "path": path.encode("latin-1").decode("utf-8", "replace"),
        "raw_path": path.encode("latin-1"),
        "query_string": environ.get("QUERY_STRING", "").encode("latin-1"),
        "root_path": "",
        "headers": headers,
        "client": (environ.get("REMOTE_ADDR") or "", 0),
        "server": (environ.get("SERVER_NAME") or "", int(environ.get("SERVER_PORT") or 0)),
        "state": {},
    }
