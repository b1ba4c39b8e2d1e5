"""Mount the MCP server beside the API, if its extra is installed."""

from collections.abc import Callable
from datetime import datetime
from importlib.util import find_spec
from typing import Any

from bot.api.limits import RequestLimits
from bot.api.problems import Problem
from handlers.context import Services
from storage.engine import Database

AsgiApp = Callable[..., Any]


def mcp_app(
    services: Services,
    *,
    db: Database,
    clock: Callable[[], datetime],
    secret: str | None,
    serves: Callable[[str], bool],
    limits: RequestLimits,
) -> AsgiApp:
    """The MCP server, or an app that says what to install.

    Args:
        secret: Slack's signing secret; None where Slack's requests come through a socket.
        serves: whether the bot is installed in a workspace.
    """
    if find_spec("mcp") is None:
        return _missing
    from bot.assistants.identity import Identities  # noqa: PLC0415 - the SDK is an extra, and takes a while to load
    from bot.assistants.server import Assistants  # noqa: PLC0415

    return Assistants(services, Identities(db, clock=clock, secret=secret, serves=serves), limits=limits)


async def _missing(scope: Any, receive: Any, send: Any) -> None:
    detail = "The MCP server isn't installed here. Install the bot with its extra `mcp`."
    await Problem("not-found", detail).response()(scope, receive, send)
