"""Nothing a person typed becomes a mention, a link, a ping or a piece of a template."""

import json
import re
from pathlib import Path

import pytest

import templates
from cadence.mrkdwn import escape
from templates.contexts.answers import Refused
from templates.contexts.playbooks import ImportForm
from templates.render import render
from tests.templates.seen import blocks_of, mrkdwn_objects, usual
from tests.templates.stretch import NASTY

FILES = sorted(path for path in Path(templates.__file__).parent.rglob("*.j2") if "sandbox" not in path.parts)


def test_every_mrkdwn_text_is_verbatim() -> None:
    for name, rendered in usual().items():
        assert all(one["verbatim"] is True for one in mrkdwn_objects(blocks_of(rendered))), name


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
        r'"(?:action_id|block_id|callback_id|value|id|initial_\w+)": "|initial_users|hour:|tomorrow:|friday:'
        r"|set (?:value|value_mode|field|value_field|link_field|week)\b|macro row_value"
    )
    for line in path.read_text(encoding="utf-8").splitlines():
        if "|raw" in line:
            assert allowed.search(line), line


def test_rendering_is_plain_json() -> None:
    for name, rendered in usual().items():
        blocks = blocks_of(rendered)
        assert json.loads(json.dumps(blocks)) == blocks, name
