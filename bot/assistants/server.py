"""The MCP server as an ASGI app: who asks, the tools, and the official SDK that speaks the protocol.

It keeps no sessions: every request stands alone, so that any number of web processes can answer it.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from functools import wraps
from importlib.metadata import version
from typing import Any, Final
from uuid import uuid4

import anyio.to_thread
from anyio import CapacityLimiter
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import ValidationError

from bot.api.guard import database_problems
from bot.api.limits import RequestLimits
from bot.api.problems import Problem
from bot.assistants.identity import Identities, Identity, Refused
from bot.assistants.tools import Said, Scope, Tools
from cadence.actor import Actor
from cadence.flows.machines import sentence_of
from handlers.context import Services
from storage.work import UnitOfWork

PATH: Final = "/mcp"
THREADS: Final = 4
"""Tools that run at the same time in one process; Slack's requests have threads of their own."""
INSTRUCTIONS: Final = (
    "Rollout Cadence keeps a team's AI playbook to its standard, week after week. Read with status, why and "
    "digest. Report only what the person told you: check_in, report_kpi and log_exception act in their name, and "
    "their team sees it. If an answer asks which playbook or team is meant, ask the person."
)
READ: Final = ("status", "why", "digest")
WRITE: Final = ("check_in", "report_kpi", "log_exception")
_who: ContextVar[Identity] = ContextVar("who")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Assistants:
    """The ASGI app of the MCP server.

    It accepts any `Host` and `Origin`: browsers have nothing to send that would authenticate another site's request.
    """

    def __init__(self, services: Services, identities: Identities, *, limits: RequestLimits) -> None:
        self._services = services
        self._identities = identities
        self._limits = limits
        self._threads = CapacityLimiter(THREADS)
        self._app = _Server(Tools(services, self._person), self._in_thread).streamable_http_app(
            streamable_http_path=PATH,
            json_response=True,
            stateless_http=True,
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        self._running: asyncio.Task[None] | None = None
        self._up = asyncio.Event()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request whose body is held back until it is known who asks."""
        body = await _whole(receive)
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        try:
            _who.set(await self._identified(scope, headers, body))
        except Problem as problem:
            await problem.response()(scope, receive, send)
            return
        await self._started()
        await self._app(scope, _again(body, receive), send)

    async def _identified(self, scope: Message, headers: dict[str, str], body: bytes) -> Identity:
        """Who asks.

        Raises:
            Problem: not authenticated, too many requests, or the database is busy.
        """
        address = (scope.get("client") or ("",))[0]
        try:
            with database_problems():
                who: Identity = await self._in_thread(lambda: self._identities.of(headers, body))
        except Refused as refused:
            self._limits.failed(address)
            raise Problem("unauthorized", str(refused), headers={"WWW-Authenticate": "Bearer"}) from None
        self._limits.spend(f"{who.workspace_id}:{who.member}")
        return who

    def _person(self, scope: Scope) -> UnitOfWork:
        """The unit of work of the person who asks.

        Raises:
            PermissionError: their token doesn't have the scope, or the request names no person.
        """
        who = _who.get()
        if not (who.may_write if scope == "write" else who.may_read):
            raise PermissionError(
                "This token can't report. Make one with “Write evidence” in Slack: /cadence token."
                if scope == "write"
                else "This token can't read. Make one with “Read” in Slack: /cadence token."
            )
        actor = Actor(who.workspace_id, who.member, "mcp", request=who.request or uuid4().hex)
        return UnitOfWork(self._services.db, actor, self._services.clock())

    async def _in_thread(self, run: Callable[[], Any]) -> Any:
        def patiently() -> Any:
            with self._services.db.for_a_request():
                return run()

        return await anyio.to_thread.run_sync(patiently, limiter=self._threads)

    async def _started(self) -> None:
        """Start the SDK's session manager with the first request, in the loop that answers it."""
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        await self._up.wait()

    async def _run(self) -> None:
        async with self._app.router.lifespan_context(self._app):
            self._up.set()
            await asyncio.Event().wait()


class _Server(MCPServer[Any]):
    """The SDK's server with our tools. What an assistant got wrong is answered in a sentence, and is in the trail."""

    def __init__(self, tools: Tools, in_thread: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        super().__init__(
            "rollout-cadence",
            title="Rollout Cadence",
            version=version("rollout-cadence"),
            instructions=INSTRUCTIONS,
        )
        self._refused = _asynchronous(tools.refuse, in_thread)
        for name in (*READ, *WRITE):
            self.add_tool(
                _asynchronous(getattr(tools, name), in_thread),
                name=name,
                annotations=ToolAnnotations(
                    read_only_hint=name in READ, destructive_hint=False, open_world_hint=False
                ),
                structured_output=False,
            )

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> Any:
        """Call a tool; arguments that aren't valid are refused like what is wrong for the flow behind it."""
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as failed:
            if not isinstance(failed.__cause__, ValidationError):
                raise
            scope: Scope = "read" if name in READ else "write"
            return await self._refused(name, scope, sentence_of(failed.__cause__))


def _asynchronous(
    run: Callable[..., Said], in_thread: Callable[[Callable[[], Any]], Awaitable[Any]]
) -> Callable[..., Awaitable[CallToolResult]]:
    """The tool as the SDK wants it; a refusal is marked as an error, which the assistant reads and corrects."""

    @wraps(run)
    async def tool(*args: Any, **given: Any) -> CallToolResult:
        try:
            said: Said = await in_thread(lambda: run(*args, **given))
        except PermissionError as refused:
            said = Said(str(refused), refused=True)
        return CallToolResult(content=[TextContent(type="text", text=said.text)], is_error=said.refused)

    tool.__annotations__ = {**run.__annotations__, "return": CallToolResult}
    return tool


async def _whole(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """`receive`, beginning with a body that was read already."""
    left = [body]

    async def again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return again
