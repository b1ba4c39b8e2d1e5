"""Slack's client-side handling of forms: input values, required fields, limits."""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from bot.sandbox.errors import CantDo
from bot.sandbox.kinds import STATEFUL, Json, elements_of, options_of
from bot.sandbox.limits_elements import is_number
from bot.sandbox.views import View, state_key, state_values, takes_many

REQUIRED = "Please complete this required field."
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_URL = re.compile(r"https?://[^\s/]+\S*")
_SHAPES: dict[str, Callable[[str], object]] = {
    "datepicker": date.fromisoformat,
    "timepicker": time.fromisoformat,
}


def find_input(blocks: list[Json], name: str) -> tuple[Json, Json]:
    """The block and element with this block ID, or this action ID; CantDo names those there are."""
    usable = [(block, element) for block, element in elements_of(blocks) if element["type"] in STATEFUL]
    for block, element in usable:
        if block["block_id"] == name:
            return block, element
    for block, element in usable:
        if element["action_id"] == name:
            return block, element
    there = ", ".join(str(block["block_id"]) for block, _ in usable) or "none"
    raise CantDo(f"there is no field `{name}` here; the fields are: {there}")


def state_of(element: Json, value: Any) -> Json:
    """The state of an input that holds `value`, written as a person would think of it.

    Texts and numbers as they are, options by value or label, members and channels by ID, dates as
    `date` or ISO text, several of them as a list; None empties it.
    """
    kind = element["type"]
    if takes_many(kind):
        if isinstance(value, str):
            raise CantDo(f"{kind} takes a list, not `{value}`")
        return {"type": kind, state_key(kind): [_single(element, part) for part in value or []]}
    return {"type": kind, state_key(kind): None if value is None else _single(element, value)}


def _single(element: Json, value: Any) -> Any:
    kind = element["type"].removeprefix("multi_")
    if kind in ("static_select", "radio_buttons", "checkboxes"):
        return find_option(element, value)
    if kind == "rich_text_input" or kind.startswith("external"):
        return value
    if kind == "datetimepicker":
        return int(value.timestamp()) if isinstance(value, datetime) else int(value)
    text = str(getattr(value, "id", value))
    if kind in _SHAPES:
        try:
            _SHAPES[kind](text)
        except ValueError as error:
            raise CantDo(f"`{text}` can't be picked in a {kind}") from error
    return text


def find_option(element: Json, wanted: object) -> Json:
    """The option with this value, or this label; CantDo names those there are."""
    options = options_of(element)
    for option in options:
        if option["value"] == wanted:
            return option
    for option in options:
        if option["text"]["text"] == wanted:
            return option
    there = ", ".join(f"{option['value']} ({option['text']['text']})" for option in options) or "none"
    raise CantDo(f"there is no option `{wanted}`; the options are: {there}")


def refused_fields(view: View) -> dict[str, str]:
    """The fields Slack's client would refuse, with the error under each."""
    values = state_values(view.blocks, view.state)
    errors: dict[str, str] = {}
    for block in view.blocks:
        if block["type"] == "input":
            element = block["element"]
            value = values[block["block_id"]][element["action_id"]][state_key(element["type"])]
            said = _refusal(element, value, optional=bool(block.get("optional")))
            if said:
                errors[block["block_id"]] = said
    return errors


def _refusal(element: Json, value: Any, *, optional: bool) -> str | None:
    if value in (None, "", []):
        return None if optional else REQUIRED
    look = _CLIENT_CHECKS.get(element["type"])
    most = element.get("max_selected_items")
    if most and len(value) > most:
        return f"Please choose {most} at most."
    return look(element, value) if look else None


def _number(element: Json, value: str) -> str | None:
    if not is_number(value, decimal=bool(element["is_decimal_allowed"])):
        return "Please enter a number." if element["is_decimal_allowed"] else "Please enter a whole number."
    if "min_value" in element and Decimal(value) < Decimal(element["min_value"]):
        return f"Please enter {element['min_value']} or more."
    if "max_value" in element and Decimal(value) > Decimal(element["max_value"]):
        return f"Please enter {element['max_value']} or less."
    return None


def _plain_text(element: Json, value: str) -> str | None:
    if len(value) < element.get("min_length", 0):
        return f"Please write {element['min_length']} characters or more."
    if len(value) > element.get("max_length", 3_000):
        return f"Please write {element.get('max_length', 3_000)} characters or fewer."
    return None


def _shaped(shape: re.Pattern[str], said: str) -> Callable[[Json, str], str | None]:
    return lambda _, value: None if shape.fullmatch(value) else said


_CLIENT_CHECKS: dict[str, Callable[[Json, str], str | None]] = {
    "number_input": _number,
    "plain_text_input": _plain_text,
    "email_text_input": _shaped(_EMAIL, "Please enter an email address."),
    "url_text_input": _shaped(_URL, "Please enter a URL."),
}
