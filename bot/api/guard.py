"""In front of every request of a tool: its token, its rate, its media type; afterwards its duration and last use."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from bot.api.limits import RequestLimits
from bot.api.problems import Problem
from bot.metrics import API_SECONDS
from cadence.flows.tokens import BadToken, TokenHolder, authenticate, note_use
from cadence.refusals import NotAllowed
from storage.engine import Conflict, Database, is_busy, is_unreachable

PUBLIC: Final = frozenset({"/api/v1/openapi.json", "/api/docs", "/api/docs/"})
"""What anybody can read: it holds no data of a workspace."""
HOLDER: Final = "holder"
LIMITS: Final = "limits"


@dataclass(frozen=True, slots=True)
class Guard:
    """ASGI middleware. The holder of the token is then in the request's state."""

    app: ASGIApp
    db: Database
    clock: Callable[[], datetime]
    limits: RequestLimits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        if scope["type"] != "http" or scope["path"] in PUBLIC:
            await self.app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                known = [(name.lower().encode(), value.encode()) for name, value in extra.items()]
                message = {**message, "headers": [*message.get("headers", ()), *known]}
            await send(message)

        extra: dict[str, str] = {}
        try:
            holder = await run_in_threadpool(self._holder, scope)
            extra |= self.limits.spend(f"{holder.workspace_id}:{holder.id}")
            scope.setdefault("state", {})[HOLDER] = holder
            with bound_contextvars(workspace=holder.workspace_id, token=holder.key):
                await self.app(scope, receive, noted)
            if status < 400:
                await run_in_threadpool(self._note_use, holder)
        except Problem as problem:
            await problem.response()(scope, receive, noted)
        finally:
            path = scope["path"] if scope.get("route") or status < 400 else "other"
            API_SECONDS.labels(path=path, status=status or 500).observe(time.perf_counter() - begun)

    def _holder(self, scope: Scope) -> TokenHolder:
        """The holder of the request's bearer token.

        Raises:
            Problem: the token is missing or not valid, or the database is busy.
        """
        address = (scope.get("client") or ("",))[0]
        try:
            with database_problems(), self.db.for_a_request():
                return authenticate(self.db, _bearer(scope), now=self.clock())
        except BadToken as refused:
            self.limits.failed(address)
            raise Problem("unauthorized", refused.plain, headers={"WWW-Authenticate": "Bearer"}) from None
        except NotAllowed as refused:
            raise Problem("not-allowed", refused.plain) from None

    def _note_use(self, holder: TokenHolder) -> None:
        """Save the time of the last use. It is left out if the database is busy: the request was carried out."""
        with suppress(Problem), database_problems(), self.db.for_a_request():
            note_use(self.db, holder, now=self.clock())


@contextmanager
def database_problems() -> Iterator[None]:
    """Turn what a busy or unreachable database raises into a problem.

    Raises:
        Problem: the database was busy or away; nothing was recorded.
    """
    try:
        yield
    except Exception as error:
        # The database's errors have no class in common; anything else goes on as it is.
        if not (isinstance(error, Conflict) or is_busy(error) or is_unreachable(error)):
            raise
        detail = "Nothing was recorded. Send the same request again in a moment."
        raise Problem("busy", detail, headers={"Retry-After": "1"}) from error


def _bearer(scope: Scope) -> str:
    """The token in the header `Authorization: Bearer …`, or "" without one."""
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(given) != 1:
        return ""
    scheme, _, token = given[0].decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
