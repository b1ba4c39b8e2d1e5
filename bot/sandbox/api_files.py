"""files.*: the external upload in its three steps."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bot.sandbox.api_shared import whole, writable
from bot.sandbox.errors import SlackError
from bot.sandbox.kinds import Json
from bot.sandbox.messages import Message

if TYPE_CHECKING:
    from bot.sandbox.workspace import Workspace


def _upload_url(workspace: "Workspace", args: Json) -> Json:
    length = whole(args["length"], 0)
    if length <= 0:
        raise SlackError("invalid_arguments", ["[ERROR] length must be greater than 0"])
    file = workspace.files.reserve(str(args["filename"]), length, str(args.get("alt_txt") or ""))
    return {"upload_url": f"{workspace.base_url}/upload/{file.secret}", "file_id": file.id}


def _complete(workspace: "Workspace", args: Json) -> Json:
    entries = args["files"]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SlackError("invalid_arguments", ["[ERROR] files must be a list of {id, title}"])
    place = args.get("channel_id") or (str(args.get("channels") or "").split(",")[0])
    channel = writable(workspace, place) if place else None
    now = workspace.clock.now()
    files = [
        workspace.files.finish(
            entry.get("id"),
            str(entry.get("title") or ""),
            scanned_at=now + workspace.capabilities.file_scan,
        )
        for entry in entries
    ]
    if channel:
        ts = workspace.messages.next_ts()
        names = tuple(file.id for file in files)
        comment = str(args.get("initial_comment") or "")
        thread = args.get("thread_ts") or None
        app = workspace.app
        workspace.messages.save(
            Message(channel.id, ts, app.user, app.bot_id, text=comment, thread_ts=thread, files=names)
        )
    return {"files": [file.as_slack(workspace.base_url, now) for file in files]}


def _info(workspace: "Workspace", args: Json) -> Json:
    """A completed file, with the messages that share it; an incomplete upload isn't known."""
    file = workspace.files.get(args["file"])
    if not file.complete:
        raise SlackError("file_not_found")
    shares: dict[str, dict[str, list[Json]]] = {}
    for message in workspace.messages.everywhere():
        if file.id in message.files:
            channel = workspace.channel(message.channel)
            share = {"ts": message.ts, "team_id": workspace.team_id, "channel_name": channel.name}
            if message.thread_ts:
                share["thread_ts"] = message.thread_ts
            kind = "public" if channel.kind == "public" else "private"
            shares.setdefault(kind, {}).setdefault(channel.id, []).append(share)
    listed = {
        name: [one for places in shares.values() for one in places if workspace.channel(one).kind == kind]
        for name, kind in (("channels", "public"), ("groups", "private"), ("ims", "im"))
    }
    shown = file.as_slack(workspace.base_url, workspace.clock.now())
    shown |= {"is_public": "public" in shares, "shares": shares} | listed
    return {"file": shown, "comments": [], "response_metadata": {"next_cursor": ""}}


METHODS: Mapping[str, Callable[["Workspace", Json], Json]] = {
    "files.getUploadURLExternal": _upload_url,
    "files.completeUploadExternal": _complete,
    "files.info": _info,
}
