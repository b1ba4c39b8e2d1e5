"""JSON objects exchanged between Slack and an app, and helpers to read them."""

import re
from collections.abc import Iterator
from typing import Any, Final

Json = dict[str, Any]
"""One JSON object. Slack's payloads are open-ended, so the values are checked where they are used."""

STATEFUL = frozenset(
    {
        "plain_text_input",
        "rich_text_input",
        "email_text_input",
        "url_text_input",
        "number_input",
        "file_input",
        "checkboxes",
        "radio_buttons",
        "datepicker",
        "timepicker",
        "datetimepicker",
        "static_select",
        "external_select",
        "users_select",
        "conversations_select",
        "channels_select",
        "multi_static_select",
        "multi_external_select",
        "multi_users_select",
        "multi_conversations_select",
        "multi_channels_select",
    }
)
"""Elements whose choice is kept in `state.values`; buttons and overflow menus are not among them."""


def elements_of(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every block element a person can use, with the block it stands in."""
    for block in blocks:
        if block.get("type") == "input":
            yield block, block["element"]
        elif block.get("type") in ("actions", "context_actions"):
            for element in block["elements"]:
                yield block, element
        elif block.get("type") == "section" and block.get("accessory"):
            yield block, block["accessory"]


def options_of(element: Json) -> list[Json]:
    """The options of a menu, radio or checkbox element, those inside groups too."""
    options: list[Json] = list(element.get("options") or [])
    for group in element.get("option_groups") or []:
        options += group.get("options") or []
    return options


_DATE: Final = re.compile(r"<!date\^[^<>|]*\|([^<>]*)>")


def words_of(node: object) -> str:
    """The words a person reads in blocks or any part of them, in order, one line each; dates as their fallback."""
    return _DATE.sub(r"\1", "\n".join(_words(node)))


_RICH_LINES = ("rich_text_section", "rich_text_preformatted", "rich_text_quote")
_PARTS = ("title", "label", "hint", "text", "fields", "elements", "accessory", "element", "rows")
_MENU_PARTS = ("placeholder", "options", "option_groups")


def _words(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for part in node:
            yield from _words(part)
    elif isinstance(node, dict):
        if node.get("type") in _RICH_LINES:
            yield "".join(_rich_part(part) for part in node.get("elements") or [])
            return
        yield from (node[key] for key in ("text", "alt_text") if isinstance(node.get(key), str))
        for key in (*_PARTS, *_MENU_PARTS):
            if key in node:
                yield from _words(node[key])


def _rich_part(part: Json) -> str:
    if part.get("type") == "user":
        return f"<@{part.get('user_id')}>"
    return str(part.get("text") or part.get("url") or "")


def text_length(node: object) -> int:
    """Characters in every `text` of blocks: what Slack counts against its limit for a whole message."""
    if isinstance(node, list):
        return sum(text_length(part) for part in node)
    if isinstance(node, dict):
        own = len(node["text"]) if isinstance(node.get("text"), str) else 0
        return own + sum(text_length(part) for part in node.values() if isinstance(part, dict | list))
    return 0
