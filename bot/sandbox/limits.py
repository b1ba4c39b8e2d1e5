"""Slack's limits on messages and views, reported with place and number. Pure functions of dicts.

Sources: Slack's Block Kit reference and the measured limits of the project's platform notes. Every problem
reads `path: what is wrong`, for example `blocks[3].accessory.text: 76 characters, 75 allowed`.
"""

from bot.sandbox.kinds import Json, elements_of, text_length
from bot.sandbox.limits_blocks import check_blocks
from bot.sandbox.limits_check import Check

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
BLOCK_TEXT = 13_200
POST_TEXT = 40_000
UPDATE_TEXT = 4_000
PRIVATE_METADATA = 3_000
VIEW_BYTES = 250_000

_HOME_KEYS = {"type", "blocks", "private_metadata", "callback_id", "external_id"}
_MODAL_KEYS = _HOME_KEYS | {
    "title",
    "close",
    "submit",
    "clear_on_close",
    "notify_on_close",
    "submit_disabled",
}


def problems_of_message(payload: Json, *, update: bool = False) -> list[str]:
    """Everything Slack would refuse in the arguments of `chat.postMessage` (or, with `update`, `chat.update`).

    Args:
        payload: the arguments as Python values: `text`, `blocks`, `metadata`; others are not looked at.
        update: judge as `chat.update` does: `text` may hold 4,000 characters instead of 40,000.

    Returns:
        One sentence a problem, in the order of the payload; empty when Slack would take it.
    """
    check = Check()
    text, blocks = payload.get("text"), payload.get("blocks")
    if not text and not blocks and not payload.get("attachments") and not payload.get("markdown_text"):
        check.say("text", "missing: a message needs text or blocks")
    if text is not None:
        check.length("text", text, UPDATE_TEXT if update else POST_TEXT, least=0)
    if payload.get("markdown_text") is not None:
        check.length("markdown_text", payload["markdown_text"], 12_000)
        if text or blocks:
            check.say("markdown_text", "can't be combined with text or blocks")
    if blocks is not None:
        check_blocks(check, blocks, surface="message", most=MESSAGE_BLOCKS)
        too_long = text_length(blocks)
        if too_long > BLOCK_TEXT:
            check.say("blocks", f"{too_long:,} characters of text in all, about {BLOCK_TEXT:,} allowed")
    check.problems += problems_of_metadata(payload.get("metadata"))
    return check.problems


def problems_of_metadata(metadata: object) -> list[str]:
    """What Slack would refuse in a message's `metadata`: `{event_type, event_payload: flat object}`."""
    check = Check()
    if metadata is None or metadata == {}:
        return []
    if not isinstance(metadata, dict):
        return ["metadata: must be an object"]
    check.keys("metadata", metadata, required={"event_type", "event_payload"})
    check.length("metadata.event_type", metadata.get("event_type", "-"), 255)
    payload = metadata.get("event_payload", {})
    if not isinstance(payload, dict):
        check.say("metadata.event_payload", "must be an object")
        return check.problems
    for key, value in payload.items():
        if not isinstance(value, str | int | float | bool):
            check.say(
                f"metadata.event_payload.{key}", "must be a text, a number or true/false: the payload is flat"
            )
    return check.problems


def problems_of_view(view: Json) -> list[str]:
    """Everything Slack would refuse in the `view` of `views.open`, `.push`, `.update` and `.publish`.

    Returns:
        One sentence a problem; empty when Slack would take it.
    """
    check = Check()
    surface = view.get("type")
    if surface not in ("modal", "home"):
        return [f"type: `{surface}` isn't a kind of view: modal or home"]
    modal = surface == "modal"
    required = {"type", "blocks", "title"} if modal else {"type", "blocks"}
    check.keys("", view, required=required, optional=_MODAL_KEYS if modal else _HOME_KEYS)
    for key in ("title", "submit", "close"):
        if modal and view.get(key) is not None:
            check.text(key, view[key], 24)
    for key, most in (("private_metadata", PRIVATE_METADATA), ("callback_id", 255), ("external_id", 255)):
        if view.get(key) is not None:
            check.length(key, view[key], most, least=0)
    for key in ("clear_on_close", "notify_on_close", "submit_disabled"):
        check.boolean(key, view.get(key))
    if "blocks" in view:
        check_blocks(check, view["blocks"], surface=surface, most=VIEW_BLOCKS, least=0)
    if not check.problems:
        _whole_view(check, view, modal=modal)
    return check.problems


def _whole_view(check: Check, view: Json, *, modal: bool) -> None:
    """Rules about the view as a whole; only asked once every block on its own is right."""
    if modal and not view.get("submit") and any(block["type"] == "input" for block in view["blocks"]):
        check.say("submit", "missing: a modal with an input block needs a submit button")
    focused = [element for _, element in elements_of(view["blocks"]) if element.get("focus_on_load")]
    if len(focused) > 1:
        check.say("blocks", f"{len(focused)} elements have focus_on_load, 1 allowed")
