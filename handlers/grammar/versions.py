"""Versions of a playbook in a command or a form: `v2`, `draft`."""

import re
from typing import Final

from cadence.mrkdwn import code, say
from cadence.refusals import Refusal
from handlers.grammar.errors import shown
from handlers.grammar.request import Request

DRAFT: Final = "draft"
_VERSION: Final = re.compile(r"v?([1-9][0-9]{0,4})")


def version_of(typed: str) -> int | None:
    """A form field's version: `v2` or `2`; None for `draft`.

    Raises:
        Refusal: on its field, if it is neither.
    """
    key = typed.strip().casefold()
    found = _VERSION.fullmatch(key)
    if found is None and key != DRAFT:
        raise Refusal(
            say(
                "{typed} isn't a version. Try {right} or {draft}.",
                typed=shown(typed[:40]),
                right=code("v2"),
                draft=code(DRAFT),
            ),
            field="version",
        )
    return int(found[1]) if found else None


def take_playbook_before_version(request: Request) -> str | None:
    """Take a playbook from the left, unless a version comes next."""
    named = request.playbook()
    key = request.typed.key()
    if named is None and request.typed and key != DRAFT and not _VERSION.fullmatch(key):
        raise request.no_playbook()
    return request.the_playbook(named)


def take_version(request: Request) -> int | None:
    """Take `v2`; None for `draft`, and without a word.

    Raises:
        Refusal: it is neither.
    """
    if not request.typed:
        return None
    word = request.typed.take()[0]
    found = _VERSION.fullmatch(word.key)
    if found is None and word.key != DRAFT:
        raise Refusal(say("{word} isn't a version. Try {right}.", word=shown(word.text), right=code("v2")))
    return int(found[1]) if found else None
