"""The button next to "Did you mean": runs the whole right command, with everything that was typed."""

import re
from typing import Final

from cadence.refusals import Offer, Unknown
from handlers.grammar.errors import clip
from handlers.grammar.words import unescape
from templates.ids import Action

_LONGEST: Final = 1_500
"""Characters of a command in a button's value, of which Slack takes 2,000; a longer one isn't offered."""
_LABEL: Final = 75


def suggestion(line: str) -> Offer | None:
    """The button for a whole suggested command, still escaped; None if it is too long for one."""
    line = line.strip()
    if len(line) > _LONGEST:
        return None
    return Offer(clip(unescape(line), _LABEL), Action.TYPE_IT, line)


def corrected(line: str, unknown: Unknown) -> Offer | None:
    """The button for a typed command with its wrong word set right.

    None if no word is near, or if the wrong one doesn't occur exactly once in the line.
    """
    if not (unknown.typed and unknown.near):
        return None
    wrong = re.compile(rf"(?<![\w-]){re.escape(unknown.typed)}(?![\w-])")
    if len(wrong.findall(line)) != 1:
        return None
    return suggestion(wrong.sub(lambda _: str(unknown.near), line))
