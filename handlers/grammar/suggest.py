"""The button beside "Did you mean": it types the right command, where that can do no harm."""

from typing import Final

from cadence.refusals import Offer
from handlers.grammar.teach import clip
from templates.ids import Action

LOOKS: Final = frozenset(
    {
        *("help", "status", "why", "digest", "registry", "trace"),
        *("playbook list", "playbook show", "playbook export", "playbook diff", "team members", "cycle show"),
    }
)
"""Commands that change nothing, whatever stands behind their name."""
ASKS: Final = frozenset(
    {
        *("kpi", "attest", "exception", "rubric", "mode", "adopt", "learn", "handoff", "export", "away"),
        *("settings", "team create", "playbook new", "playbook import", "cycle start"),
    }
)
"""Commands that open a form when nothing stands behind their name."""
_GROUPS: Final = frozenset({"playbook", "team", "cycle"})
"""Alone they show what there is."""
_LONGEST: Final = 1_500
_LABEL: Final = 75


def is_harmless(line: str) -> bool:
    """Whether a whole command, `/cadence status support-reply`, only shows something or opens a form."""
    slash, *words = line.split()
    if slash != "/cadence":
        words = [slash.removeprefix("/"), *words]
    for count in (2, 1):
        name, rest = " ".join(words[:count]), words[count:]
        if len(words) >= count and (name in LOOKS or (name in ASKS and not rest)):
            return True
    return len(words) == 1 and words[0] in _GROUPS


def suggestion(line: str) -> Offer | None:
    """The button for a command that was probably meant; None where a click would change something."""
    line = " ".join(line.split())
    if len(line) > _LONGEST or not is_harmless(line):
        return None
    return Offer(clip(line, _LABEL), Action.TYPE_IT, line)
