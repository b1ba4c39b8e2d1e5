"""Schemas of Slack's payloads: a signed request that doesn't match can't be Slack's, and is a 400.

Bolt and the listeners rely on these. Unused parts aren't checked, so that Slack can add to its payloads. User
input isn't checked either: the listeners have a sentence for that.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.middleware import Middleware

from handlers.payloads import origin_of

LARGEST_BODY: Final = 1_000_000
"""Bytes; Slack's own requests are far smaller."""
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,32}$")]
"""Slack's own ids have 9 to 12 characters; other servers with its API may have longer ones."""
Name = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Block, action and callback ids, with Slack's limits."""
Text = Annotated[str, Field(max_length=100_000)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Known(_Part):
    """A workspace, channel, person or organization."""

    id: Id


class _User(_Known):
    team_id: Id | None = None


class _Channel(_Known):
    name: Text | None = None


class _Authorization(_Part):
    team_id: Id | None = None
    enterprise_id: Id | None = None
    user_id: Id | None = None
    is_enterprise_install: bool | str | None = None


class _Block(_Part):
    type: Name
    block_id: Name


class _State(_Part):
    values: dict[Name, dict[Name, dict[str, Any] | None]] = {}


class _View(_Part):
    id: Id
    type: Name
    callback_id: Name = ""
    private_metadata: Text | None = None
    hash: Name | None = None
    state: _State | None = None
    blocks: list[_Block] = []
    previous_view_id: Id | None = None
    team_id: Id | None = None
    app_installed_team_id: Id | None = None


class _Payload(_Part):
    """The fields that Bolt and the listeners read of any payload."""

    type: Name | None = None
    team_id: Id | None = None
    team: _Known | None = None
    user: _User | None = None
    channel: _Channel | None = None
    view: _View | None = None
    enterprise_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{0,32}$")] | None = None
    enterprise: _Known | None = None
    is_enterprise_install: bool | str | None = None
    authorizations: list[_Authorization] | None = None
    trigger_id: Name | None = None
    response_url: Annotated[str, Field(pattern=r"^https?://", max_length=2_000)] | None = None
    response_urls: list[dict[str, Any]] | None = None


class _Command(_Payload):
    team_id: Id
    user_id: Id
    channel_id: Id | None = None
    command: Name
    text: Text = ""


class _Interaction(_Payload):
    user: _User


class _Option(_Part):
    value: Text | None = None


class _Action(_Part):
    action_id: Name
    block_id: Name | None = None
    type: Name | None = None
    value: Text | None = None
    selected_option: _Option | None = None


class _Pressed(_Interaction):
    trigger_id: Name
    actions: Annotated[list[_Action], Field(min_length=1)]
    message: dict[str, Any] | None = None
    container: dict[str, Any] | None = None


class _Submitted(_Interaction):
    view: _View


class _Shortcut(_Interaction):
    trigger_id: Name
    callback_id: Name


class _Message(_Part):
    ts: Name
    thread_ts: Name | None = None
    user: Text | None = None
    text: Text | None = None


class _MessageShortcut(_Shortcut):
    channel: _Channel
    message: _Message


class _Event(_Part):
    """The fields that Bolt reads of any event."""

    type: Annotated[str, Field(min_length=1, max_length=255)]
    user: Id | dict[str, Any] | None = None
    channel: Id | dict[str, Any] | None = None
    team: Text | dict[str, Any] | None = None
    thread_ts: Name | None = None
    subtype: Name | None = None


class _Profile(_Part):
    display_name: Text | None = None
    real_name: Text | None = None
    status_text: Text | None = None
    status_emoji: Text | None = None
    status_expiration: Annotated[int, Field(ge=0, lt=1 << 33)] | None = None


class _Person(_Known):
    name: Text | None = None
    real_name: Text | None = None
    tz: Text | None = None
    profile: _Profile | None = None


class _PersonEvent(_Event):
    user: _Person  # type: ignore[assignment]


class _PlaceEvent(_Event):
    user: Id
    channel: Id | None = None
    tab: Name | None = None


class _WrittenEvent(_Event):
    text: Text | None = None
    channel_type: Name | None = None
    bot_id: Name | None = None


class _Revoked(_Part):
    bot: list[Id] | None = None


class _TokensEvent(_Event):
    tokens: _Revoked | None = None


class _Function(_Part):
    callback_id: Name


class _StepEvent(_Event):
    function: _Function
    inputs: dict[Name, Any] = {}
    function_execution_id: Name
    bot_access_token: Name | None = None


class _Envelope(_Payload):
    event: dict[str, Any]
    event_time: Annotated[int, Field(ge=0, lt=1 << 33)] | None = None


_PAYLOADS: Final[Mapping[str, type[_Payload]]] = {
    "block_actions": _Pressed,
    "view_submission": _Submitted,
    "view_closed": _Submitted,
    "shortcut": _Shortcut,
    "message_action": _MessageShortcut,
}
_EVENTS: Final[Mapping[str, type[_Event]]] = {
    "user_change": _PersonEvent,
    "team_join": _PersonEvent,
    "app_home_opened": _PlaceEvent,
    "member_joined_channel": _PlaceEvent,
    "message": _WrittenEvent,
    "tokens_revoked": _TokensEvent,
    "function_executed": _StepEvent,
}


_ESCAPES: Final = ("\\u", "%5Cu", "%5cu")
"""The beginning of an escaped character in JSON, and in JSON inside a form. Half a surrogate pair, which
is valid JSON but can be neither stored nor sent, can only be written this way."""


class RequestValidation(Middleware):
    """Middleware that refuses a signed request that can't be Slack's; it runs after the signature was
    verified."""

    def process(
        self,
        *,
        req: BoltRequest,
        resp: BoltResponse,  # noqa: ARG002
        next: Callable[[], BoltResponse],  # noqa: A002
    ) -> BoltResponse:
        """Pass a valid request on, authorized for its workspace; anything else is a 400."""
        if not is_sound(req.body, req.raw_body):
            return BoltResponse(status=400, body="not readable\n")
        if req.body.get("view", ...) is None:  # Bolt fails at it, if nobody listens to the request
            del req.body["view"]
        origin = origin_of(req.body)
        req.context["team_id"] = origin.workspace or None
        req.context["from_elsewhere"] = origin.from_elsewhere
        return next()


def is_sound(body: Mapping[str, Any], raw: str = "") -> bool:
    """Whether every checked part has the type that Slack documents.

    Args:
        raw: the text of the body, which makes checking each string unnecessary; empty in Socket Mode.
    """
    try:
        for model, part in _parts(body):
            model.model_validate(part)
        if not raw or any(escape in raw for escape in _ESCAPES):
            json.dumps(body, ensure_ascii=False).encode()
    except (ValidationError, UnicodeEncodeError, RecursionError):
        return False
    return True


def _parts(body: Mapping[str, Any]) -> Iterator[tuple[type[BaseModel], object]]:
    """The parts with their schemas. Bolt recognizes a command or an event by its keys, whatever its type."""
    kind = body.get("type")
    known = _PAYLOADS.get(kind) if isinstance(kind, str) else None
    if known is not None:
        yield known, body
    if "command" in body:
        yield _Command, body
    if "event" in body:
        yield _Envelope, body
        event = body["event"]
        named = event.get("type")
        yield (_EVENTS.get(named, _Event) if isinstance(named, str) else _Event), event
    elif known is None and "command" not in body:
        yield _Payload, body
