"""What is rendered reads well: in a notification, with a screen reader, one of a thing or none of it."""

import re
from typing import Any

import pytest

from templates.render import Rendered, render
from tests.templates.samples import SAMPLES
from tests.templates.seen import blocks_of, texts
from tests.templates.stretch import shortest

NOT_NOUNS = frozenset({"has", "is", "was", "its", "this", "less", "plus"})
SIGNS = re.compile("[✓✗○●▲▼→←⚠️❗✅❌]")


def every(name: str) -> list[Rendered | dict[str, Any]]:
    """A sample with usual and with the shortest values."""
    return [render(SAMPLES[name]), render(shortest(SAMPLES[name]))]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_notification_is_a_sentence_by_itself(name: str) -> None:
    for rendered in every(name):
        if isinstance(rendered, Rendered):
            assert re.search(r"[A-Za-z]{2}", rendered.text) or name in ("done", "refused", "refused-plain"), (
                name
            )
            assert "\n" not in rendered.text
            assert "*" not in rendered.text, "a notification shows no bold"
            assert not re.search(r":[a-z_]+:", rendered.text), "an emoji says nothing there"
            assert len(rendered.text) <= 300


@pytest.mark.parametrize("name", SAMPLES)
def test_no_words_are_missing_and_none_is_doubled(name: str) -> None:
    for rendered in every(name):
        for shown in texts(blocks_of(rendered)):
            assert not re.search(
                r"(?<=[\w:,] )None\b|[(=]None\b|\bnull\b|\bUndefined\b|\{\{|\}\}|\(\)|“”", shown
            ), shown
            assert not re.search(
                r"(?<!\n) {2}|(?<=\w) [,.;:](?=\s|$)|\.\.|,,|,\.|: ?\.", shown.replace("```", "")
            ), shown


@pytest.mark.parametrize("name", SAMPLES)
def test_one_of_a_thing_is_not_written_as_several(name: str) -> None:
    for rendered in every(name):
        for shown in texts(blocks_of(rendered)):
            found = set(re.findall(r"(?<![\d.,/=-])\b1 ([a-z]+s)\b", shown)) - NOT_NOUNS
            assert not found, shown


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_is_said_by_a_sign_alone(name: str) -> None:
    for rendered in every(name):
        for shown in texts(blocks_of(rendered)):
            for line in shown.splitlines():
                assert not SIGNS.search(line) or re.search(r"[A-Za-z]{3}|\bx\b", SIGNS.sub("", line)), shown


def images(node: Any) -> list[dict[str, Any]]:
    """Every image and every block of one."""
    if isinstance(node, list):
        return [found for one in node for found in images(one)]
    if isinstance(node, dict):
        own = [node] if node.get("type") == "image" else []
        return own + [found for one in node.values() for found in images(one)]
    return []


@pytest.mark.parametrize("name", SAMPLES)
def test_every_chart_has_alternative_text(name: str) -> None:
    for rendered in every(name):
        blocks = rendered.blocks if isinstance(rendered, Rendered) else rendered["blocks"]
        assert all(len(one["alt_text"].split()) > 1 for one in images(blocks))


@pytest.mark.parametrize("name", SAMPLES)
def test_buttons_that_do_different_things_say_different_things(name: str) -> None:
    """In one row two buttons with the same words would leave it to their place which is which."""
    rendered = render(SAMPLES[name])
    blocks = rendered.blocks if isinstance(rendered, Rendered) else rendered["blocks"]
    for block in blocks:
        if block["type"] == "actions":
            labels = [one["text"]["text"] for one in block["elements"] if one["type"] == "button"]
            assert len(set(labels)) == len(labels), labels
