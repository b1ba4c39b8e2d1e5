"""The button next to "Did you mean": runs the right command, if it can do no harm."""

from typing import Final

from cadence.refusals import Offer
from handlers.grammar.errors import clip
from handlers.grammar.table import ROOT, CommandTable
from templates.ids import Action

_LONGEST: Final = 1_500
_LABEL: Final = 75


def is_harmless(table: CommandTable, line: str) -> bool:
    """Whether a whole command, `/cadence status support-reply`, only shows something or opens a form."""
    slash, *words = line.split()
    if slash != ROOT:
        words = [slash.removeprefix("/"), *words]
    harmless = {entry.name: entry.harmless for entry in table}
    for count in (2, 1):
        when = harmless.get(" ".join(words[:count])) if len(words) >= count else None
        if when == "always" or (when == "bare" and len(words) == count):
            return True
    return len(words) == 1 and words[0] in table.groups


def suggestion(table: CommandTable, line: str) -> Offer | None:
    """The button for a suggested command; None if a click would change something."""
    line = " ".join(line.split())
    if len(line) > _LONGEST or not is_harmless(table, line):
        return None
    return Offer(clip(line, _LABEL), Action.TYPE_IT, line)
