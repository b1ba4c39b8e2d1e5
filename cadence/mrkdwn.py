"""Text that is safe to show in Slack: what a person typed never becomes a mention, a link or a ping."""

import re
from string import Formatter

_MEMBER = re.compile(r"[UW][A-Z0-9]{1,23}")
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{1,23}")
_SPECIAL = re.compile(r"<([^<>]+)>")


class Mrkdwn(str):
    """Slack mrkdwn that is already escaped: templates print it as it stands."""

    __slots__ = ()


def escape(text: object) -> Mrkdwn:
    """Disarm `&`, `<` and `>`, as Slack's formatting guide asks; text already safe is left alone."""
    if isinstance(text, Mrkdwn):
        return text
    return Mrkdwn(str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def mention(member: str) -> Mrkdwn:
    """`<@U…>` for a Slack member ID; anything else is shown as the plain text it is."""
    return Mrkdwn(f"<@{member}>") if _MEMBER.fullmatch(member) else escape(member)


def channel_link(channel: str) -> Mrkdwn:
    """`<#C…>` for a Slack channel ID; anything else is shown as the plain text it is."""
    return Mrkdwn(f"<#{channel}>") if _CHANNEL.fullmatch(channel) else escape(channel)


def plain_text(text: str) -> str:
    """What people read of a message of Slack's: links by their words, `#channel`, no escapes.

    A mention stays `<@U…>`, for whoever knows the name to that ID.
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
    line = " ".join(escape(text).splitlines())
    return Mrkdwn(f"`{line.replace('`', 'ˋ')}`")


class _Escaping(Formatter):
    def format_field(self, value: object, format_spec: str) -> str:
        return escape(value if not format_spec else format(value, format_spec))


def say(sentence: str, **values: object) -> Mrkdwn:
    """Fill a sentence of our own; every value that isn't `Mrkdwn` is escaped on the way in."""
    return Mrkdwn(_Escaping().vformat(sentence, (), values))
