"""The plain form of every message: sections only, within Slack's limits, and with every word of the original.

`test_extremes.py` looks at the plain form of the longest values.
"""

import re

from bot.sandbox.kinds import words_of
from cadence.mrkdwn import escape
from templates.plain import IN_VIEWS, PLAIN, plain_blocks
from templates.render import Json, Rendered
from tests.templates.seen import problems, usual

TABLE: Json = {
    "type": "table",
    "rows": [
        [{"type": "raw_text", "text": text} for text in row]
        for row in (["Step", "Lead", "Runs"], ["Draft *three* <replies>", "collaborative", "13"])
    ],
}


def words(blocks: list[Json]) -> set[str]:
    """What can be read: without formatting, and with look-alikes of it as the plain form has them."""
    return set(re.findall(r"\w+", escape(words_of(blocks))))


def test_the_plain_form_loses_nothing_and_needs_no_newer_block() -> None:
    for name, shown in usual().items():
        if not isinstance(shown, Rendered):
            continue
        simple = plain_blocks(shown.blocks)
        assert {block["type"] for block in simple} <= PLAIN, name
        assert not any("fields" in block for block in simple), name
        assert problems(Rendered(shown.text, simple)) == [], name
        named_by_its_row = {block["rows"][0][0]["text"] for block in shown.blocks if block["type"] == "table"}
        assert words(shown.blocks) - named_by_its_row <= words(simple), name


def test_a_row_of_a_table_becomes_a_line_that_names_its_columns() -> None:
    [section] = plain_blocks([TABLE])
    said = section["text"]["text"]
    assert said.startswith("*Draft ")
    assert said.endswith("· Lead collaborative · Runs 13")
    assert "<replies>" not in said
    assert "*three*" not in said


def test_fields_become_lines_and_keep_their_menu() -> None:
    field = {"type": "mrkdwn", "text": "*KPI*\n28 min"}
    menu = {"type": "overflow", "action_id": "menu", "options": []}
    [section] = plain_blocks([{"type": "section", "fields": [field, field], "accessory": menu}])
    assert section["text"]["text"] == "*KPI*: 28 min\n*KPI*: 28 min"
    assert section["accessory"] == menu


def test_a_modal_keeps_headers_and_fields_and_shows_tables_as_lines() -> None:
    header = {"type": "header", "text": {"type": "plain_text", "text": "Status"}}
    assert [block["type"] for block in plain_blocks([header, TABLE], kept=IN_VIEWS)] == ["header", "section"]
