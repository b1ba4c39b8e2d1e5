"""The parts of a rendered message or view that Slack validates and people see."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from bot.sandbox.limits import problems_of_message, problems_of_view
from templates.render import Rendered, render
from tests.templates.samples import SAMPLES
from tests.templates.stretch import shortest

Shown = Rendered | dict[str, Any]
"""A message or a view. Many tests look at the same one: nobody changes it."""


@cache
def usual() -> dict[str, Shown]:
    """Every sample with its usual values, by name."""
    return {name: render(sample) for name, sample in SAMPLES.items()}


@cache
def short() -> dict[str, Shown]:
    """Every sample with the shortest values, by name."""
    return {name: render(shortest(sample)) for name, sample in SAMPLES.items()}


def problems(rendered: Shown) -> list[str]:
    if isinstance(rendered, Rendered):
        return problems_of_message({"text": rendered.text, "blocks": rendered.blocks}, update=True)
    return problems_of_view(rendered)


def characters(value: Any) -> int:
    if isinstance(value, dict):
        return sum(
            characters(part) for key, part in value.items() if key not in ("type", "action_id", "value")
        )
    if isinstance(value, list):
        return sum(map(characters, value))
    return len(value) if isinstance(value, str) else 0


def texts(value: Any, key: str = "") -> Iterator[str]:
    """All that people read; ids, values and what an input starts with are handed back raw by Slack."""
    if isinstance(value, dict) and value.get("type") == "raw_text":
        yield value["text"].replace("&", "&amp;")  # a cell is shown literally: only < and > could matter
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from texts(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part, key)
    elif isinstance(value, str) and key == "text":
        yield value


def mrkdwn_objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            yield value
        for part in value.values():
            yield from mrkdwn_objects(part)
    elif isinstance(value, list):
        for part in value:
            yield from mrkdwn_objects(part)


def blocks_of(rendered: Shown) -> Any:
    if isinstance(rendered, Rendered):
        return [{"text": rendered.text}, *rendered.blocks]
    return rendered
