"""At every limit Slack takes it; one more, and it is refused with the place and the number."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox import problems_of_message, problems_of_view
from tests.sandbox.fake_app import actions, button, field, modal, option, plain

TEXT = {"type": "mrkdwn", "text": "words"}


def section(**more: Any) -> dict[str, Any]:
    return {"type": "section", "text": TEXT} | more


def of(*blocks: dict[str, Any]) -> list[str]:
    return problems_of_message({"text": "fallback", "blocks": list(blocks)})


def mrkdwn(length: int) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": "x" * length}


def x(length: int) -> dict[str, str]:
    return plain("x" * length)


def labelled(name: str, length: int) -> dict[str, Any]:
    return button("Go", "go") | {name: "x" * length}


def select(count: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "static_select",
        "action_id": "s",
        "options": [option(f"o{n}") for n in range(count)],
    } | more


def choice(kind: str, count: int) -> dict[str, Any]:
    return {"type": kind, "action_id": "c", "options": [option(f"o{n}") for n in range(count)]}


def grouped(label: str, **more: Any) -> dict[str, Any]:
    groups = [{"label": plain(label), "options": [option("a"), option("b")]}]
    return {"type": "static_select", "action_id": "s", "option_groups": groups} | more


def confirmed(**parts: int) -> dict[str, Any]:
    lengths = {"title": 1, "text": 1, "confirm": 1, "deny": 1} | parts
    return actions(button("Go", "go") | {"confirm": {key: x(length) for key, length in lengths.items()}})


def with_option(text: int = 1, value: int = 1, description: int = 1) -> dict[str, Any]:
    one = {"text": x(text), "value": "v" * value, "description": x(description)}
    return actions({"type": "static_select", "action_id": "s", "options": [one]})


def table(rows: int, columns: int) -> dict[str, Any]:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "1"}] * columns] * rows}


LENGTHS: list[tuple[str, Any, int]] = [
    ("blocks[0].text", lambda n: section(text=mrkdwn(n)), 3_000),
    ("blocks[0].fields[0]", lambda n: section(fields=[mrkdwn(n)]), 2_000),
    ("blocks[0].text", lambda n: {"type": "header", "text": x(n)}, 150),
    ("blocks[0].text", lambda n: {"type": "markdown", "text": "x" * n}, 12_000),
    ("blocks[0].elements[0].text", lambda n: actions(button("x" * n, "a")), 75),
    ("blocks[0].elements[0].value", lambda n: actions(labelled("value", n)), 2_000),
    ("blocks[0].elements[0].url", lambda n: actions(labelled("url", n)), 3_000),
    ("blocks[0].elements[0].action_id", lambda n: actions(button("Go", "a" * n)), 255),
    ("blocks[0].accessory.text", lambda n: section(accessory=button("x" * n, "a")), 75),
    ("blocks[0].block_id", lambda n: section(block_id="b" * n), 255),
    ("blocks[0].elements[0].options[0].text", lambda n: with_option(text=n), 75),
    ("blocks[0].elements[0].options[0].value", lambda n: with_option(value=n), 150),
    ("blocks[0].elements[0].options[0].description", lambda n: with_option(description=n), 75),
    ("blocks[0].elements[0].confirm.title", lambda n: confirmed(title=n), 100),
    ("blocks[0].elements[0].confirm.text", lambda n: confirmed(text=n), 300),
    ("blocks[0].elements[0].confirm.confirm", lambda n: confirmed(confirm=n), 30),
    ("blocks[0].elements[0].confirm.deny", lambda n: confirmed(deny=n), 30),
    ("blocks[0].elements[0].placeholder", lambda n: actions(select(1, placeholder=x(n))), 150),
    ("blocks[0].label", lambda n: field("f", {"type": "plain_text_input"}, label=x(n)), 2_000),
    ("blocks[0].hint", lambda n: field("f", {"type": "plain_text_input"}, hint=x(n)), 2_000),
    (
        "blocks[0].alt_text",
        lambda n: {"type": "image", "image_url": "http://a/b.png", "alt_text": "x" * n},
        2_000,
    ),
]


@pytest.mark.parametrize(
    ("path", "build", "most"), LENGTHS, ids=[f"{path}-{most}" for path, _, most in LENGTHS]
)
def test_lengths(path: str, build: Any, most: int) -> None:
    assert of(build(most)) == []
    assert f"{path}: {most + 1:,} characters, {most:,} allowed" in of(build(most + 1))


COUNTS: list[tuple[str, Any, int]] = [
    ("blocks[0].fields", lambda n: section(fields=[TEXT] * n), 10),
    ("blocks[0].elements", lambda n: actions(*(button("Go", f"a{k}") for k in range(n))), 25),
    ("blocks[0].elements", lambda n: {"type": "context", "elements": [TEXT] * n}, 10),
    ("blocks[0].elements[0].options", lambda n: actions(select(n)), 100),
    ("blocks[0].elements[0].options", lambda n: actions(choice("overflow", n)), 5),
    ("blocks[0].elements[0].options", lambda n: actions(choice("checkboxes", n)), 10),
    ("blocks[0].elements[0].options", lambda n: actions(choice("radio_buttons", n)), 10),
    ("blocks[0].rows", lambda n: table(n, 1), 100),
    ("blocks[0].rows[0]", lambda n: table(1, n), 20),
]


@pytest.mark.parametrize(
    ("path", "build", "most"), COUNTS, ids=[f"{path}-{most}" for path, _, most in COUNTS]
)
def test_counts(path: str, build: Any, most: int) -> None:
    assert of(build(1)) == []
    assert of(build(most)) == []
    assert f"{path}: {most + 1} entries, {most} allowed" in of(build(most + 1))
    assert f"{path}: 0 entries, at least 1 needed" in of(build(0))


def test_blocks_of_a_message_and_of_a_form() -> None:
    divider = {"type": "divider"}
    assert of(*[divider] * 50) == []
    assert of(*[divider] * 51) == ["blocks: 51 entries, 50 allowed"]
    assert problems_of_view(modal(*[divider] * 100)) == []
    assert problems_of_view(modal(*[divider] * 101)) == ["blocks: 101 entries, 100 allowed"]


def test_the_whole_text_of_a_message() -> None:
    assert of(*[section(text=mrkdwn(2_640))] * 5) == []
    said = of(*[section(text=mrkdwn(2_640))] * 5, section(text=mrkdwn(1)))
    assert said == ["blocks: 13,201 characters of text in all, about 13,200 allowed"]


@pytest.mark.parametrize(("update", "most"), [(False, 40_000), (True, 4_000)])
def test_fallback_text(update: bool, most: int) -> None:
    assert problems_of_message({"text": "x" * most}, update=update) == []
    said = problems_of_message({"text": "x" * (most + 1)}, update=update)
    assert said == [f"text: {most + 1:,} characters, {most:,} allowed"]
    assert problems_of_message({}, update=update) == ["text: missing: a message needs text or blocks"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"type": "nonsense"}, "blocks[0].type: `nonsense` isn't a type of block"),
    ({"text": TEXT}, "blocks[0].type: `None` isn't a type of block"),
    ({"type": "section"}, "blocks[0]: needs text or fields"),
    ({"type": "header"}, "blocks[0].text: missing"),
    (section(colour="red"), "blocks[0].colour: unknown key"),
    (section(text=mrkdwn(0)), "blocks[0].text: empty"),
    (section(text={"type": "mrkdwn", "text": "a", "emoji": True}), "blocks[0].text.emoji: unknown key"),
    (section(text="words"), "blocks[0].text: must be a text object"),
    ({"type": "header", "text": TEXT}, "blocks[0].text.type: `mrkdwn` isn't allowed here: plain_text"),
    (actions({"type": "toggle"}), "blocks[0].elements[0].type: `toggle` isn't a block element"),
    (
        actions({"type": "plain_text_input"}),
        "blocks[0].elements[0].type: `plain_text_input` can't stand in a block of type actions",
    ),
    (actions({"type": "button"}), "blocks[0].elements[0].text: missing"),
    (actions(button("Go", "a") | {"disabled": True}), "blocks[0].elements[0].disabled: unknown key"),
    (
        actions(button("Go", "a") | {"style": "blue"}),
        "blocks[0].elements[0].style: `blue` isn't one of danger, primary",
    ),
    (actions(button("Go", "a"), button("No", "a")), "blocks[0].elements: action_id `a` is used twice"),
    (
        actions({"type": "static_select", "options": [option("a"), option("a")]}),
        "blocks[0].elements[0].options: two options have the same value",
    ),
    (
        actions(select(2, initial_option=option("z"))),
        "blocks[0].elements[0].initial_option: isn't among the options",
    ),
    (
        field("f", {"type": "number_input"}),
        "blocks[0].element.is_decimal_allowed: missing",
    ),
    (
        field("f", {"type": "number_input", "is_decimal_allowed": False, "initial_value": "1.5"}),
        "blocks[0].element.initial_value: `1.5` isn't a number written as text that this input takes",
    ),
    (
        field("f", {"type": "datepicker", "initial_date": "4 Dec"}),
        "blocks[0].element.initial_date: `4 Dec` isn't a date such as 2026-12-18",
    ),
    (
        field("f", {"type": "plain_text_input", "max_length": 3_001}),
        "blocks[0].element.max_length: 3,001, 3,000 allowed",
    ),
    (field("f", button("Go", "a")), "blocks[0].element.type: `button` can't stand in a block of type input"),
    ({"type": "image", "image_url": "http://a/b.png"}, "blocks[0].alt_text: missing"),
    (
        {"type": "context", "elements": [{"type": "image", "image_url": "u"}]},
        "blocks[0].elements[0].alt_text: missing",
    ),
    (
        {"type": "context", "elements": [{"type": "image", "alt_text": "a"}]},
        "blocks[0].elements[0]: needs either image_url or slack_file",
    ),
    (section(expand="yes"), "blocks[0].expand: must be true or false"),
    ({"type": "actions", "elements": {}}, "blocks[0].elements: must be a list"),
    ({"type": "actions", "elements": ["go"]}, "blocks[0].elements[0]: must be an object"),
    (actions({"type": "static_select"}), "blocks[0].elements[0]: needs either options or option_groups"),
    (actions(grouped("x" * 76)), "blocks[0].elements[0].option_groups[0].label: 76 characters, 75 allowed"),
    (
        actions(grouped("G", initial_option=option("z"))),
        "blocks[0].elements[0].initial_option: isn't among the options",
    ),
    (
        actions(choice("checkboxes", 2) | {"initial_options": [option("z")]}),
        "blocks[0].elements[0].initial_options[0]: isn't among the options",
    ),
    (
        actions(choice("radio_buttons", 1) | {"options": [option("a") | {"url": "https://a"}]}),
        "blocks[0].elements[0].options[0].url: unknown key",
    ),
    (
        actions({"type": "overflow", "options": [option("a") | {"url": "u" * 3_001}]}),
        "blocks[0].elements[0].options[0].url: 3,001 characters, 3,000 allowed",
    ),
    (actions(button("Go", "a") | {"confirm": "Sure?"}), "blocks[0].elements[0].confirm: must be an object"),
    (actions(button("Go", "a") | {"value": 7}), "blocks[0].elements[0].value: must be a text"),
    (
        actions({"type": "timepicker", "initial_time": "25:00"}),
        "blocks[0].elements[0].initial_time: `25:00` isn't a time such as 09:30",
    ),
    (
        actions({"type": "datetimepicker", "initial_date_time": "now"}),
        "blocks[0].elements[0].initial_date_time: must be a whole number of 0 or more",
    ),
    (
        field("f", {"type": "plain_text_input", "max_length": 2, "initial_value": "abc"}),
        "blocks[0].element.initial_value: 3 characters, 2 allowed",
    ),
    (
        field("f", {"type": "number_input", "is_decimal_allowed": True, "min_value": "few"}),
        "blocks[0].element.min_value: `few` isn't a number written as text that this input takes",
    ),
    (
        field("f", {"type": "multi_users_select", "max_selected_items": 0}),
        "blocks[0].element.max_selected_items: must be a whole number of 1 or more",
    ),
    (
        {"type": "table", "rows": [[{"type": "number"}]]},
        "blocks[0].rows[0][0].type: `number` isn't a table cell: raw_text or rich_text",
    ),
    ({"type": "image", "alt_text": "a"}, "blocks[0]: needs either image_url or slack_file"),
]


@pytest.mark.parametrize(("block", "problem"), WRONG, ids=[problem for _, problem in WRONG])
def test_what_is_wrong_in_a_block(block: dict[str, Any], problem: str) -> None:
    assert of(block) == [problem]


def test_block_ids_are_unique_and_tables_single() -> None:
    assert of(section(block_id="a"), section(block_id="b")) == []
    assert of(section(block_id="a"), section(block_id="a")) == ["blocks: block_id `a` is used twice"]
    assert of(table(1, 1), table(1, 1)) == ["blocks: more than one table, 1 allowed in a message"]


RICH = {
    "type": "rich_text",
    "elements": [
        {"type": "rich_text_section", "elements": [{"type": "text", "text": "a", "style": {"bold": True}}]},
        {
            "type": "rich_text_list",
            "style": "bullet",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "user", "user_id": "U1"}]}],
        },
    ],
}


def test_markdown_text_excludes_text_and_blocks() -> None:
    assert problems_of_message({"markdown_text": "**a**"}) == []
    both = problems_of_message({"markdown_text": "x" * 12_001, "text": "a"})
    assert both == [
        "markdown_text: 12,001 characters, 12,000 allowed",
        "markdown_text: can't be combined with text or blocks",
    ]
    parts = [{"type": "markdown", "text": "x" * 6_001}] * 2
    assert of(*parts) == ["blocks: 12,002 characters of markdown in all, 12,000 allowed"]


@pytest.mark.parametrize(
    "element",
    [
        grouped("G", initial_option=option("b")),
        choice("checkboxes", 2) | {"initial_options": [option("o1")]},
        {"type": "datepicker", "initial_date": "2026-12-18"},
        {"type": "timepicker", "initial_time": "09:30"},
        {"type": "datetimepicker", "initial_date_time": 1_796_000_000},
        {"type": "users_select", "initial_user": "U1", "placeholder": plain("Who")},
        {"type": "overflow", "options": [option("a") | {"url": "https://a"}]},
        button("Go", "a") | {"style": "primary", "url": "https://a", "accessibility_label": "Go there"},
    ],
)
def test_elements_that_are_right(element: dict[str, Any]) -> None:
    assert of(actions(element)) == []
    assert (
        of({"type": "context", "elements": [{"type": "image", "image_url": "https://a", "alt_text": "a"}]})
        == []
    )


def test_rich_text() -> None:
    assert of(RICH) == []
    bad = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "shout"}]}]}
    assert of(bad)[0].startswith("blocks[0].elements[0].elements[0].type: `shout` isn't one of")


@pytest.mark.parametrize(
    ("metadata", "problems"),
    [
        ({"event_type": "due", "event_payload": {"key": "a", "n": 1, "b": True}}, []),
        ({}, []),
        ({"event_type": "due"}, ["metadata.event_payload: missing"]),
        ("due", ["metadata: must be an object"]),
        (
            {"event_type": "due", "event_payload": {"key": {"deep": 1}}},
            ["metadata.event_payload.key: must be a text, a number or true/false: the payload is flat"],
        ),
    ],
)
def test_metadata(metadata: Any, problems: list[str]) -> None:
    assert problems_of_message({"text": "a", "metadata": metadata}) == problems


@pytest.mark.parametrize("key", ["title", "submit", "close"])
def test_bar_of_a_form(key: str) -> None:
    assert problems_of_view(modal(section()) | {key: x(24)}) == []
    assert problems_of_view(modal(section()) | {key: x(25)}) == [f"{key}: 25 characters, 24 allowed"]


@pytest.mark.parametrize(
    ("key", "most"), [("private_metadata", 3_000), ("callback_id", 255), ("external_id", 255)]
)
def test_texts_of_a_form(key: str, most: int) -> None:
    view = modal(section())
    assert problems_of_view(view | {key: "x" * most}) == []
    assert problems_of_view(view | {key: "x" * (most + 1)}) == [
        f"{key}: {most + 1:,} characters, {most:,} allowed"
    ]


def test_what_is_wrong_in_a_form() -> None:
    asked = field("f", {"type": "plain_text_input", "focus_on_load": True})
    no_submit = modal(asked)
    del no_submit["submit"]
    assert problems_of_view(no_submit) == [
        "submit: missing: a modal with an input block needs a submit button"
    ]
    no_title = modal(section())
    del no_title["title"]
    assert problems_of_view(no_title) == ["title: missing"]
    assert problems_of_view({"type": "sheet"}) == ["type: `sheet` isn't a kind of view: modal or home"]
    assert problems_of_view({"type": "home", "blocks": [asked]}) == []
    assert problems_of_view({"type": "home", "blocks": [], "title": plain("a")}) == ["title: unknown key"]
    twice = modal(asked, asked | {"block_id": "g"})
    assert problems_of_view(twice) == ["blocks: 2 elements have focus_on_load, 1 allowed"]
    assert problems_of_view(modal(table(1, 1))) == ["blocks[0].type: `table` can't be shown in a modal view"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "elements", "element", "options", "rows", "label"]), inner
        )
    ),
    max_leaves=8,
)
KINDS = ["section", "actions", "context", "input", "image", "table", "rich_text", "header", "markdown"]


@settings(max_examples=60)
@given(
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(["text", "elements", "element", "rows", "label"]), JSON),
)
def test_no_garbage_breaks_the_check(kind: str, rest: dict[str, Any]) -> None:
    block = {"type": kind} | rest
    for problem in of(block) + problems_of_view(modal(block)):
        assert problem.startswith(("blocks", "submit"))
