"""What Slack refuses in a block element: buttons, menus, inputs."""

import re
from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation

from bot.sandbox.kinds import Json, options_of
from bot.sandbox.limits_check import ID, OPTIONS, Check, join

_ALL_INPUTS = frozenset({"input"})
_ANYWHERE = frozenset({"section", "actions", "input"})
_PICKERS = ("users_select", "conversations_select", "channels_select")

PLACES: dict[str, frozenset[str]] = {
    "button": frozenset({"section", "actions"}),
    "overflow": frozenset({"section", "actions"}),
    "image": frozenset({"section", "context"}),
    "checkboxes": _ANYWHERE,
    "radio_buttons": _ANYWHERE,
    "datepicker": _ANYWHERE,
    "timepicker": _ANYWHERE,
    "datetimepicker": frozenset({"actions", "input"}),
    "plain_text_input": _ALL_INPUTS,
    "email_text_input": _ALL_INPUTS,
    "url_text_input": _ALL_INPUTS,
    "number_input": _ALL_INPUTS,
    "rich_text_input": _ALL_INPUTS,
    "file_input": _ALL_INPUTS,
    **dict.fromkeys(("static_select", "external_select", *_PICKERS), _ANYWHERE),
    **dict.fromkeys(
        ("multi_static_select", "multi_external_select", *(f"multi_{kind}" for kind in _PICKERS)),
        frozenset({"section", "input"}),
    ),
}
"""In which blocks an element may stand (Block Kit reference, "works with block types")."""

_COMMON = frozenset({"type", "action_id", "confirm", "focus_on_load"})
_INPUT = frozenset(
    {"type", "action_id", "placeholder", "initial_value", "focus_on_load", "dispatch_action_config"}
)
_MENU = _COMMON | {"placeholder"}
_FILTERED = frozenset({"default_to_current_conversation", "filter"})

_KEYS: dict[str, frozenset[str]] = {
    "button": frozenset(
        {"type", "action_id", "text", "url", "value", "style", "confirm", "accessibility_label"}
    ),
    "overflow": frozenset({"type", "action_id", "options", "confirm"}),
    "image": frozenset({"type", "image_url", "slack_file", "alt_text"}),
    "checkboxes": _COMMON | {"options", "initial_options"},
    "radio_buttons": _COMMON | {"options", "initial_option"},
    "datepicker": _MENU | {"initial_date"},
    "timepicker": _MENU | {"initial_time", "timezone"},
    "datetimepicker": _COMMON | {"initial_date_time"},
    "plain_text_input": _INPUT | {"multiline", "min_length", "max_length"},
    "email_text_input": _INPUT,
    "url_text_input": _INPUT,
    "number_input": _INPUT | {"is_decimal_allowed", "min_value", "max_value"},
    "rich_text_input": _INPUT,
    "file_input": frozenset({"type", "action_id", "filetypes", "max_files"}),
    "static_select": _MENU | {"options", "option_groups", "initial_option"},
    "multi_static_select": _MENU | {"options", "option_groups", "initial_options", "max_selected_items"},
    "external_select": _MENU | {"initial_option", "min_query_length"},
    "multi_external_select": _MENU | {"initial_options", "min_query_length", "max_selected_items"},
    "users_select": _MENU | {"initial_user"},
    "multi_users_select": _MENU | {"initial_users", "max_selected_items"},
    "channels_select": _MENU | {"initial_channel", "response_url_enabled"},
    "multi_channels_select": _MENU | {"initial_channels", "max_selected_items"},
    "conversations_select": _MENU | _FILTERED | {"initial_conversation", "response_url_enabled"},
    "multi_conversations_select": _MENU | _FILTERED | {"initial_conversations", "max_selected_items"},
}

_NEEDED = {
    "button": {"text"},
    "overflow": {"options"},
    "image": {"alt_text"},
    "checkboxes": {"options"},
    "radio_buttons": {"options"},
    "number_input": {"is_decimal_allowed"},
}


def check_element(check: Check, path: str, element: object, place: str) -> None:
    """Note what is wrong with an element that stands in a block of type `place`."""
    if not isinstance(element, dict):
        check.say(path, "must be an object")
        return
    kind = element.get("type")
    if not isinstance(kind, str) or kind not in PLACES:
        check.say(f"{path}.type", f"`{kind}` isn't a block element")
    elif place not in PLACES[kind]:
        check.say(f"{path}.type", f"`{kind}` can't stand in a block of type {place}")
    elif check.keys(path, element, required={"type"} | _NEEDED.get(kind, set()), optional=_KEYS[kind]):
        _common(check, path, element)
        look = _LOOKS.get(kind)
        if look:
            look(check, path, element)


def _common(check: Check, path: str, element: Json) -> None:
    if "action_id" in element:
        check.length(join(path, "action_id"), element["action_id"], ID)
    if "confirm" in element:
        check.confirm(join(path, "confirm"), element["confirm"])
    if "placeholder" in element:
        check.text(join(path, "placeholder"), element["placeholder"], 150)
    check.boolean(join(path, "focus_on_load"), element.get("focus_on_load"))
    check.whole(join(path, "max_selected_items"), element.get("max_selected_items"), 1)


