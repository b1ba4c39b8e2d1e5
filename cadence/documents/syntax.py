"""YAML's own rules: the meaning of an unquoted word (core schema of YAML 1.2), and its errors in plain
words."""

import re
from typing import TYPE_CHECKING

from cadence.documents.problems import Problem

if TYPE_CHECKING:
    from ruamel.yaml.error import MarkedYAMLError

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_MOST_DIGITS = 18  # longer numbers may be refused by Python's int(), and no document needs the precision

_QUOTE = 'put the whole value in quotes, such as title: "Reply: first draft"'
_EXPLAINED = (
    ("mapping values are not allowed", "a colon is out of place, or the line is indented too far", _QUOTE),
    ("cannot start any token", "a value can't begin with this character", _QUOTE),
    ("could not find expected ':'", "the line is neither `key: value` nor `- an item`", "write `key: value`"),
    ("quoted scalar", "a quote isn't closed properly", "close it, or double it inside the text"),
    ("expected ',' or ']'", "a [ isn't closed", "put commas between the items and ] at the end"),
    ("expected ',' or '}'", "a { isn't closed", "put commas between the pairs and } at the end"),
    ("found '<scalar>'", "text follows a value that has ended already", _QUOTE),
    (
        "<block end>",
        "the line's indentation doesn't match the lines above",
        "indent the keys of a group alike",
    ),
    (
        "<document start>",
        "the line's indentation doesn't match the lines above",
        "start top-level keys at the left margin",
    ),
    ("scanning an alias", "a value can't begin with *", _QUOTE),
    ("scanning an anchor", "a value can't begin with &", _QUOTE),
    ("tag", "a value can't begin with !", _QUOTE),
)


class WrittenInt(int):
    """A whole number that prints as it was written: `007`."""

    written: str

    def __str__(self) -> str:
        return self.written


class WrittenFloat(float):
    """A number that prints as it was written: `0.10`, `1e13`."""

    written: str

    def __str__(self) -> str:
        return self.written


def _as_written(number: WrittenInt | WrittenFloat, word: str) -> WrittenInt | WrittenFloat:
    number.written = word
    return number


def resolve(word: str) -> str | int | float | bool | None:
    """The value of an unquoted word, by the core schema: `NO`, `1:30` and `2026-12-20` are text."""
    if word in _WORDS:
        return _WORDS[word]
    if _INTEGER.fullmatch(word):
        if len(word) > _MOST_DIGITS:
            return _as_written(WrittenFloat(word), word)
        return _as_written(WrittenInt(word, 0 if word[1:2] in {"o", "x"} else 10), word)
    if _FLOAT.fullmatch(word):
        return _as_written(WrittenFloat(word), word)
    if special := _SPECIAL_FLOAT.fullmatch(word):
        return _as_written(WrittenFloat("nan" if special[3] else f"{special[1]}inf"), word)
    return word


def explain(error: "MarkedYAMLError") -> Problem:
    """A syntax error of ruamel.yaml as a problem: its line, and an explanation for people who don't know
    YAML."""
    context, problem = str(error.context or ""), str(error.problem or "")
    opened = any(
        sign in context + problem for sign in ("quoted scalar", "flow sequence", "flow mapping", "simple key")
    )
    mark = (error.context_mark if opened else error.problem_mark) or error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    for sign, reason, right in _EXPLAINED:
        if sign in problem or sign in context:
            return Problem(line, "", reason, right)
    return Problem(line, "", f"this isn't YAML ({problem or context})", _QUOTE)
