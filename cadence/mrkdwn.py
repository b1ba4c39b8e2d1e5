"""Text that is safe to show in Slack: what a person typed never becomes a mention, a link or a ping."""

import re
from string import Formatter

_MEMBER = re.compile(r"[UW][A-Z0-9]{1,23}")
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{1,23}")


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
