"""Whatever the values, Slack takes what is rendered."""

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import templates
import templates.contexts
from bot.sandbox.limits import problems_of_message, problems_of_view
from templates.contexts.base import MessageContext, ViewContext
from templates.render import Rendered, render
from tests.templates.samples import SAMPLES
from tests.templates.stretch import NASTY, longest, shortest

FOLDER = Path(templates.__file__).parent
TEXT_OF_A_MESSAGE = 13_000


def problems(rendered: Rendered | dict[str, Any]) -> list[str]:
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


def context_classes() -> set[type]:
    modules = [
        import_module(f"templates.contexts.{found.name}")
        for found in pkgutil.iter_modules(templates.contexts.__path__)
    ]
    return {
        one
        for module in modules
        for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, MessageContext | ViewContext) and one not in (MessageContext, ViewContext)
    }


def test_every_context_has_a_sample() -> None:
    assert {type(sample) for sample in SAMPLES.values()} == context_classes()


def test_every_template_belongs_to_one_context() -> None:
    named = sorted(one.TEMPLATE for one in context_classes() if hasattr(one, "TEMPLATE"))
    files = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.json.j2"))
    assert named == files


@pytest.mark.parametrize("name", SAMPLES)
def test_usual_values_fit(name: str) -> None:
    assert problems(render(SAMPLES[name])) == []


@pytest.mark.parametrize("name", SAMPLES)
def test_shortest_values_fit(name: str) -> None:
    assert problems(render(shortest(SAMPLES[name]))) == []


@pytest.mark.parametrize("name", SAMPLES)
def test_longest_and_nastiest_values_fit(name: str) -> None:
    for text in NASTY:
        rendered = render(longest(SAMPLES[name], text))
        assert problems(rendered) == [], text
        if isinstance(rendered, Rendered):
            assert characters(rendered.blocks) <= TEXT_OF_A_MESSAGE, text
            assert len(rendered.text) <= 4_000, text
