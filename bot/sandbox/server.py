"""The workspace on 127.0.0.1: Web API, response URLs, uploads, files, and the page."""

import socket
import struct
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from secrets import token_hex
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlencode

from werkzeug.exceptions import HTTPException
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from bot.sandbox import api, direct
from bot.sandbox.answers import respond
from bot.sandbox.delivery import SignedHttp
from bot.sandbox.errors import SlackError
from bot.sandbox.faults import Fault, FaultPlan
from bot.sandbox.page import Page
from bot.sandbox.page_clock import Mover, Player
from bot.sandbox.requests import (
    UPLOAD_BYTES,
    api_arguments,
    bearer_token,
    file_response,
    json_response,
    response_body,
    same_origin,
    uploaded_bytes,
)
from bot.sandbox.sockets import Sockets

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from bot.sandbox.welcome import Welcome
    from bot.sandbox.workspace import Workspace

REQUEST_SECONDS = 10
"""Seconds for a connection to send its request, and between two pieces of it."""
MOST_SILENT = 200
"""Maximum number of connections without a request; for one more, the oldest is closed."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})


class SandboxServer:
    """Serves one workspace over HTTP, in threads. Use it as a context manager, or `start()` and `stop()`.

    Args:
        workspace: what is served; its `base_url` becomes this server's.
        host: loopback by default.
        port: 0 lets the system choose.
        fallback: a WSGI app for every other path, such as the bot's own `/healthz`.
        on_move: moves the clock for the page: to an instant, or (None) to the next event; returns the time
            reached. Without it the page sets the clock itself.
        on_play: lets demo users act until they are done or told to stop; the page offers it if given.
        welcome: how the page receives somebody who opens it for the first time.
        faults: makes the Web API fail on purpose.
        app_url: the app's HTTP address: for deliveries, and for redirects after installing.
        socket_mode: also listen for Socket Mode and deliver through it.
        in_process: the app runs in this process: its calls are answered without a socket.
        allowed_hosts: more `Host` names than the loopback ones; others are refused (DNS rebinding).
    """

    def __init__(
        self,
        workspace: "Workspace",
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        fallback: "WSGIApplication | None" = None,
        on_move: Mover | None = None,
        on_play: Player | None = None,
        welcome: "Welcome | None" = None,
        faults: FaultPlan | None = None,
        socket_mode: bool = False,
        in_process: bool = False,
        app_url: str | None = None,
        allowed_hosts: Iterable[str] = (),
    ) -> None:
        self.workspace = workspace
        self.faults = faults
        self.sockets = Sockets(workspace.app.app_id, host) if socket_mode else None
        self._app_url = app_url
        self._in_process = in_process
        self._host = host
        self._port = port
        self._fallback = fallback
        self._hosts = LOOPBACK | frozenset(allowed_hosts)
        self.page = Page(workspace, on_move, on_play, welcome)
        self._server: ThreadedServer | None = None
        self._thread: Thread | None = None

    def start(self) -> "SandboxServer":
        """Listen in a thread; returns itself."""
        self._server = ThreadedServer(self._host, self._port, self.wsgi, QuietRequests)
        self._thread = Thread(
            target=self._server.serve_forever, args=(0.01,), name="sandbox-http", daemon=True
        )
        self._thread.start()
        self.workspace.base_url = self.url
        if self._in_process:
            direct.connect(self)
        if self._app_url is not None:
            secret = self.workspace.app.signing_secret
            self.workspace.connect(SignedHttp(f"{self._app_url}/slack/events", secret))
        if self.sockets:
            self.sockets.start()
            self.workspace.socket_url = self.sockets.new_url
            self.workspace.connect(self.sockets)
        return self

    def stop(self) -> None:
        """Stop listening; the workspace stays as it is."""
        self.page.clock.stop()
        if self.sockets:
            self.sockets.stop()
        if self._server and self._thread:
            direct.disconnect(self)
            self._server.shutdown()
            self._thread.join(5)
            self._server.server_close()
            self._server = None

    def __enter__(self) -> "SandboxServer":
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def port(self) -> int:
        """Where it listens; only once it is started."""
        if self._server is None:
            raise RuntimeError("the server isn't started")
        return int(self._server.port)

    @property
    def url(self) -> str:
        """Its address without a slash at the end."""
        return f"http://{self._host}:{self.port}"

    @property
    def api_url(self) -> str:
        """The base URL for a `WebClient`; ends with `/api/`."""
        return f"{self.url}/api/"

    def wsgi(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """The WSGI application, for those who mount it themselves."""
        request = Request(environ)
        request.max_content_length = UPLOAD_BYTES
        try:
            response = self._answer(request)
        except HTTPException as error:
            return error(environ, start_response)
        if response is None and self._fallback is not None:
            return self._fallback(environ, start_response)
        return (response or Response("not found", status=404))(environ, start_response)

    def _answer(self, request: Request) -> Response | None:
        """The answer of the workspace; None when the path isn't one of its own."""
        head, _, rest = request.path.lstrip("/").partition("/")
        serve = {
            "api": self._api,
            "hooks": self._hook,
            "upload": self._upload,
            "files": self._file,
            "archives": self.page.permalink,
            "oauth": self._authorize,
            "_sandbox": self.page.answer,
            "": self.page.answer,
        }.get(head)
        if request.host.rpartition(":")[0] not in self._hosts and request.host not in self._hosts:
            return Response("This workspace answers on this machine only.", status=403)
        if serve is None or (head == "api" and ("/" in rest or "." not in rest)):
            return None
        if request.method == "POST" and not same_origin(request):
            return Response("Requests from other sites are refused.", status=403)
        return serve(request, rest)

    def _api(self, request: Request, method: str) -> Response:
        fault = self.faults.draw(method) if self.faults else None
        if fault:
            failed = self._strike(request, fault)
            if failed:
                return failed
        try:
            args = api_arguments(request)
        except SlackError as error:
            return json_response({"ok": False, "error": error.code})
        token = bearer_token(request, args)
        if fault is Fault.LATE and self.faults:
            self.faults.do_late(partial(api.call, self.workspace, method, args, token))
            time.sleep(self.faults.hang_seconds)
            _drop(request, hard=False)
        answer = api.call(self.workspace, method, args, token)
        if fault is Fault.DROPPED:
            _drop(request, hard=False)
        return json_response(answer.body, answer.status, answer.headers)

    def _strike(self, request: Request, fault: Fault) -> Response | None:
        """The fault's own answer, if it occurs before the call is made."""
        if fault is Fault.RATE_LIMIT:
            return json_response({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "1"})
        if fault in (Fault.SERVER_ERROR, Fault.BAD_GATEWAY):
            return Response("upstream trouble", status=int(fault.value))
        if fault is Fault.RESET:
            _drop(request, hard=True)
        if fault is Fault.SLOW and self.faults:
            time.sleep(self.faults.slow_seconds)
        return None

    def _authorize(self, request: Request, rest: str) -> Response | None:
        """Slack's consent page: here nobody is asked, and the app gets a code at once."""
        if rest != "v2/authorize" or self._app_url is None:
            return None
        given = {"code": token_hex(8), "state": request.args.get("state", "")}
        return redirect(f"{self._app_url}/slack/oauth_redirect?{urlencode(given)}")

    def _hook(self, request: Request, rest: str) -> Response:
        kind, _, name = rest.partition("/")
        if kind != "response" or request.method != "POST":
            return Response("not found", status=404)
        try:
            body = response_body(request)
            respond(self.workspace, name, body)
        except SlackError as error:
            answer: dict[str, Any] = {"ok": False, "error": error.code, "problems": list(error.messages)}
            return json_response(answer, error.status if error.status != 200 else 404)
        self.workspace.note_exchange("app → workspace", "response_url", 200, body, "ok")
        return Response("ok", content_type="text/plain")

    def _upload(self, request: Request, secret: str) -> Response:
        try:
            file = self.workspace.files.upload(secret, uploaded_bytes(request))
        except SlackError as error:
            return Response(error.code, status=error.status)
        return Response(f"OK - {file.length}", content_type="text/plain")

    def _file(self, _request: Request, rest: str) -> Response:
        try:
            file = self.workspace.files.get(rest.partition("/")[0])
        except SlackError:
            return Response("not found", status=404)
        return file_response(file)


