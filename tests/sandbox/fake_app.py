"""The smallest app there can be: it answers by a table of functions and remembers what it was sent."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

Reply = tuple[int, str]
Listener = Callable[[dict[str, Any]], Any]


class FakeApp:
    """`on[name]` handles a command, an action ID, a callback ID, or an event type."""

    def __init__(self, client: WebClient, secret: str) -> None:
        self.client = client
        self.on: dict[str, Listener] = {}
        self.seen: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self._verifier = SignatureVerifier(secret)

    def __call__(self, body: str, headers: dict[str, str]) -> Reply:
        assert self._verifier.is_valid_request(body, headers)
        if headers["content-type"] == "application/json":
            payload = json.loads(body)
        else:
            payload = dict(parse_qsl(body, keep_blank_values=True))
            payload = json.loads(payload["payload"]) if "payload" in payload else payload
        self.seen.append(payload)
        self.headers.append(headers)
        listener = self.on.get(self._name(payload))
        said = listener(payload) if listener else None
        return self.status, said if isinstance(said, str) else json.dumps(said) if said else ""

    @staticmethod
    def _name(payload: dict[str, Any]) -> str:
        if "command" in payload:
            return str(payload["command"])
        match payload["type"]:
            case "block_actions":
                return str(payload["actions"][0]["action_id"])
            case "view_submission" | "view_closed":
                return f"{payload['type']}:{payload['view']['callback_id']}"
            case "event_callback":
                return str(payload["event"]["type"])
            case _:
                return str(payload["callback_id"])


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def button(label: str, action_id: str, value: str = "") -> dict[str, Any]:
    return {"type": "button", "text": plain(label), "action_id": action_id, "value": value}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def option(value: str, label: str = "") -> dict[str, Any]:
    return {"text": plain(label or value.title()), "value": value}


def field(name: str, element: dict[str, Any], **more: Any) -> dict[str, Any]:
    element = {"action_id": name} | element
    return {"type": "input", "block_id": name, "label": plain(name), "element": element} | more


def modal(*blocks: dict[str, Any], callback_id: str = "form", **more: Any) -> dict[str, Any]:
    shape = {"type": "modal", "title": plain("A form"), "submit": plain("Send"), "callback_id": callback_id}
    return shape | {"blocks": list(blocks)} | more
