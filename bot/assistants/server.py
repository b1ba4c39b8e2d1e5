"""The MCP server as an ASGI app: who asks, the tools, and the official SDK that speaks the protocol.

It keeps no sessions: every request stands alone, so that any number of web processes can answer it.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from functools import wraps
from importlib.metadata import version
from inspect import signature
from typing import Any, Final
from uuid import uuid4

import anyio.to_thread
from anyio import CapacityLimiter
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import ValidationError
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import JSONResponse

from bot.api.evidence import require_json
from bot.api.guard import database_problems
from bot.api.limits import RequestLimits
from bot.api.problems import Problem
from bot.assistants.identity import Identities, Identity, Refused
from bot.assistants.tools import Said, Scope, Tools
from cadence.actor import Actor
from cadence.flows.machines import sentence_of, shown, unknown_field
from cadence.nearest import nearest
from cadence.refusals import NotAllowed
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
NOT_SERVED: Final = ("prompts/get", "resources/read")
"""Methods of the protocol that this server doesn't offer; the SDK would look for them."""
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
        self._server = _Server(Tools(services, self._person, _require), self._in_thread)
        self._app = self._server.streamable_http_app(
            streamable_http_path=PATH,
            json_response=True,
            stateless_http=True,
            transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        self._running: asyncio.Task[None] | None = None
        self._up = asyncio.Event()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request whose body is held back until it is known who asks.

        A `GET` would open a stream of what the server has to tell, which is nothing, and keep it open for ever.
        """
        if scope["method"] != "POST":
            detail = f"{PATH} takes POST, with a request of JSON-RPC. It has no stream to listen to, and no sessions."
            await Problem("method-not-allowed", detail, headers={"Allow": "POST"}).response()(
                scope, receive, send
            )
            return
        body = await _whole(receive)
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        try:
            _who.set(await self._identified(scope, headers, body))
            require_json(Request(scope))
        except Problem as problem:
            await problem.response()(scope, receive, send)
            return
        wrong = _wrong_envelope(body)
        if wrong is not None:
            await JSONResponse(wrong, 400)(scope, receive, send)
            return
        await self._started()
        await self._app({**scope, "path": PATH, "raw_path": PATH.encode()}, _again(body, receive), send)

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

    def _person(self) -> UnitOfWork:
        """The unit of work of the person who asks."""
        who = _who.get()
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


def _require(scope: Scope) -> None:
    """Require that the token of the person who asks has a scope.

    Raises:
        NotAllowed: it doesn't.
    """
    who = _who.get()
    if not (who.may_write if scope == "write" else who.may_read):
        raise NotAllowed(
            "This token can't report. Make one with “Write evidence” in Slack: /cadence token."
            if scope == "write"
            else "This token can't read. Make one with “Read” in Slack: /cadence token."
        )


class _Server(MCPServer[Any]):
    """The SDK's server with our tools. What an assistant got wrong is answered in a sentence, and is in the trail."""

    def __init__(self, tools: Tools, in_thread: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        super().__init__(
            "rollout-cadence",
            title="Rollout Cadence",
            version=version("rollout-cadence"),
            instructions=INSTRUCTIONS,
            subscriptions=False,  # nobody would be told anything, and the request would stay open
        )
        self._refused = _asynchronous(tools.refuse, in_thread)
        self._takes: dict[str, list[str]] = {}
        for name in (*READ, *WRITE):
            run = getattr(tools, name)
            self._takes[name] = list(signature(run).parameters)
            self.add_tool(
                _asynchronous(run, in_thread),
                name=name,
                annotations=ToolAnnotations(
                    read_only_hint=name in READ, destructive_hint=False, open_world_hint=False
                ),
                structured_output=False,
            )

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> Any:
        """Call a tool; a call that isn't valid is refused like what is wrong for the flow behind it."""
        if name not in self._takes:
            return await self._refused("unknown", self._no_such_tool(name))
        unknown = next((one for one in arguments if one not in self._takes[name]), None)
        if unknown is not None:
            return await self._refused(name, unknown_field(unknown, self._takes[name]))
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as failed:
            if not isinstance(failed.__cause__, ValidationError):
                raise
            return await self._refused(name, sentence_of(failed.__cause__))

    def _no_such_tool(self, name: str) -> str:
        near = nearest(name, self._takes)
        hint = (
            f"Did you mean `{near}`?"
            if near
            else f"The tools are {', '.join(f'`{one}`' for one in self._takes)}."
        )
        return f"There's no tool `{shown(name)}`. {hint}"


def _asynchronous(
    run: Callable[..., Said], in_thread: Callable[[Callable[[], Any]], Awaitable[Any]]
) -> Callable[..., Awaitable[CallToolResult]]:
    """The tool as the SDK wants it; a refusal is marked as an error, which the assistant reads and corrects."""

    @wraps(run)
    async def tool(*args: Any, **given: Any) -> CallToolResult:
        said: Said = await in_thread(lambda: run(*args, **given))
        return CallToolResult(content=[TextContent(type="text", text=said.text)], is_error=said.refused)

    tool.__annotations__ = {**run.__annotations__, "return": CallToolResult}
    return tool


def _wrong_envelope(body: bytes) -> dict[str, Any] | None:
    """The error of JSON-RPC that answers a body which isn't one request, notification or response; else None.

    The SDK takes it from there, but quotes its own classes for these.
    """
    code, number = -32600, None
    try:
        asked = from_json(body)
    except ValueError as wrong:
        code, detail = (
            -32700,
            f"The body isn't valid JSON: {wrong}. Send one request of JSON-RPC 2.0, in UTF-8.",
        )
    else:
        number = asked.get("id") if isinstance(asked, dict) else None
        number = number if isinstance(number, (int, str)) and not isinstance(number, bool) else None
        if isinstance(asked, list):
            detail = "Send one request at a time, as an object: batches aren't taken."
        elif not isinstance(asked, dict) or asked.get("jsonrpc") != "2.0":
            detail = (
                'Send a request of JSON-RPC 2.0: an object with "jsonrpc": "2.0", an `id` and a `method`.'
            )
        elif "id" in asked and number is None:
            detail = "The `id` of a request is a whole number or text."
        elif not (isinstance(asked.get("method"), str) or "result" in asked or "error" in asked):
            detail = "The `method` of a request is text, such as `tools/call`."
        elif asked.get("method") == "tools/call" and not _is_call(asked.get("params")):
            code = -32602
            detail = "A call's `params` have the `name` of the tool, and its `arguments` as an object."
        elif asked.get("method") in NOT_SERVED:
            code, detail = (
                -32602,
                "There are only tools here, no prompts and no resources. List them with `tools/list`.",
            )
        else:
            return None
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": detail}}


def _is_call(params: object) -> bool:
    return (
        isinstance(params, dict)
        and isinstance(params.get("name"), str)
        and isinstance(params.get("arguments"), dict | None)
    )


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
