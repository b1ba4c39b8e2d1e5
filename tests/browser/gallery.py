"""One message and one form with every kind of block and input the app may send, and with hostile texts."""

from typing import Any

Json = dict[str, Any]
HARM = "<img src=x onerror=alert(1)> & </script><b>bold</b>"


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str, **more: Any) -> Json:
    return {"type": "mrkdwn", "text": text} | more


def option(value: str) -> Json:
    return {"text": plain(value.title()), "value": value}


def said(*words: str | Json) -> Json:
    """A line of rich text."""
    elements = [{"type": "text", "text": word} if isinstance(word, str) else word for word in words]
    return {"type": "rich_text_section", "elements": elements}


def listed(style: str, *lines: Json, **more: Any) -> Json:
    """A list of rich text."""
    return {"type": "rich_text_list", "style": style, "elements": list(lines)} | more


def raw(text: str) -> Json:
    """A cell of a table."""
    return {"type": "raw_text", "text": text}


TOMORROW = 1_772_789_400
"""Friday 6 March 2026, 10:30 in Berlin."""
THURSDAY = 1_772_701_200
"""Thursday 5 March 2026, 10:00 in Berlin."""
OPTIONS = [option("one"), option("two"), option("three")]
RICH: Json = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "text", "text": "rich and bold", "style": {"bold": True}},
                {"type": "emoji", "name": "tada"},
                {"type": "user", "user_id": "U01LEAD"},
                {"type": "link", "url": "https://example.com/x", "text": "a link"},
            ],
        },
        {
            "type": "rich_text_list",
            "style": "bullet",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "a bullet"}]}],
        },
        listed("ordered", said("first"), said("second")),
        listed("ordered", said("third, further in"), indent=1, offset=2),
        listed(
            "bullet",
            said({"type": "text", "text": "☑ Owner named", "style": {"strike": True}}),
            said("☐ Choose the next team"),
        ),
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "date", "timestamp": THURSDAY, "format": "Sent {date_short}", "fallback": "a day"},
                {"type": "broadcast", "range": "here"},
                {"type": "color", "value": "#148567"},
            ],
        },
        {"type": "rich_text_quote", "elements": [{"type": "text", "text": "a rich quote"}]},
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "code_of(rich)"}]},
    ],
}


def message(picture: str) -> list[Json]:
    """Every block of a message; `picture` is the address of an image of the workspace."""
    image: Json = {"type": "image", "image_url": picture, "alt_text": "a green dot"}
    menu: Json = {"type": "overflow", "action_id": "more", "options": OPTIONS}
    return [
        {"type": "header", "text": plain("A header")},
        {"type": "section", "text": mrkdwn("*bold* _italic_ ~struck~ `code` <@U01LEAD> <#C01DESK> :tada:")},
        {
            "type": "section",
            "text": mrkdwn("> quoted\n```\npre *formatted*\n```\n• https://example.com/bare"),
        },
        {"type": "section", "text": mrkdwn("verbatim https://example.com/verbatim", verbatim=True)},
        {
            "type": "section",
            "text": mrkdwn(
                f"Due <!date^{TOMORROW}^{{date_short_pretty}} at {{time}}|Fri 10:30>. "
                f"Asked <!date^{THURSDAY}^{{date_long}}|Thu>. <!date^{THURSDAY}^{{nonsense}}|Long ago>"
            ),
        },
        {"type": "section", "text": plain(HARM), "accessory": menu},
        {"type": "section", "fields": [mrkdwn(f"*Field {n}*\n{n}") for n in range(4)]},
        {"type": "divider"},
        {"type": "section", "text": plain("With a picture"), "accessory": image},
        image | {"title": plain("A picture")},
        RICH,
        {
            "type": "table",
            "rows": [
                [raw("Step"), raw("Exceptions"), raw("Cap")],
                [raw("Draft three replies"), raw("1 of 40"), raw("10%")],
                [raw("Send the edited reply"), {"type": "rich_text", "elements": [said(HARM)]}, raw("5%")],
            ],
            "column_settings": [{"is_wrapped": True}, {"align": "left"}, {"align": "right"}],
        },
        {"type": "context", "elements": [image, mrkdwn("a *context*"), plain("in small")]},
        {
            "type": "actions",
            "elements": [
                {"type": "button", "action_id": "go", "text": plain("Go"), "style": "primary"},
                {
                    "type": "button",
                    "action_id": "drop",
                    "text": plain("Drop"),
                    "style": "danger",
                    "confirm": {
                        "title": plain("Drop it?"),
                        "text": plain("It is gone then."),
                        "confirm": plain("Drop"),
                        "deny": plain("Keep"),
                    },
                },
                {
                    "type": "static_select",
                    "action_id": "pick",
                    "placeholder": plain("Pick"),
                    "options": OPTIONS,
                },
                {"type": "datepicker", "action_id": "day", "initial_date": "2026-03-02"},
            ],
        },
    ]


def form() -> Json:
    """A form with every kind of input."""
    elements: dict[str, Json] = {
        "Text": {"type": "plain_text_input"},
        "Long text": {"type": "plain_text_input", "multiline": True},
        "Number": {"type": "number_input", "is_decimal_allowed": False},
        "Email": {"type": "email_text_input"},
        "Address": {"type": "url_text_input"},
        "Day": {"type": "datepicker", "initial_date": "2026-03-02"},
        "Time": {"type": "timepicker", "initial_time": "10:00"},
        "Menu": {"type": "static_select", "options": OPTIONS},
        "Grouped": {
            "type": "static_select",
            "option_groups": [{"label": plain("Group"), "options": OPTIONS}],
        },
        "Several": {"type": "multi_static_select", "options": OPTIONS},
        "Person": {"type": "users_select"},
        "People": {"type": "multi_users_select"},
        "Channel": {"type": "channels_select"},
        "Radio": {"type": "radio_buttons", "options": OPTIONS, "initial_option": OPTIONS[0]},
        "Boxes": {"type": "checkboxes", "options": OPTIONS},
    }
    blocks = [
        {
            "type": "input",
            "block_id": name,
            "label": plain(name),
            "hint": plain(f"Hint of {name}"),
            "optional": name != "Text",
            "element": element | {"action_id": name},
        }
        for name, element in elements.items()
    ]
    section = {"type": "section", "text": mrkdwn(f"*A form* with {HARM.replace('<', '&lt;')}")}
    return {
        "type": "modal",
        "title": plain("Everything"),
        "submit": plain("Send"),
        "close": plain("Cancel"),
        "blocks": [section, *blocks],
    }
