"""Text that is safe to show in Slack: what a person typed never becomes a mention, a link or a ping."""

import re
from string import Formatter

_ID = re.compile(r"[A-Z0-9]{2,24}")


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
    return Mrkdwn(f"<@{member}>") if _ID.fullmatch(member) else escape(member)


def channel_link(channel: str) -> Mrkdwn:
    """`<#C…>` for a Slack channel ID; anything else is shown as the plain text it is."""
    return Mrkdwn(f"<#{channel}>") if _ID.fullmatch(channel) else escape(channel)


def code(text: object) -> Mrkdwn:
    """Inline code; a backtick in the text can't end it early."""
    return Mrkdwn(f"`{escape(str(text).replace('`', 'ˋ').replace(chr(10), ' '))}`")


class _Escaping(Formatter):
    def format_field(self, value: object, format_spec: str) -> str:
        return escape(value if not format_spec else format(value, format_spec))


def say(sentence: str, **values: object) -> Mrkdwn:
    """Fill a sentence of our own; every value that isn't `Mrkdwn` is escaped on the way in."""
    return Mrkdwn(_Escaping().vformat(sentence, (), values))
