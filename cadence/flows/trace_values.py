"""Whatever an entry of the trail kept, as words."""

from typing import Any, Final

from templates import filters

_MODES: Final = frozenset(filters.MODE_WORDS)
_NEVER_SHOWN: Final = frozenset(
    {"id", "lesson", "adoption", "cycle", "setup", "handoff", "seed", "after_exception", "after_check_in"}
)
"""Ids and the like: kept for judging again, and no words for anybody."""


def mode_word(mode: str) -> str:
    """A mode as people write it; anything else as it is."""
    return filters.mode(mode) if mode in _MODES else mode


def plain(value: Any) -> str:
    """Anything an entry kept, as words: `rule strict, time zone UTC`. What is empty is left out."""
    match value:
        case None | False:
            return ""
        case True:
            return "yes"
        case dict():
            told = {str(name): plain(one) for name, one in value.items() if name not in _NEVER_SHOWN}
            return ", ".join(f"{_named(name)} {one}" for name, one in told.items() if one)
        case list():
            return ", ".join(filter(None, map(plain, value)))
        case float():
            return f"{value:g}"
    text = str(value)
    if text in _MODES:
        return mode_word(text)
    return _day(text) or text


def _named(name: str) -> str:
    return {"timezone": "time zone"}.get(name, name.replace("_", " "))


def _day(text: str) -> str:
    if len(text) != len("2026-03-02"):
        return ""
    try:
        return filters.day(text)
    except ValueError:
        return ""
