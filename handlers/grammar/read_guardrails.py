"""Numbers of guardrails in a `/kpi` command: `CSAT=4.7`, `reopen-rate=3%`, `"reopen rate"=3%`."""

import re
from typing import Final

from cadence.mrkdwn import say
from cadence.refusals import Refusal
from handlers.grammar.teach import shown
from handlers.grammar.words import Typed, Word

_OPENS: Final = "\"'“„«"
_QUOTED: Final = re.compile(r"""["'“„«](?P<name>[^"'“”„«»=]{1,80})["'”“»]=(?P<value>\S+)""")
_LONGEST: Final = 6
_ELSEWHERE: Final = frozenset({"runs"})
"""Options of other commands, which may stand in a note."""
_NUMBER: Final = re.compile(r"[+\-]?[^\w\s]{0,2}[.,]?\d")


def take_guardrails(typed: Typed) -> tuple[tuple[str, str], ...]:
    """Take `name=number` out of the words, wherever it stands; (name, number) as typed.

    Raises:
        Refusal: one is given twice with different numbers.
    """
    found: dict[str, str] = {}
    same: dict[str, str] = {}
    kept: list[Word] = []
    words = typed.words
    while words:
        name, value, count = _next(words)
        if name is None:
            kept.append(words[0])
        elif found.setdefault(same.setdefault(name.casefold(), name), value) != value:
            raise Refusal(
                say(
                    "{name} is given twice, as {one} and as {two}. Which one?",
                    name=shown(f"{name}="),
                    one=shown(found[same[name.casefold()]]),
                    two=shown(value),
                )
            )
        words = words[count:]
    typed.words = kept
    return tuple(found.items())


def _next(words: list[Word]) -> tuple[str | None, str, int]:
    """The guardrail the words begin with, its number, and how many words that takes; None for no guardrail."""
    first = words[0]
    option = first.option
    if option and option[0] not in _ELSEWHERE and _NUMBER.match(option[1]):
        return first.text.partition("=")[0].strip(), option[1], 1
    if first.text[:1] and first.text[0] in _OPENS:
        for count in range(1, min(_LONGEST, len(words)) + 1):
            whole = _QUOTED.fullmatch(" ".join(word.text for word in words[:count]))
            if whole and _NUMBER.match(whole["value"]):
                return whole["name"].strip(), whole["value"], count
    return None, "", 1
