"""Search on the page: the messages a member can read that hold the words they typed."""

import re
from typing import TYPE_CHECKING

from bot.sandbox.kinds import Json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.sandbox.messages import Message
    from bot.sandbox.person import Person
    from bot.sandbox.workspace import Workspace

MOST_FOUND = 20
_BEFORE, _AFTER = 30, 110
"""Characters shown before and after the first word that was found."""
_MENTION = re.compile(r"<[@#]([A-Z0-9]+)(?:\|[^>]*)?>")
_LABELED = re.compile(r"<[^<>|]*\|([^<>]*)>")
_BARE = re.compile(r"<([^<>|]*)>")
_STYLE = re.compile(r"(?<!\w)[*_~`]+(?=\S)|(?<=\S)[*_~`]+(?!\w)")


def search(workspace: "Workspace", person: "Person", typed: str) -> list[Json]:
    """The newest messages that hold every word, each with a few words around the first one found."""
    words = typed.casefold().split()
    if not words:
        return []
    rooms = [room.id for room in workspace.channels() if person.id in room.members]
    found = [
        _hit(workspace, message, text, words)
        for room in rooms
        for message in person.sees(room)
        if all(word in (text := readable(workspace, message)).casefold() for word in words)
    ]
    return sorted(found, key=lambda hit: str(hit["ts"]), reverse=True)[:MOST_FOUND]


def readable(workspace: "Workspace", message: "Message") -> str:
    """The words of a message as people read them, in one line."""
    names = {user.id: f"@{user.shown}" for user in workspace.users()}
    names |= {room.id: f"#{room.name}" for room in workspace.channels()}
    text = _MENTION.sub(lambda found: names.get(found[1], found[1]), message.words)
    text = _STYLE.sub("", _BARE.sub(r"\1", _LABELED.sub(r"\1", text)))
    for escaped, plain in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(escaped, plain)
    return " ".join(text.split())


def _hit(workspace: "Workspace", message: "Message", text: str, words: list[str]) -> Json:
    room = workspace.channel(message.channel)
    app = workspace.user(workspace.app.user).shown
    return {
        "place": room.id,
        "name": app if room.kind == "im" else f"#{room.name}",
        "ts": message.ts,
        "who": app if message.bot_id else workspace.user(message.user).shown,
        "at": message.posted_at.isoformat(timespec="seconds"),
        "text": "".join(_around(text, words[0])),
    }


def _around(text: str, word: str) -> "Iterator[str]":
    at = max(text.casefold().find(word), 0)
    start, end = max(0, at - _BEFORE), at + _AFTER
    if start:
        start = text.find(" ", start, at) + 1 or at
        yield "…"
    if end < len(text):
        yield f"{text[start:end].rpartition(' ')[0]}…"
    else:
        yield text[start:]
