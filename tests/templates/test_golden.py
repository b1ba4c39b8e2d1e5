"""Every template with usual values renders exactly its golden file. UPDATE_GOLDEN=1 writes the files."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from templates.render import Rendered, render
from tests.templates.samples import SAMPLES
from tests.templates.seen import usual

GOLDEN = Path(__file__).parent / "golden"


def as_json(rendered: Rendered | dict[str, Any]) -> Any:
    if isinstance(rendered, Rendered):
        return {"text": rendered.text, "blocks": rendered.blocks}
    return rendered


@pytest.mark.parametrize("name", SAMPLES)
def test_template_says_what_its_golden_file_says(name: str) -> None:
    said = as_json(render(SAMPLES[name]))
    path = GOLDEN / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    assert said == json.loads(path.read_text(encoding="utf-8"))


def test_every_golden_file_has_its_sample() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(SAMPLES)


def test_sentences_are_set_with_single_spaces_and_no_stray_ones() -> None:
    for name, rendered in usual().items():
        said = json.dumps(as_json(rendered), ensure_ascii=False)
        assert re.findall(r"\w* {2,}\w*|\w* [,.;:)]\s|[a-z][.?!][A-Z]\w+|\(\s", said) == [], name


def test_the_first_line_is_the_notification() -> None:
    for name, rendered in usual().items():
        if isinstance(rendered, Rendered):
            assert 10 < len(rendered.text) < 300, name
            assert "\n" not in rendered.text, name
            assert "*" not in rendered.text, name
