"""HTTP: Slack's requests, health and metrics, as one WSGI app for a server with threads."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from slack_bolt import App, BoltRequest, BoltResponse
from structlog.contextvars import clear_contextvars
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.sansio.utils import host_is_trusted
from werkzeug.wrappers import Request, Response

from bot.metrics import DatabaseFigures, SocketFigures
from bot.ops.manifest import INSTALL, REDIRECT
from bot.request_validation import LARGEST_BODY
from bot.runtime.socket_mode import Heard
from bot.workspaces.oauth import Installer
from cadence.flows.workspaces import WriteProbe, health
from storage.engine import Database

_STAMP = re.compile(r"[0-9]{1,15}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""Bolt's exceptions for a body that isn't Slack's; it parses the body before it verifies the signature."""
_BUSIEST = ("POST", "/slack/events")
_UNKNOWN_HOST = Response("unknown host name: add it to CADENCE_HOSTS\n", 403)
_ROUTES = Map(
    [
        Rule("/slack/events", methods=["POST"], endpoint="events"),
        Rule(INSTALL, methods=["GET"], endpoint="install"),
        Rule(REDIRECT, methods=["GET"], endpoint="redirect"),
        Rule("/healthz", methods=["GET"], endpoint="healthz"),
        Rule("/readyz", methods=["GET"], endpoint="readyz"),
        Rule("/metrics", methods=["GET"], endpoint="metrics"),
    ]
)


class Web:
    """The WSGI app.

    Args:
        workspace: the workspace this process serves, or a function that returns them; readiness checks only
            their messages.
        slack: None in a process that only reports its health.
        watched: further readiness checks: each returns whether it passed, with a line about it.
        heard: the state of the connection to Slack, in Socket Mode.
        installer: lets workspaces install the bot; None if there is one workspace.
        hosts: allowed host names for readiness and metrics, besides addresses and this machine's own:
            `.example.com` for all below it, `*` for any.
    """

    def __init__(
        self,
        *,
        db: Database,
        workspace: str | Callable[[], Sequence[str]],
        slack: App | None,
        clock: Callable[[], datetime],
        watched: Sequence[Callable[[], tuple[bool, str]]] = (),
        heard: Callable[[], Heard] | None = None,
        installer: Installer | None = None,
        hosts: Sequence[str] = (),
    ) -> None:
        self._db = db
        self._served: Callable[[], Sequence[str]] = workspace if callable(workspace) else lambda: [workspace]
        self._slack = slack
        self._clock = clock
        self._watched = watched
        self._installer = installer
        self._hosts = hosts
        self._probe = WriteProbe(db)
        self._figures = CollectorRegistry()
        self._figures.register(DatabaseFigures(db, self._served, clock))
        if heard is not None:
            self._figures.register(SocketFigures(heard))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer one request."""
        try:
            if (
                environ["REQUEST_METHOD"],
                environ.get("PATH_INFO"),
            ) == _BUSIEST:  # routing is slow in comparison
                response = self._events(Request(environ))
            else:
                endpoint, _ = _ROUTES.bind_to_environ(environ).match()
                response = getattr(self, f"_{endpoint}")(Request(environ))
        except HTTPException as refused:
            response = refused.get_response(environ)
        return response(environ, start_response)

    def _events(self, request: Request) -> Response:
        """One request of Slack's; an invalid one is refused before Bolt sees it."""
        if self._slack is None:
            return Response("this process doesn't answer Slack\n", 404)
        request.max_content_length = LARGEST_BODY
        body = request.get_data(as_text=True)
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not (_STAMP.fullmatch(stamp) and _SIGNATURE.fullmatch(signature)):
            return Response("not signed\n", 401)
        try:
            asked = BoltRequest(body=body, headers=dict(request.headers))
        except _UNREADABLE:
            return Response("not readable\n", 400)
        status, text, headers = _answered(self._slack, asked)
        return Response(text, status, headers)

    def _install(self, request: Request) -> Response:
        """A workspace installs the bot."""
        if self._installer is None:
            return Response("the bot is in one workspace here\n", 404)
        return _as_response(self._installer.begin(*_asked(request)))

    def _redirect(self, request: Request) -> Response:
        """Slack redirects back here."""
        if self._installer is None:
            return Response("the bot is in one workspace here\n", 404)
        return _as_response(self._installer.finish(*_asked(request)))

    def _healthz(self, _request: Request) -> Response:
        """Liveness: the process runs."""
        return Response("ok\n")

    def _readyz(self, request: Request) -> Response:
        """Readiness: the database accepts writes, no message is long overdue, Slack is heard."""
        if not may_ask(request.headers.get("Host", ""), self._hosts):
            return _UNKNOWN_HOST
        with self._db.for_a_request():
            found = health(self._db, now=self._clock(), workspace_ids=self._served(), probe=self._probe)
        others = [look() for look in self._watched]
        ready = found.ready and all(ok for ok, _ in others)
        lines = [*found.lines, *(line for _, line in others)]
        return Response("".join(f"{line}\n" for line in lines), 200 if ready else 503)

    def _metrics(self, request: Request) -> Response:
        """Prometheus metrics: this process's own, and those of the database."""
        if not may_ask(request.headers.get("Host", ""), self._hosts):
            return _UNKNOWN_HOST
        with self._db.for_a_request():
            figures = generate_latest() + generate_latest(self._figures)
        return Response(figures, content_type=CONTENT_TYPE_LATEST)


def may_ask(host: str, names: Sequence[str]) -> bool:
    """Whether a `Host` header is allowed: DNS rebinding leads a browser here only under its own site's name.

    Monitoring can use an address, or send no header.
    """
    if not host or "*" in names:
        return True
    try:
        ip_address(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return host_is_trusted(host.lower(), ["localhost", *(name.lower() for name in names)])
    return True


def _asked(request: Request) -> tuple[str, dict[str, str]]:
    return request.query_string.decode("latin-1"), dict(request.headers)


def _as_response(answer: BoltResponse) -> Response:
    headers = [(name, value) for name, values in answer.headers.items() for value in values]
    return Response(answer.body or "", answer.status, headers)


def dispatch(app: App, body: str, headers: dict[str, str]) -> tuple[int, str, dict[str, str]]:
    """Pass one signed request to Bolt; the built-in workspace calls the bot this way too."""
    return _answered(app, BoltRequest(body=body, headers=dict(headers)))


def _answered(app: App, asked: BoltRequest) -> tuple[int, str, dict[str, str]]:
    try:
        answer = app.dispatch(asked)
    finally:
        clear_contextvars()  # the thread's next request is a different one
    return answer.status, answer.body or "", {name: values[0] for name, values in answer.headers.items()}
