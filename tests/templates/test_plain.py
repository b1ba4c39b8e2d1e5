"""The plain form of every message: sections only, within Slack's limits, and with every word of the original."""

import re

import pytest

from bot.sandbox.kinds import words_of
from cadence.mrkdwn import escape
from templates.plain import IN_VIEWS, PLAIN, plain_blocks
from templates.render import Json, Rendered, render
from tests.templates.samples import SAMPLES
from tests.templates.seen import problems
from tests.templates.stretch import NASTY, longest

MESSAGES = [name for name, sample in SAMPLES.items() if isinstance(render(sample), Rendered)]
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


def plain(name: str, text: str | None = None) -> tuple[Rendered, Rendered]:
    shown = render(SAMPLES[name] if text is None else longest(SAMPLES[name], text))
    assert isinstance(shown, Rendered)
    return shown, Rendered(shown.text, plain_blocks(shown.blocks))


@pytest.mark.parametrize("name", MESSAGES)
def test_the_plain_form_loses_nothing_and_needs_no_newer_block(name: str) -> None:
    shown, simple = plain(name)
    assert {block["type"] for block in simple.blocks} <= PLAIN
    assert not any("fields" in block for block in simple.blocks)
    assert problems(simple) == []
    named_by_its_row = {block["rows"][0][0]["text"] for block in shown.blocks if block["type"] == "table"}
    assert words(shown.blocks) - named_by_its_row <= words(simple.blocks)


@pytest.mark.parametrize("name", MESSAGES)
def test_the_longest_values_fit_in_the_plain_form_too(name: str) -> None:
    for text in NASTY:
        assert problems(plain(name, text)[1]) == [], text


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
