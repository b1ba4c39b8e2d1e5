"""Share a chart in a thread: reserve, upload, complete; and the look for what an unclear attempt left behind."""

from http.client import HTTPException
from typing import Final
from urllib.request import Request, urlopen

from bot.gateway import Gateway, Identity, SlackRefused, SlackUnclear

_SECONDS: Final = 15


def upload(gateway: Gateway, *, content: bytes, file: str, alt: str) -> str:
    """Upload a file that nobody sees yet, and return its ID.

    Raises:
        SlackError: a call wasn't taken. Nothing is shared, whichever it was.
    """
    arguments = {"filename": file, "length": len(content), "alt_txt": alt[:1000]}
    place = gateway.call("files.getUploadURLExternal", arguments)
    _put(str(place.get("upload_url") or ""), content)
    return str(place.get("file_id") or "")


def share(gateway: Gateway, *, file_id: str, title: str, thread: tuple[str, str]) -> None:
    """Share an uploaded file in a thread.

    Raises:
        SlackError: the call wasn't taken; `SlackUnclear` when it may have been.
    """
    channel, ts = thread
    gateway.call(
        "files.completeUploadExternal",
        {
            "files": [{"id": file_id, "title": title}],
            "channel_id": channel,
            "thread_ts": ts,
            "initial_comment": title,
        },
    )


def _put(url: str, content: bytes) -> None:
    if not url.startswith(("https://", "http://")):
        raise SlackRefused("no upload_url")
    headers = {"Content-Type": "application/octet-stream"}
    request = Request(url, data=content, headers=headers, method="POST")  # noqa: S310 - checked just above
    try:
        with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            answer.read()
    except (HTTPException, OSError) as error:
        raise SlackUnclear(type(error).__name__) from error


def is_shared(gateway: Gateway, *, title: str, thread: tuple[str, str], bot: Identity) -> bool:
    """Whether the bot's file of that title stands in the thread.

    Raises:
        SlackError: the thread can't be read.
    """
    channel, ts = thread
    answer = gateway.call("conversations.replies", {"channel": channel, "ts": ts, "limit": 200})
    return any(
        file.get("title") == title
        for message in answer.get("messages") or []
        if message.get("user") == bot.user_id or (bot.bot_id and message.get("bot_id") == bot.bot_id)
        for file in message.get("files") or []
    )
