"""Nothing a person typed becomes a mention, a link, a ping or a piece of a template."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import templates
from cadence.mrkdwn import escape
from templates.contexts.answers import Refused
from templates.contexts.forms import ImportForm
from templates.render import Rendered, render
from tests.templates.samples import SAMPLES
from tests.templates.stretch import NASTY, longest

FILES = sorted(path for path in Path(templates.__file__).parent.rglob("*.j2") if "sandbox" not in path.parts)
OURS = re.compile(r"<(?:@U01[A-Z0-9]+|#C01[A-Z0-9]+|https://example\.[^<>]*)>")


def texts(value: Any, key: str = "") -> Iterator[str]:
    """All that people read; ids, values and what an input starts with are handed back raw by Slack."""
    if isinstance(value, dict):
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


def blocks_of(rendered: Rendered | dict[str, Any]) -> Any:
    if isinstance(rendered, Rendered):
        return [{"text": rendered.text}, *rendered.blocks]
    return rendered


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_typed_is_never_active(name: str) -> None:
    for text in NASTY:
        for shown in texts(blocks_of(render(longest(SAMPLES[name], text)))):
            rest = OURS.sub("", shown)
            assert not re.search("[<>]", rest), shown
            assert not re.search(r"&(?!amp;|lt;|gt;)", rest), "an entity was cut in two"
            assert "49" not in rest or "{{7*7}}" not in text, "a template ran what was typed"
            assert "\u202e" not in rest, "the line is turned around"


@pytest.mark.parametrize("name", SAMPLES)
def test_every_mrkdwn_text_is_verbatim(name: str) -> None:
    assert all(one["verbatim"] is True for one in mrkdwn_objects(blocks_of(render(SAMPLES[name]))))


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_typed_text_arrives_whole(text: str) -> None:
    shown = render(Refused(text=text)).blocks[0]["text"]["text"]
    expected = re.sub(r"[\x00\x1b\r\u202c\u202e]", "", escape(text))
    assert shown == expected


def test_a_form_keeps_what_was_typed_as_it_was() -> None:
    typed = 'title: "A & B <c>"\n  steps:\n    - {{x}} \\ \t end  '
    view = render(ImportForm(typed=(typed,)))
    inputs = [block for block in view["blocks"] if block["type"] == "input"]
    assert inputs[0]["element"]["initial_value"] == typed
    assert "initial_value" not in inputs[1]["element"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_template_opens_a_way_around_escaping(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"\|\s*(safe|e|escape|forceescape|tojson|format|replace|join)\b", source)
    assert "autoescape" not in source
    assert "Markup" not in source
    assert "~" not in re.sub(r'"[^"]*"', "", "".join(re.findall(r"\{[{%].*?[%}]\}", source, re.DOTALL)))
    assert not re.search(r"<[!@#]", source), "mentions are written by filters"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_only_ids_and_values_of_slack_are_printed_raw(path: Path) -> None:
    allowed = re.compile(
        r'"(?:action_id|block_id|callback_id|value|initial_\w+)": "|initial_users|hour:|tomorrow:|friday:'
        r"|set (?:value|field|value_field|week)\b|macro row_value"
    )
    for line in path.read_text(encoding="utf-8").splitlines():
        if "|raw" in line:
            assert allowed.search(line), line


@pytest.mark.parametrize("name", SAMPLES)
def test_rendering_is_plain_json(name: str) -> None:
    blocks = blocks_of(render(SAMPLES[name]))
    assert json.loads(json.dumps(blocks)) == blocks
