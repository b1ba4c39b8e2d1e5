"""The longest and nastiest values: Slack accepts them, and no input becomes a mention, a link or a ping."""

import re
from collections.abc import Iterator
from functools import lru_cache

import pytest

from templates import filters
from templates.plain import plain_blocks
from templates.render import Rendered, render
from tests.templates.samples import SAMPLES
from tests.templates.seen import Shown, blocks_of, characters, mrkdwn_objects, problems, texts
from tests.templates.stretch import EVIL, NASTY, longest

OURS = re.compile(r"<(?:@U01[A-Z0-9]+|#C01[A-Z0-9]+|https://example\.[^<>]*|!date\^\d+\^[^<>|]*\|[\w :]+)>")
TEXT_OF_A_MESSAGE = 13_000
HIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\U000e0000-\U000e007f]"
    "|(?<=[a-z])\u200d(?=[a-z])"
)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
FORMATTED = re.compile(rf"[*_~`]{EVIL}[*_~`]|(^|\n)(&gt;|>) ?{EVIL}")


@pytest.fixture(autouse=True, scope="module")
def _each_text_is_filtered_once() -> Iterator[None]:
    """A stretched list repeats its texts; filters of them are pure, and take half the time of rendering it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("_clipped", "one_line", "visible", "escape", "in_json"):
            remembered = lru_cache(maxsize=10_000, typed=True)(getattr(filters, name))
            patch.setattr(filters, name, remembered)
        yield


@pytest.mark.parametrize("name", SAMPLES)
def test_the_longest_and_nastiest_values(name: str) -> None:
    """Rendered once for every rule: that takes more time than the rules."""
    for text in NASTY:
        rendered = render(longest(SAMPLES[name], text))
        slack_takes(rendered, text)
        what_is_typed_is_never_active(rendered, text)
        if EVIL in text:
            what_is_typed_formats_nothing(rendered)


def slack_takes(rendered: Shown, text: str) -> None:
    """Whole, and a message in its plain form too."""
    assert problems(rendered) == [], text
    if isinstance(rendered, Rendered):
        assert characters(rendered.blocks) <= TEXT_OF_A_MESSAGE, text
        assert len(rendered.text) <= 4_000, text
        assert problems(Rendered(rendered.text, plain_blocks(rendered.blocks))) == [], text


def what_is_typed_is_never_active(rendered: Shown, text: str) -> None:
    for shown in texts(blocks_of(rendered)):
        rest = OURS.sub("", shown)
        assert not re.search("[<>]", rest), shown
        assert not re.search(r"&(?!amp;|lt;|gt;)", rest), "an entity was cut in two"
        assert "49" not in rest or "{{7*7}}" not in text, "a template ran what was typed"
        assert HIDDEN.search(rest) is None, "something nobody can see"


def what_is_typed_formats_nothing(rendered: Shown) -> None:
    """No bold line of its own under the bot's words, no quote, no code: whichever template shows it."""
    head = [rendered.text] if isinstance(rendered, Rendered) else []
    for shown in [*head, *(one["text"] for one in mrkdwn_objects(blocks_of(rendered)))]:
        rest = CODE.sub("", shown)
        assert FORMATTED.search(rest) is None, rest
        assert not re.search(rf"\n\W*{EVIL}", rest), f"a line of its own: {rest}"
