"""Slack accepts every rendered message and view, whatever the values."""

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path

import templates
import templates.contexts
from cadence.mrkdwn import escape
from cadence.refusals import Offer
from templates.contexts.answers import Done
from templates.contexts.ask import PlainForm
from templates.contexts.base import MessageContext, ViewContext
from templates.contexts.overview.home import Home
from templates.render import render
from tests.templates.samples import SAMPLES
from tests.templates.seen import problems, short, usual

FOLDER = Path(templates.__file__).parent


def context_classes() -> set[type]:
    modules = [
        import_module(found.name)
        for found in pkgutil.walk_packages(templates.contexts.__path__, "templates.contexts.")
    ]
    return {
        one
        for module in modules
        for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, MessageContext | ViewContext)
        and one not in (MessageContext, ViewContext, PlainForm)
    }


def own_templates() -> list[str]:
    named = [one.TEMPLATE for one in context_classes() if hasattr(one, "TEMPLATE")]
    own = [template for template in named if template != PlainForm.TEMPLATE]
    assert len(own) == len(set(own))
    return own


def test_every_context_has_a_sample() -> None:
    assert {type(sample) for sample in SAMPLES.values()} == context_classes()


def test_every_template_belongs_to_one_context_but_that_of_plain_forms() -> None:
    named = sorted({PlainForm.TEMPLATE, *own_templates()})
    files = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.json.j2"))
    assert named == files


def test_a_template_is_in_the_folder_of_its_feature() -> None:
    for one in context_classes():
        feature, template = one.__module__.split(".")[2], getattr(one, "TEMPLATE", "")
        if feature != "answers" and template not in ("", PlainForm.TEMPLATE, Home.TEMPLATE):
            assert template.split("/")[1] == feature, one.__name__


def test_usual_values_fit() -> None:
    for name, rendered in usual().items():
        assert problems(rendered) == [], name


def test_shortest_values_fit() -> None:
    for name, rendered in short().items():
        assert problems(rendered) == [], name


def test_buttons_of_one_action_stand_in_blocks_of_their_own() -> None:
    same = tuple(Offer(f"Pause {name}", "cycle.pause", name) for name in ("a", "b"))
    assert problems(render(Done(text=escape("Which one?"), offers=same))) == []
    assert (
        problems(render(Done(text=escape("Which one?"), offers=(*same, Offer("Show", "status.show"))))) == []
    )
    unlike = render(Done(text=escape("Which one?"), offers=(same[0], Offer("Show", "status.show"))))
    assert [block["type"] for block in unlike.blocks] == ["section", "actions"]
