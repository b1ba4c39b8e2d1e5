"""The Web API: authentication, scopes, rate limits, and then the method itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from bot.sandbox import api_chat, api_conversations, api_files, api_functions, api_people, api_views
from bot.sandbox.errors import SlackError
from bot.sandbox.kinds import Json
from bot.sandbox.methods import METHODS, Method

if TYPE_CHECKING:
    from bot.sandbox.workspace import Workspace

Handler = Callable[["Workspace", Json], Json]

_HANDLERS: Mapping[str, Handler] = {
    **api_chat.METHODS,
    **api_conversations.METHODS,
    **api_files.METHODS,
    **api_functions.METHODS,
    **api_people.METHODS,
    **api_views.METHODS,
}
_WITHOUT_TOKEN = frozenset({"api.test", "oauth.v2.access"})
_APP_TOKEN = frozenset({"apps.connections.open"})


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """An HTTP answer of the Web API."""

    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)


def call(workspace: "Workspace", method: str, args: Json, token: str | None) -> ApiAnswer:
    """Answer one call.

    Args:
        workspace: whose API it is.
        method: such as `chat.postMessage`.
        args: arguments as Python values: JSON ones (`blocks`, `view`) already read.
        token: from the Authorization header or the body; None when there was none.
    """
    began = perf_counter()
    headers = {"x-oauth-scopes": ",".join(sorted(workspace.scopes))}
    try:
        with workspace.pulse.lock:
            body: Json = {"ok": True} | _answer(workspace, method, args, token)
        answer = ApiAnswer(200, body, headers)
    except SlackError as error:
        body = {"ok": False, "error": error.code} | error.extra
        if error.code == "missing_scope":
            workspace.out_of_scope.append((method, str(error.extra.get("needed", ""))))
        if error.messages:
            body["response_metadata"] = {"messages": list(error.messages)}
        if error.retry_after is not None:
            headers["Retry-After"] = str(error.retry_after)
        answer = ApiAnswer(error.status, body, headers)
    workspace.note_exchange("app → workspace", method, answer.status, args, answer.body, began)
    return answer


def _answer(workspace: "Workspace", name: str, args: Json, token: str | None) -> Json:
    method, handler = METHODS.get(name), _HANDLERS.get(name)
    if method is None or handler is None or not workspace.capabilities.knows(name):
        raise SlackError("unknown_method", extra={"req_method": name})
    if name not in _WITHOUT_TOKEN:
        _check_token(workspace, method, token)
        _check_scope(workspace, method)
    if workspace.rate_limits:
        wait = workspace.limiter.seconds_to_wait(name, method.tier, args.get("channel"))
        if wait:
            raise SlackError("ratelimited", status=429, retry_after=wait)
    missing = [arg for arg in method.required if args.get(arg) in (None, "")]
    if missing:
        raise SlackError("invalid_arguments", [f"[ERROR] missing required field: {arg}" for arg in missing])
    return handler(workspace, args)


def _check_token(workspace: "Workspace", method: Method, token: str | None) -> None:
    if not token:
        raise SlackError("not_authed")
    if token not in (workspace.app.token, workspace.app.app_token):
        raise SlackError("invalid_auth")
    if workspace.revoked:
        raise SlackError("token_revoked")
    if (token == workspace.app.app_token) != (method.name in _APP_TOKEN):
        raise SlackError("not_allowed_token_type")


def _check_scope(workspace: "Workspace", method: Method) -> None:
    if method.scopes and not workspace.scopes.intersection(method.scopes):
        raise missing_scope(workspace, ",".join(method.scopes))


def missing_scope(workspace: "Workspace", needed: str) -> SlackError:
    """The refusal that names the scope that is missing and those that were granted."""
    return SlackError(
        "missing_scope", extra={"needed": needed, "provided": ",".join(sorted(workspace.scopes))}
    )
