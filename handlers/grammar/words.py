"""The text of a command as words: Slack's escapes, quotes, dashes and options are parsed once, in one
place."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Final

# Invisible characters: control characters, halves of a surrogate pair, and marks that reorder a line.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_WORD = re.compile(r"(?:<[@#!][^<>]*>|\S)+")
_ESCAPED = re.compile(r"<([^<>]*)>|&(amp|lt|gt);")
_ENTITY = re.compile(r"&(amp|lt|gt);")
_ENTITIES: Final = {"amp": "&", "lt": "<", "gt": ">"}
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_NAME = re.compile(r"[\w-]+")
_NEXT_OPTION = re.compile(r"[\w-]+=")
_SEPARATORS = re.compile(r"(?:(?:[-\u2013:,;](?=\s|$)|\u2014)\s*)*")
_EDGES = "\"'`*~,.;:!?()[]\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u2026"
_QUOTES: Final = {
    '"': '"',
    "'": "'",
    "\u201c": "\u201d",
    "\u2018": "\u2019",
    "\u201e": "\u201c",
    "\u00ab": "\u00bb",
}

_KEPT_OPTION = re.compile(
    rf"(?<!\S)(?P<open>[{''.join(_QUOTES)}])(?P<word>[\w-]+=[^\s{''.join({*_QUOTES, *_QUOTES.values()})}]*)"
    rf"(?P<close>[{''.join(_QUOTES.values())}])(?![^\s.,;:!?)])"
)

OPENING_QUOTES: Final = frozenset(_QUOTES)


@lru_cache(maxsize=1024)
def unescape(text: str) -> str:
    """Undo Slack's escapes once (`&amp;lt;` was typed as `&lt;`); mentions become names, links addresses."""
    return _ESCAPED.sub(_unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    if found[2]:
        return _ENTITIES[found[2]]
    target, _, label = found[1].partition("|")
    kind, label = target[:1], label.lstrip("@#")
    if kind in ("@", "#"):
        target = kind + (label or target[1:])
    elif kind == "!":
        target = "@" + (label or target[1:])
    return _ENTITY.sub(lambda entity: _ENTITIES[entity[1]], target)


@lru_cache(maxsize=1024)
def _key(text: str) -> str:
    parts = groupby(text, key=lambda char: unicodedata.category(char) == "No")  # `²` would become `2`
    plain = "".join(
        "".join(part) if odd else unicodedata.normalize("NFKC", "".join(part)) for odd, part in parts
    ).casefold()
    return _DASHES.sub("-", plain).strip(_EDGES)


@dataclass(frozen=True, slots=True)
class Word:
    """One word and its place: `raw` as Slack sent it, `start` and `end` in the whole text."""

    raw: str
    start: int
    end: int

    @property
    def text(self) -> str:
        """The word as the person saw it when typing."""
        return unescape(self.raw)

    @property
    def key(self) -> str:
        """For comparing: lower case, plain dashes, without quotes and punctuation around it."""
        return _key(self.text)

    @property
    def member(self) -> str | None:
        """The Slack member ID, if the word mentions a person."""
        found = re.match(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>", self.raw)
        return found[1] if found else None

    @property
    def channel(self) -> str | None:
        """The Slack channel ID, if the word mentions a channel."""
        found = re.match(r"<#([A-Z0-9]+)(?:\|[^<>]*)?>", self.raw)
        return found[1] if found else None

    @property
    def option(self) -> tuple[str, str] | None:
        """The name, in lower case, and the value of `name=value`."""
        name, sign, value = self.text.partition("=")
        name = _DASHES.sub("-", name).strip().lstrip("-")
        return (name.casefold(), value.strip().strip(_EDGES)) if sign and _NAME.fullmatch(name) else None


class Typed:
    """The words of one command, taken from the left.

    Args:
        text: the command's text as Slack sent it.
    """

    def __init__(self, text: str) -> None:
        self.source = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
        self.words = _joined(
            [Word(found[0], *found.span()) for found in _WORD.finditer(self.source)], self.source
        )

    def __bool__(self) -> bool:
        """Whether a word is left."""
        return bool(self.words)

    def key(self, ahead: int = 0) -> str:
        """The key of the word this many places ahead; empty after the last word."""
        return self.words[ahead].key if ahead < len(self.words) else ""

    def take(self, count: int = 1) -> list[Word]:
        """Remove that many words from the left."""
        taken, self.words = self.words[:count], self.words[count:]
        return taken

    def without(self, word: Word) -> str:
        """The whole text without one word, still escaped."""
        return f"{self.source[: word.start]} {self.source[word.end :]}"

    def rest(self) -> str:
        """The remaining words as one text: single spaces, line breaks kept, unescaped; takes nothing."""
        parts: list[str] = []
        for at, word in enumerate(self.words):
            if at:
                parts.append("\n" if "\n" in self.source[self.words[at - 1].end : word.start] else " ")
            parts.append(word.text)
        return "".join(parts)

    def sentence(self) -> str | None:
        """Take the remaining words as a note, without a leading dash, surrounding quotes, and quotes that keep an
        option in the note: `"runs=3" were slow`."""
        text = self.rest()
        self.words = []
        text = _SEPARATORS.sub("", text, count=1)
        closing = _QUOTES.get(text[:1])
        inside = text[1:-1]
        if (
            closing
            and len(text) > 1
            and text[-1] == closing
            and closing not in inside
            and text[0] not in inside
        ):
            text = inside.strip()
        return _KEPT_OPTION.sub(_unquoted, text) or None


def _unquoted(found: re.Match[str]) -> str:
    return found["word"] if found["close"] == _QUOTES[found["open"]] else found[0]


def _joined(words: list[Word], source: str) -> list[Word]:
    """`week = 2`, `week= 2` and `week =2` are one word each; `csat= week=2` are two, the first without a value."""
    kept: list[Word] = []
    for word in words:
        before = kept[-1] if kept else None
        if before and (
            (word.raw.startswith("=") and _NAME.fullmatch(before.raw))
            or (
                before.raw.endswith("=")
                and _NAME.fullmatch(before.raw[:-1].rstrip())
                and not _NEXT_OPTION.match(word.raw)
            )
        ):
            kept[-1] = Word(source[before.start : word.end], before.start, word.end)
        else:
            kept.append(word)
    return kept
