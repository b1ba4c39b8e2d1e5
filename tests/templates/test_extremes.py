"""The longest and nastiest values: Slack takes them, and nothing typed becomes a mention, a link or a ping."""

import re
from typing import Any

import pytest

from templates.render import Rendered, render
from tests.templates.samples import SAMPLES
from tests.templates.seen import blocks_of, characters, problems, texts
from tests.templates.stretch import NASTY, longest

OURS = re.compile(r"<(?:@U01[A-Z0-9]+|#C01[A-Z0-9]+|https://example\.[^<>]*)>")
TEXT_OF_A_MESSAGE = 13_000

Extremes = list[tuple[str, Rendered | dict[str, Any]]]


@pytest.fixture(scope="module", params=SAMPLES)
def extremes(request: pytest.FixtureRequest) -> Extremes:
    """One sample, drawn out with every nasty text."""
    return [(text, render(longest(SAMPLES[request.param], text))) for text in NASTY]


def test_slack_takes_the_longest_and_nastiest_values(extremes: Extremes) -> None:
    for text, rendered in extremes:
        assert problems(rendered) == [], text
        if isinstance(rendered, Rendered):
            assert characters(rendered.blocks) <= TEXT_OF_A_MESSAGE, text
            assert len(rendered.text) <= 4_000, text


def test_what_is_typed_is_never_active(extremes: Extremes) -> None:
    for text, rendered in extremes:
        for shown in texts(blocks_of(rendered)):
            rest = OURS.sub("", shown)
            assert not re.search("[<>]", rest), shown
            assert not re.search(r"&(?!amp;|lt;|gt;)", rest), "an entity was cut in two"
            assert "49" not in rest or "{{7*7}}" not in text, "a template ran what was typed"
            assert "\u202e" not in rest, "the line is turned around"
