"""What is rendered reads well: in a notification, with a screen reader, one of a thing or none of it."""

import re
from collections.abc import Iterator
from typing import Any

from templates.render import Rendered
from tests.templates.seen import Shown, blocks_of, short, texts, usual

NOT_NOUNS = frozenset({"has", "is", "was", "its", "this", "less", "plus"})
SIGNS = re.compile("[✓✗○●▲▼→←⚠️❗✅❌]")


def every() -> Iterator[tuple[str, Shown]]:
    """Each sample with usual and with the shortest values, and its name."""
    yield from usual().items()
    yield from short().items()


def every_text() -> Iterator[tuple[str, str]]:
    """Each text that people read of each sample, and the sample's name."""
    for name, rendered in every():
        for shown in texts(blocks_of(rendered)):
            yield name, shown


def test_the_notification_is_a_sentence_by_itself() -> None:
    for name, rendered in every():
        if isinstance(rendered, Rendered):
            assert re.search(r"[A-Za-z]{2}", rendered.text) or name in ("done", "refused", "refused-plain"), (
                name
            )
            assert "\n" not in rendered.text, name
            assert "*" not in rendered.text, f"{name}: a notification shows no bold"
            assert not re.search(r":[a-z_]+:", rendered.text), f"{name}: an emoji says nothing there"
            assert len(rendered.text) <= 300, name


def test_no_words_are_missing_and_none_is_doubled() -> None:
    for name, shown in every_text():
        assert not re.search(
            r"(?<=[\w:,] )None\b|[(=]None\b|\bnull\b|\bUndefined\b|\{\{|\}\}|\(\)|“”", shown
        ), (name, shown)
        assert not re.search(
            r"(?<!\n) {2}|(?<=\w) [,.;:](?=\s|$)|\.\.|,,|,\.|: ?\.", shown.replace("```", "")
        ), (name, shown)


def test_one_of_a_thing_is_not_written_as_several() -> None:
    for name, shown in every_text():
        found = set(re.findall(r"(?<![\d.,/=-])\b1 ([a-z]+s)\b", shown)) - NOT_NOUNS
        assert not found, (name, shown)


def test_nothing_is_said_by_a_sign_alone() -> None:
    for name, shown in every_text():
        for line in shown.splitlines():
            alone = SIGNS.search(line) and not re.search(r"[A-Za-z]{3}|\bx\b", SIGNS.sub("", line))
            assert not alone, (name, shown)


def images(node: Any) -> list[dict[str, Any]]:
    """Every image and every block of one."""
    if isinstance(node, list):
        return [found for one in node for found in images(one)]
    if isinstance(node, dict):
        own = [node] if node.get("type") == "image" else []
        return own + [found for one in node.values() for found in images(one)]
    return []


def test_every_chart_has_alternative_text() -> None:
    for name, rendered in every():
        blocks = rendered.blocks if isinstance(rendered, Rendered) else rendered["blocks"]
        assert all(len(one["alt_text"].split()) > 1 for one in images(blocks)), name


def test_buttons_that_do_different_things_say_different_things() -> None:
    """In one row two buttons with the same words would leave it to their place which is which."""
    for name, rendered in usual().items():
        blocks = rendered.blocks if isinstance(rendered, Rendered) else rendered["blocks"]
        for block in blocks:
            if block["type"] == "actions":
                labels = [one["text"]["text"] for one in block["elements"] if one["type"] == "button"]
                assert len(set(labels)) == len(labels), (name, labels)
