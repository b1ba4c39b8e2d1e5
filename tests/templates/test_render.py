"""What the environment allows a template, and what it rejects."""

import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from jinja2 import DictLoader, Environment, TemplateAssertionError, UndefinedError, nodes

from cadence.mrkdwn import Mrkdwn
from templates import render as rendering
from templates.contexts.answers import InfoView
from templates.contexts.base import MessageContext
from templates.ids import Callback


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence(MessageContext):
    TEMPLATE: ClassVar[str] = "sentence"

    text: str


def test_a_compiled_template_depends_on_no_filter() -> None:
    """Jinja2 computes constants when it compiles, and compiled templates are kept."""
    environment = rendering.new_environment()
    assert environment.loader is not None
    constants = []
    for name in environment.list_templates(["j2"]):
        parsed = environment.parse(environment.loader.get_source(environment, name)[0])
        parsed.set_environment(environment)
        printed = [one for output in parsed.find_all(nodes.Output) for one in output.nodes]
        for node in [*printed, *parsed.find_all((nodes.Filter, nodes.Test))]:
            with suppress(nodes.Impossible):
                if not isinstance(node, nodes.TemplateData):
                    constants.append((name, node.as_const(nodes.EvalContext(environment, name))))
    assert constants == []


def test_a_template_is_compiled_once_and_again_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "_FOLDER", tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "__pycache__").mkdir()

    def rendered(text: str) -> str:
        (tmp_path / "sentence").write_text(text)
        return rendering.new_environment().get_template("sentence").render(text="a")

    compiled: list[str] = []
    compile_ = Environment.compile

    def noted(self: Environment, *given: Any) -> Any:
        compiled.append(given[1])
        return compile_(self, *given)

    monkeypatch.setattr(Environment, "compile", noted)
    assert [rendered("{{ text }}"), rendered("{{ text }}"), rendered("{{ text }}!")] == ["a", "a", "a!"]
    assert compiled == ["sentence", "sentence"]


def test_a_template_is_rendered_where_nothing_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "_FOLDER", tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "sentence").write_text("{{ text }}")
    assert rendering.new_environment().get_template("sentence").render(text="a") == "a"


@pytest.fixture
def template(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Templates of the test's own, in the environment as it is."""
    sources: dict[str, str] = {}
    environment = rendering.new_environment()
    environment.loader = DictLoader(sources)
    monkeypatch.setattr(rendering, "_ENVIRONMENT", environment)
    return sources


def test_values_are_escaped_unless_marked_raw(template: dict[str, str]) -> None:
    template["sentence"] = '{"text": "{{ text }}"} {"a": "{{ text|raw }}", "b": "{{ text|clip(7) }}"}'
    rendered = rendering.render(Sentence(text='<"a&b">'))
    assert rendered.text == '&lt;"a&amp;b"&gt;'
    assert rendered.blocks == [{"a": '<"a&b">', "b": '&lt;"a…'}]


def test_macros_and_set_blocks_are_not_escaped_twice(template: dict[str, str]) -> None:
    template["sentence"] = (
        "{% macro twice(words) %}{{ words }}{{ words }}{% endmacro %}"
        "{% set line %}{{ twice(text) }}!{% endset %}"
        '{"text": "{{ line }}"}'
    )
    assert rendering.render(Sentence(text="&")).text == "&amp;&amp;!"


def test_a_list_is_its_items_one_after_the_other(template: dict[str, str]) -> None:
    template["sentence"] = (
        '{"text": "x"} {"all": {% call array() %}"{{ text }}" {"a": [1, 2]} 3{% endcall %}}'
        '{"none": {% call array() %} {% endcall %}}'
    )
    assert rendering.render(Sentence(text="a, b")).blocks == [
        {"all": ["a, b", {"a": [1, 2]}, 3]},
        {"none": []},
    ]


@pytest.mark.parametrize(
    "name", ["safe", "e", "escape", "forceescape", "tojson", "replace", "join", "format"]
)
def test_filters_that_could_break_escaping_do_not_exist(template: dict[str, str], name: str) -> None:
    template["sentence"] = f'{{"text": "{{{{ text|{name} }}}}"}}'
    with pytest.raises(TemplateAssertionError, match=name):
        rendering.render(Sentence(text="x"))


def test_an_undefined_value_is_an_error(template: dict[str, str]) -> None:
    template["sentence"] = '{"text": "{{ txet }}"}'
    with pytest.raises(UndefinedError, match="txet"):
        rendering.render(Sentence(text="x"))


def test_a_message_without_json_is_an_error(template: dict[str, str]) -> None:
    template["sentence"] = "{{ text }}"
    with pytest.raises(ValueError, match="Expecting value"):
        rendering.render(Sentence(text="x"))


def test_a_modal_is_put_together_with_the_caller_s_ids() -> None:
    view = rendering.render(InfoView(title="About", paragraphs=("a", "b"), private_metadata='{"a": 1}'))
    assert view["type"] == "modal"
    assert view["private_metadata"] == '{"a": 1}'
    assert view["callback_id"] == Callback.INFO
    assert [block["text"]["text"] for block in view["blocks"]] == ["a", "b"]


def test_code_in_a_paragraph_keeps_its_indentation() -> None:
    view = rendering.render(InfoView(title="File", paragraphs=(Mrkdwn("```\nsteps:\n  - key:  draft\n```"),)))
    assert view["blocks"][0]["text"]["text"] == "```\nsteps:\n  - key:  draft\n```"
