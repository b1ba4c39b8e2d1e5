"""Text that is safe to show in Slack: what a person typed never becomes a mention, a link or a ping."""

import re
from string import Formatter

from cadence.typed import one_line

_MEMBER = re.compile(r"[UW][A-Z0-9]{1,23}")
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{1,23}")
_SPECIAL = re.compile(r"<([^<>]+)>")
_SPECIAL_CHARACTERS = re.compile(r"[^\x20-\x7e]|[&<>*_~`]|  ")
"""Characters that keep text from being shown as it is."""
_LOOKALIKES = {"*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ", ">": "›"}
_FORMATTING = re.compile(r"[*~`]|(?<![^\W_])_|_(?![^\W_])|^>")
"""Slack's formatting characters: an underscore only at the edge of a word, a quote only at the start of a
line."""


class Mrkdwn(str):
    """Slack mrkdwn that is already escaped: templates print it unchanged."""

    __slots__ = ()


def escape(text: object) -> Mrkdwn:
    """Typed text as one line of plain text: it can't format, link, mention, ping or hide anything.

    Formatting characters are replaced by look-alikes, because Slack can't escape them. A space at either end
    stays: templates print those between words. Safe text is left alone.
    """
    if isinstance(text, Mrkdwn):
        return text
    line = str(text)
    if _SPECIAL_CHARACTERS.search(line) is None:
        return Mrkdwn(line)
    plain = entities(_FORMATTING.sub(_disarmed, one_line(line)))
    return Mrkdwn(f"{' ' * line.startswith(' ')}{plain}{' ' * line.endswith(' ')}" if plain else plain)


def sentence(text: str) -> Mrkdwn:
    """A sentence of the bot's, with Slack's formatting: only `&`, `<` and `>` are escaped."""
    return text if isinstance(text, Mrkdwn) else Mrkdwn(entities(text))


def entities(text: str) -> str:
    """Escape `&`, `<` and `>` as Slack's formatting guide requires: enough inside a block of code or an
    address."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _disarmed(found: re.Match[str]) -> str:
    return _LOOKALIKES[found[0]]


def mention(member: str) -> Mrkdwn:
    """`<@U…>` for a Slack member ID; anything else is shown as the plain text it is."""
    return Mrkdwn(f"<@{member}>") if _MEMBER.fullmatch(member) else escape(member)


def channel_link(channel: str) -> Mrkdwn:
    """`<#C…>` for a Slack channel ID; anything else is shown as the plain text it is."""
    return Mrkdwn(f"<#{channel}>") if _CHANNEL.fullmatch(channel) else escape(channel)


def plain_text(text: str) -> str:
    """The visible text of a Slack message: links by their words, `#channel`, no escapes.

    A mention stays `<@U…>`, for callers that know the name.
    """
    return _SPECIAL.sub(_read_special, text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _read_special(found: re.Match[str]) -> str:
    what, _, label = found[1].partition("|")
    if what.startswith("@"):
        return f"<{what}>"
    if what.startswith("#"):
        return f"#{label or what[1:]}"
    if what.startswith("!"):
        return label or f"@{what[1:].partition('^')[0]}"
    return label or what.removeprefix("mailto:")


def code(text: object) -> Mrkdwn:
    """Inline code; neither a backtick nor a new line in the text can end it early."""
    line = text if isinstance(text, Mrkdwn) else entities(one_line(str(text)))
    line = " ".join(line.splitlines())
    return Mrkdwn(f"`{line.replace('`', 'ˋ')}`")


def coded(text: str) -> Mrkdwn:
    """A sentence with input between backticks: that becomes code, and the rest plain text."""
    if isinstance(text, Mrkdwn):
        return text
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Mrkdwn("".join(code(part) if at % 2 and part else escape(part) for at, part in enumerate(parts)))


class _Escaping(Formatter):
    def format_field(self, value: object, format_spec: str) -> str:
        return escape(value if not format_spec else format(value, format_spec))


def say(sentence: str, **values: object) -> Mrkdwn:
    """Fill in a sentence of the bot's; every value that isn't `Mrkdwn` is escaped."""
    return Mrkdwn(_Escaping().vformat(sentence, (), values))