class ThreadedServer(ThreadedWSGIServer):
    """Werkzeug's server, with limits on the time and number of idle connections."""

    def __init__(self, *args: Any) -> None:
        self._silent: dict[
            socket.socket, float
        ] = {}  # connections without a request and since when, oldest first
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own."""
        if len(self._silent) >= MOST_SILENT:
            self._hang_up(next(iter(self._silent)))
        self._silent[request] = time.monotonic()
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """Close connections that have been silent for too long; called between two connections."""
        late = time.monotonic() - REQUEST_SECONDS
        for one in [one for one, since in list(self._silent.items()) if since < late]:
            self._hang_up(one)

    def has_asked(self, request: socket.socket) -> None:
        """Record that a connection's request has arrived."""
        self._silent.pop(request, None)

    def shutdown_request(self, request: Any) -> None:
        """The connection is finished."""
        self.has_asked(request)
        super().shutdown_request(request)

    def _hang_up(self, request: socket.socket) -> None:
        self.has_asked(request)
        with suppress(OSError):  # it is already closed
            request.shutdown(socket.SHUT_RDWR)


class QuietRequests(WSGIRequestHandler):
    """Logs no successful requests; the inspector shows them."""

    server: ThreadedServer
    timeout = REQUEST_SECONDS

    def run_wsgi(self) -> None:
        """Answer the request."""
        self.server.has_asked(self.connection)
        super().run_wsgi()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Leave the console to the bot's own output."""


def _drop(request: Request, *, hard: bool) -> NoReturn:
    """Close the connection without an answer; `hard` sends a reset."""
    connection = request.environ.get("werkzeug.socket")
    if hard and isinstance(connection, socket.socket):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionResetError("dropped on purpose")
