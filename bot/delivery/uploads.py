"""Share a chart or a file: reserve, upload, complete; and look for it after an unclear attempt."""

import os
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from http.client import HTTPException
from typing import IO, Any, Final
from urllib.request import Request, urlopen

from bot.delivery.gateway import (
    CLOCKS_APART_SECONDS,
    Gateway,
    Identity,
    SlackGone,
    SlackRefused,
    SlackUnclear,
)
from cadence.mrkdwn import escape

_SECONDS: Final = 15
_SHARE: Final = "files.completeUploadExternal"


def upload(gateway: Gateway, *, content: bytes | IO[bytes], file: str, alt: str = "") -> str:
    """Upload a file, not visible yet, and return its ID. An open file is read from its beginning.

    Raises:
        SlackError: a call was refused. Nothing is shared in any case.
    """
    length = len(content) if isinstance(content, bytes) else _rewound(content)
    arguments = {"filename": file, "length": length} | ({"alt_txt": alt[:1000]} if alt else {})
    place = gateway.call("files.getUploadURLExternal", arguments)
    _put(str(place.get("upload_url") or ""), content, length)
    return str(place.get("file_id") or "")


def _rewound(content: IO[bytes]) -> int:
    length = content.seek(0, os.SEEK_END)
    content.seek(0)
    return length


def share(
    gateway: Gateway, *, file_id: str, title: str, channel: str, thread_ts: str = "", comment: str = ""
) -> None:
    """Share an uploaded file in a conversation, or in a thread of it.

    Raises:
        SlackError: the call was refused; `SlackUnclear` if it may have been carried out, or if Slack lost the
            upload and a retry makes sense.
    """
    arguments = {
        "files": [{"id": file_id, "title": title}],
        "channel_id": channel,
        "initial_comment": escape(comment or title),  # unlike the title, this is mrkdwn
    }
    _complete(gateway, arguments | ({"thread_ts": thread_ts} if thread_ts else {}))


def complete(gateway: Gateway, *, file_id: str, title: str) -> None:
    """Complete an upload without sharing it, for a message that shows it.

    Raises:
        SlackError: as `share`.
    """
    _complete(gateway, {"files": [{"id": file_id, "title": title}]})


def _complete(gateway: Gateway, arguments: dict[str, Any]) -> None:
    try:
        gateway.call(_SHARE, arguments)
    except SlackGone as lost:
        again = SlackUnclear(lost.code, may_land=False)
        again.method = _SHARE
        raise again from lost


def _put(url: str, content: bytes | IO[bytes], length: int) -> None:
    if not url.startswith(("https://", "http://")):
        raise SlackRefused("no upload_url")
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(length)}
    request = Request(url, data=content, headers=headers, method="POST")  # noqa: S310 - checked just above
    try:
        with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            answer.read()
    except (HTTPException, OSError) as error:
        raise SlackUnclear(type(error).__name__) from error


class FileState(StrEnum):
    """What Slack knows of an uploaded file."""

    UNKNOWN = "unknown"
    PROCESSING = "processing"
    """Completed, but not scanned yet: a message can't show it."""
    READY = "ready"
    SHARED = "shared"
    """Shared in the conversation that was asked about."""


def state_of(gateway: Gateway, *, file_id: str, channel: str) -> FileState:
    """The state of an uploaded file, with regard to a conversation.

    Raises:
        SlackError: files can't be read.
    """
    try:
        file = gateway.call("files.info", {"file": file_id}).get("file") or {}
    except SlackGone:
        return FileState.UNKNOWN
    shares = file.get("shares") or {}
    listed = [*(file.get("channels") or []), *(file.get("groups") or []), *(file.get("ims") or [])]
    if channel in listed or any(channel in places for places in shares.values()):
        return FileState.SHARED
    # Slack fills in the type once the file is scanned.
    return FileState.READY if file.get("mimetype") else FileState.PROCESSING


def is_shared(gateway: Gateway, *, file_id: str, channel: str) -> bool:
    """Whether a file is shared in a conversation; a file unknown to Slack isn't.

    Raises:
        SlackError: files can't be read.
    """
    return state_of(gateway, file_id=file_id, channel=channel) is FileState.SHARED


def is_attached(gateway: Gateway, *, file: str, channel: str, since: datetime, bot: Identity) -> bool:
    """Whether the bot shared a file of that name in a conversation since an instant.

    Raises:
        SlackError: the conversation can't be read.
    """
    oldest = f"{since.timestamp() - CLOCKS_APART_SECONDS:.6f}"
    answer = gateway.call("conversations.history", {"channel": channel, "oldest": oldest, "limit": 200})
    return any(one.get("name") == file for one in _files(answer, bot))


def _files(answer: Any, bot: Identity) -> Iterator[dict[str, Any]]:
    for message in answer.get("messages") or []:
        if message.get("user") == bot.user_id or (bot.bot_id and message.get("bot_id") == bot.bot_id):
            yield from message.get("files") or []
