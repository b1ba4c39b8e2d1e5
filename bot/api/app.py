"""Build the API's app. `bot/runtime/asgi_host.py` serves it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.api.documentation import TITLE, describe
from bot.api.evidence import Pushes, evidence_router
from bot.api.guard import Guard
from bot.api.limits import RequestLimits
from bot.api.problems import answer_with_problems
from bot.api.reads import reads_router
from bot.api.telemetry import telemetry_router
from bot.assistants.mounting import mcp_app
from bot.settings import Settings
from cadence.flows.machines import Turn
from handlers.context import Services
from storage.engine import Database

ROOT: Final = "/api/v1"
OTLP: Final = "/otlp"
MCP: Final = frozenset({"/mcp", "/mcp/"})
_PAGE: Final = Path(__file__).parent / "docs.html"
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
)


def build_api(
    settings: Settings,
    *,
    db: Database,
    clock: Callable[[], datetime],
    services: Services,
    secret: str | None,
    serves: Callable[[str], bool],
    turn: Turn,
) -> ASGIApp:
    """The API of the workspaces in a database, behind its guard, and beside it the MCP server.

    Args:
        secret: Slack's signing secret; None where Slack's requests come through a socket.
        serves: whether the bot is installed in a workspace.
        turn: opens around each transaction of a push.
    """
    limits = RequestLimits(settings.cadence_api_requests_a_minute, proxies=settings.cadence_proxies)
    api = Guard(build_app(Pushes(db, clock, turn)), db, clock, limits)
    assistants = mcp_app(services, db=db, clock=clock, secret=secret, serves=serves, limits=limits)

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        await (assistants if path in MCP else api)(scope, receive, send)

    return either


def build_app(pushes: Pushes) -> FastAPI:
    """The routes, for requests that the guard let through."""
    # A redirect from an address with another slash would name the host of the request, and plain HTTP behind a proxy.
    app = FastAPI(
        title=TITLE,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{ROOT}/openapi.json",
        redirect_slashes=False,
    )
    app.include_router(evidence_router(pushes), prefix=ROOT)
    app.include_router(reads_router(pushes.db, pushes.clock), prefix=ROOT)
    app.include_router(telemetry_router(pushes), prefix=OTLP)

    @app.get("/api/docs", include_in_schema=False)
    @app.get("/api/docs/", include_in_schema=False)
    def docs() -> HTMLResponse:
        """The page that shows the OpenAPI document."""
        return HTMLResponse(_PAGE.read_text(encoding="utf-8"), headers={"Content-Security-Policy": _POLICY})

    answer_with_problems(app)
    describe(app)
    return app
