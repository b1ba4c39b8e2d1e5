"""Whatever the values, Slack takes what is rendered."""

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

import templates
import templates.contexts
from cadence.mrkdwn import escape
from cadence.refusals import Offer
from templates.contexts.answers import Done
from templates.contexts.base import MessageContext, ViewContext
from templates.render import render
from tests.templates.samples import SAMPLES
from tests.templates.seen import problems
from tests.templates.stretch import shortest

FOLDER = Path(templates.__file__).parent


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


def test_buttons_of_one_action_stand_in_blocks_of_their_own() -> None:
    same = tuple(Offer(f"Pause {name}", "cycle.pause", name) for name in ("a", "b"))
    assert problems(render(Done(text=escape("Which one?"), offers=same))) == []
    assert (
        problems(render(Done(text=escape("Which one?"), offers=(*same, Offer("Show", "status.show"))))) == []
    )
    unlike = render(Done(text=escape("Which one?"), offers=(same[0], Offer("Show", "status.show"))))
    assert [block["type"] for block in unlike.blocks] == ["section", "actions"]
