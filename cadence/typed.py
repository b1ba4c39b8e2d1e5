"""Input without invisible characters: those hide words, or reverse a line."""

import re
from typing import Final
from unicodedata import category

_SUSPECT: Final = re.compile(r"[^\n\x20-\x7e\xa1-\xac\xae-\u02ff]")
"""Characters to check: anything that is neither ASCII nor a plain Latin letter or sign."""
_VISIBLE_FORMATS: Final = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2")
"""Visible signs of Arabic and Syriac that Unicode classifies as format characters."""
_BLANKS: Final = frozenset("\u115f\u1160\u17b4\u17b5\u3164\uffa0\u034f")
"""Letters and marks without any shape."""
_JOINERS: Final = frozenset("\u200c\u200d")
_FIRST_JOINED: Final = "\u0590"
"""From here on, joiners belong to scripts and emoji; before, they only hide."""
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_EMOJI_STYLE: Final = "\ufe0f"
_GONE: Final = frozenset({"Cc", "Cf", "Cs", "Cn"})
_BREAKS: Final = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def visible(text: str) -> str:
    """Text without control, zero-width, tag and direction characters; its line breaks stay, as `\\n`.

    Joiners stay where emoji and scripts need them, and one variation selector after what it selects from.
    """
    if _SUSPECT.search(text) is None:
        return text
    text = _BREAKS.sub("\n", text)
    kept: list[str] = []
    end = 0
    for found in _SUSPECT.finditer(text):
        char, plain, end = found[0], text[end : found.start()], found.end()
        if plain:
            kept.append(plain)
        before = kept[-1][-1] if kept else ""
        if char in _JOINERS:
            if (before == _EMOJI_STYLE or _is_joined(before)) and _is_joined(text[end : end + 1]):
                kept.append(char)
        elif _SELECTORS.match(char):
            if before.strip() and not _SELECTORS.match(before) and before not in _JOINERS:
                kept.append(char)
        elif char in "\t\u2800":
            kept.append(" ")
        elif char in _VISIBLE_FORMATS or (category(char) not in _GONE and char not in _BLANKS):
            kept.append(char)
    return "".join(kept) + text[end:]


def one_line(text: str) -> str:
    """`visible` text on one line, with one space between words."""
    return " ".join(visible(text).split())


def _is_joined(char: str) -> bool:
    """Whether a joiner can be next to a character: letters and marks of such scripts, and emoji."""
    if char < _FIRST_JOINED or char in _BLANKS or _SELECTORS.match(char):
        return False
    return category(char)[0] in "LM" or category(char) in ("So", "Sk")