def _button(check: Check, path: str, element: Json) -> None:
    check.text(join(path, "text"), element["text"], 75)
    for key, most in (("value", 2_000), ("url", 3_000), ("accessibility_label", 75)):
        if key in element:
            check.length(join(path, key), element[key], most, least=0 if key == "value" else 1)
    if "style" in element:
        check.one_of(join(path, "style"), element["style"], {"primary", "danger"})


def _image(check: Check, path: str, element: Json) -> None:
    if ("image_url" in element) == ("slack_file" in element):
        check.say(path, "needs either image_url or slack_file")
    if "image_url" in element:
        check.length(join(path, "image_url"), element["image_url"], 3_000)
    check.length(join(path, "alt_text"), element["alt_text"], 2_000)


def _options(
    check: Check,
    path: str,
    element: Json,
    most: int,
    kinds: Collection[str] = ("plain_text",),
    *,
    url: bool = False,
) -> None:
    at = join(path, "options")
    options = check.count(at, element.get("options"), most)
    check.each(at, options, lambda where, option: check.option(where, option, kinds=kinds, url=url))
    values = [option.get("value") for option in options if isinstance(option, dict)]
    if len(set(values)) < len(values):
        check.say(at, "two options have the same value")
    _initial(check, path, element)


def _initial(check: Check, path: str, element: Json) -> None:
    """What is chosen at first must be among the options, exactly as it stands there."""
    options = [option for option in options_of(element) if isinstance(option, dict)]
    if "initial_option" in element and element["initial_option"] not in options:
        check.say(join(path, "initial_option"), "isn't among the options")
    if "initial_options" in element:
        chosen = check.count(join(path, "initial_options"), element["initial_options"], OPTIONS)
        for at, option in enumerate(chosen):
            if option not in options:
                check.say(f"{join(path, 'initial_options')}[{at}]", "isn't among the options")


def _menu(check: Check, path: str, element: Json) -> None:
    if ("options" in element) == ("option_groups" in element):
        check.say(path, "needs either options or option_groups")
    elif "options" in element:
        _options(check, path, element, OPTIONS)
    else:
        groups = check.count(join(path, "option_groups"), element["option_groups"], OPTIONS)
        check.each(join(path, "option_groups"), groups, check.group)
        _initial(check, path, element)


def _plain_text(check: Check, path: str, element: Json) -> None:
    check.whole(join(path, "min_length"), element.get("min_length"), 0, 3_000)
    check.whole(join(path, "max_length"), element.get("max_length"), 1, 3_000)
    check.boolean(join(path, "multiline"), element.get("multiline"))
    if "initial_value" in element:
        check.length(
            join(path, "initial_value"), element["initial_value"], element.get("max_length") or 3_000, least=0
        )


def _number(check: Check, path: str, element: Json) -> None:
    check.boolean(join(path, "is_decimal_allowed"), element["is_decimal_allowed"])
    for key in ("initial_value", "min_value", "max_value"):
        if key in element and not is_number(element[key], decimal=element["is_decimal_allowed"] is True):
            check.say(
                join(path, key), f"`{element[key]}` isn't a number written as text that this input takes"
            )


def is_number(value: object, *, decimal: bool) -> bool:
    """Whether a text is a finite number, whole unless `decimal`."""
    if not isinstance(value, str):
        return False
    try:
        number = Decimal(value)
    except InvalidOperation:
        return False
    return number.is_finite() and (decimal or number == number.to_integral_value())


def _matches(key: str, pattern: str, wanted: str) -> Callable[[Check, str, Json], None]:
    shape = re.compile(pattern)

    def look(check: Check, path: str, element: Json) -> None:
        value = element.get(key)
        if key in element and not (isinstance(value, str) and shape.fullmatch(value)):
            check.say(join(path, key), f"`{value}` isn't {wanted}")

    return look


def _moment(check: Check, path: str, element: Json) -> None:
    check.whole(join(path, "initial_date_time"), element.get("initial_date_time"), 0)


_LOOKS: dict[str, Callable[[Check, str, Json], None]] = {
    "button": _button,
    "image": _image,
    "overflow": lambda check, path, element: _options(check, path, element, 5, url=True),
    "checkboxes": lambda check, path, element: _options(check, path, element, 10, ("plain_text", "mrkdwn")),
    "radio_buttons": lambda check, path, element: _options(
        check, path, element, 10, ("plain_text", "mrkdwn")
    ),
    "static_select": _menu,
    "multi_static_select": _menu,
    "plain_text_input": _plain_text,
    "number_input": _number,
    "datepicker": _matches("initial_date", r"\d{4}-\d\d-\d\d", "a date such as 2026-12-18"),
    "timepicker": _matches("initial_time", r"([01]\d|2[0-3]):[0-5]\d", "a time such as 09:30"),
    "datetimepicker": _moment,
}
