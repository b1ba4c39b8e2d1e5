"""Calls of the Web API from the workspace's own process: `urllib` hands them over without a socket."""

from contextvars import Context
from http import HTTPStatus
from http.client import HTTPMessage
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from urllib.request import BaseHandler, Request, build_opener, install_opener
from urllib.response import addinfourl

from werkzeug.test import EnvironBuilder, run_wsgi_app

if TYPE_CHECKING:
    from bot.sandbox.server import SandboxServer

_PATHS: Final = ("/api/", "/hooks/", "/upload/")
_SERVERS: Final[dict[str, "SandboxServer"]] = {}
"""The servers that are asked without a socket, by host and port."""


def connect(server: "SandboxServer") -> None:
    """Ask a server without a socket from now on, except while it has faults: those concern connections."""
    if not _SERVERS:
        install_opener(build_opener(_Direct()))
    _SERVERS[server.url.removeprefix("http://")] = server


def disconnect(server: "SandboxServer") -> None:
    """Ask it over HTTP again."""
    _SERVERS.pop(server.url.removeprefix("http://"), None)


class _Direct(BaseHandler):
    """Answers the requests to Slack; the others go the usual way."""

    handler_order = 50
    """Before a proxy."""

    def http_open(self, request: Request) -> addinfourl | None:
        server = _SERVERS.get(request.host)
        if server is None or server.faults is not None or not request.selector.startswith(_PATHS):
            return None
        # In a context of its own, as in a thread of the server.
        body, status, headers = Context().run(run_wsgi_app, server.wsgi, _environ(request), buffered=True)
        code = int(status.partition(" ")[0])
        told = HTTPMessage()
        for name, value in headers:
            told[name] = value
        response = addinfourl(BytesIO(b"".join(body)), told, request.full_url, code)
        response.msg = HTTPStatus(code).phrase  # type: ignore[attr-defined]  # urllib needs it for errors
        return response


def _environ(request: Request) -> dict[str, Any]:
    """What a server would make of a request."""
    given: Any = request.data or b""
    data = given if isinstance(given, bytes) else given.read()
    return EnvironBuilder(
        request.selector,
        f"http://{request.host}",
        method=request.get_method(),
        headers=request.header_items(),
        data=data,
    ).get_environ()
