"""Whether a request has the shape that Slack gives it: Bolt and the listeners take that for granted."""

from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.middleware import Middleware

_PARTS = ("team", "user", "channel", "view", "message", "container", "authorizations")


class Shape(Middleware):
    """Turns away a signed request that can't be Slack's; it runs once the signature was found right."""

    def process(
        self,
        *,
        req: BoltRequest,
        resp: BoltResponse,  # noqa: ARG002
        next: Callable[[], BoltResponse],  # noqa: A002
    ) -> BoltResponse:
        """Let a sound request on; anything else is a 400."""
        return next() if is_sound(req.body) else BoltResponse(status=400, body="not readable\n")


def is_sound(body: Mapping[str, Any]) -> bool:
    """Whether every part that will be looked into can be."""
    if "event" in body and not _is_event(body["event"]):
        return False
    if body.get("type") in ("block_actions", "view_submission", "view_closed", "shortcut", "message_action"):
        return _is_interactive(body)
    return True


def _is_event(event: object) -> bool:
    """An event has a type; what changed of a person comes with the person."""
    if not isinstance(event, Mapping) or not isinstance(event.get("type"), str):
        return False
    if event["type"] in ("user_change", "team_join"):
        return _has_id(event.get("user"))
    return True


def _is_interactive(body: Mapping[str, Any]) -> bool:
    for part in _PARTS:
        if body.get(part) is not None and not isinstance(body[part], Mapping | list):
            return False
    if not _has_id(body.get("user")):
        return False
    match body["type"]:
        case "block_actions":
            return _is_actions(body.get("actions"))
        case "view_submission" | "view_closed":
            return _is_view(body.get("view"))
        case _:
            return isinstance(body.get("callback_id"), str)


def _has_id(thing: object) -> bool:
    return isinstance(thing, Mapping) and isinstance(thing.get("id"), str) and bool(thing["id"])


def _is_actions(actions: object) -> bool:
    return (
        isinstance(actions, list)
        and bool(actions)
        and all(isinstance(one, Mapping) and isinstance(one.get("action_id"), str) for one in actions)
    )


def _is_view(view: object) -> bool:
    if not isinstance(view, Mapping) or not isinstance(view.get("callback_id"), str):
        return False
    state = view.get("state") or {}
    values = state.get("values") or {} if isinstance(state, Mapping) else None
    blocks = view.get("blocks") or []
    return (
        isinstance(values, Mapping)
        and all(isinstance(inputs, Mapping) for inputs in values.values())
        and isinstance(blocks, list)
        and all(isinstance(block, Mapping) for block in blocks)
    )
