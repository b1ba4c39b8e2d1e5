"""Where a message stands, told without asking Slack."""

import re
from collections.abc import Mapping
from typing import Final

_TS: Final = re.compile(r"[0-9]{1,12}\.[0-9]{1,6}")
_CHANNEL: Final = re.compile(r"[CGD][A-Z0-9]{1,23}")


_MESSAGE: Final = re.compile(
    r"https?://[^/\s]+/(?:archives/[CGD][A-Z0-9]+/p[0-9]+|app_redirect\?\S*message_ts=)\S*"
)


def is_message(link: str) -> bool:
    """Whether a link is one of a Slack message, so that the same link is the same message."""
    return _MESSAGE.fullmatch(link) is not None


def message_link(
    settings: Mapping[str, object],
    *,
    workspace_id: str,
    channel: str,
    ts: str,
    thread_ts: str | None = None,
) -> str | None:
    """The link of a message, as Slack's own "Copy link" writes it; None when the ids aren't Slack's.

    Args:
        settings: the workspace's, with its address as `auth.test` gave it. Without one the link goes through
            slack.com, which knows every workspace.
        thread_ts: of the thread that a reply stands in.
    """
    if not (_CHANNEL.fullmatch(channel) and _TS.fullmatch(ts)):
        return None
    base = settings.get("url")
    if not isinstance(base, str) or not base.startswith(("https://", "http://")):
        return f"https://slack.com/app_redirect?team={workspace_id}&channel={channel}&message_ts={ts}"
    link = f"{base.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
    reply = thread_ts is not None and thread_ts != ts and _TS.fullmatch(thread_ts)
    return f"{link}?thread_ts={thread_ts}&cid={channel}" if reply else link
