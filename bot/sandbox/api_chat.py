"""chat.* and reactions.*"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.sandbox.api_shared import check_message, readable, truthy, writable
from bot.sandbox.errors import SlackError
from bot.sandbox.kinds import Json
from bot.sandbox.messages import Message
from bot.sandbox.payloads import show_message
from bot.sandbox.views import with_ids

if TYPE_CHECKING:
    from bot.sandbox.workspace import Workspace

_KEPT = ("attachments", "username", "icon_emoji", "icon_url", "unfurl_links", "unfurl_media", "link_names")


def _markdown(args: Json) -> list[Json] | None:
    """Slack turns `markdown_text` into a markdown block."""
    text = args.get("markdown_text")
    return [{"type": "markdown", "text": text}] if text else args.get("blocks")


def _new(workspace: "Workspace", args: Json, channel: str, only_to: str | None = None) -> Message:
    kept_metadata = args.get("metadata") if workspace.capabilities.metadata else None
    return workspace.messages.save(
        Message(
            channel,
            workspace.messages.next_ts(),
            workspace.app.user,
            workspace.app.bot_id,
            text=args.get("text") or args.get("markdown_text") or "",
            blocks=with_ids(_markdown(args) or [], workspace.pulse),
            thread_ts=args.get("thread_ts") or None,
            only_to=only_to,
            metadata=kept_metadata or None,
            client_msg_id=args.get("client_msg_id"),
            broadcast=truthy(args.get("reply_broadcast")),
            extra={key: args[key] for key in _KEPT if args.get(key) is not None},
        )
    )


def _post_message(workspace: "Workspace", args: Json) -> Json:
    channel = writable(workspace, args["channel"])
    check_message(workspace, args)
    message = _new(workspace, args, channel.id)
    return {"channel": channel.id, "ts": message.ts, "message": show_message(workspace, message)}


def _post_ephemeral(workspace: "Workspace", args: Json) -> Json:
    channel = writable(workspace, args["channel"])
    if args["user"] not in channel.members:
        raise SlackError("user_not_in_channel")
    check_message(workspace, args)
    return {"message_ts": _new(workspace, args, channel.id, only_to=args["user"]).ts}


def _own(workspace: "Workspace", args: Json, refusal: str) -> Message:
    """The app's own message; ephemeral ones can't be found again, as in Slack."""
    if str(args["channel"])[:1] in "UW":
        raise SlackError("channel_not_found")
    channel = readable(workspace, args["channel"])
    message = workspace.messages.get(channel.id, str(args["ts"]))
    if message.ephemeral:
        raise SlackError("message_not_found")
    if message.bot_id != workspace.app.bot_id:
        raise SlackError(refusal)
    if channel.archived:
        raise SlackError("is_inactive" if refusal == "cant_update_message" else "is_archived")
    return message


def _update(workspace: "Workspace", args: Json) -> Json:
    """Omitted arguments (blocks, metadata) stay. An empty list or object removes them."""
    old = _own(workspace, args, "cant_update_message")
    kept_blocks = (
        {"blocks": old.blocks} if args.get("blocks") is None and not args.get("markdown_text") else {}
    )
    checked = args if args.get("blocks") != [] else args | {"blocks": None}
    check_message(workspace, checked, update=True)
    blocks = kept_blocks["blocks"] if kept_blocks else with_ids(_markdown(args) or [], workspace.pulse)
    metadata = old.metadata if args.get("metadata") is None else (args["metadata"] or None)
    message = replace(
        old,
        text=args.get("text") or args.get("markdown_text") or "",
        blocks=blocks,
        metadata=metadata if workspace.capabilities.metadata else None,
        edited=workspace.messages.next_ts(),
        extra=old.extra | {key: args[key] for key in _KEPT if args.get(key) is not None},
    )
    shown = show_message(workspace, workspace.messages.save(message))
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": shown}


def _delete(workspace: "Workspace", args: Json) -> Json:
    message = _own(workspace, args, "cant_delete_message")
    workspace.messages.remove(message)
    return {"channel": message.channel, "ts": message.ts}


def _permalink(workspace: "Workspace", args: Json) -> Json:
    channel = readable(workspace, args["channel"])
    message = workspace.messages.get(channel.id, str(args["message_ts"]))
    link = f"{workspace.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.in_thread:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def _react(workspace: "Workspace", args: Json) -> Json:
    channel = readable(workspace, args["channel"])
    message = workspace.messages.get(channel.id, str(args["timestamp"]))
    workspace.messages.react(message, str(args["name"]).strip(":"), workspace.app.user)
    return {}


METHODS: Mapping[str, Callable[["Workspace", Json], Json]] = {
    "chat.postMessage": _post_message,
    "chat.postEphemeral": _post_ephemeral,
    "chat.update": _update,
    "chat.delete": _delete,
    "chat.getPermalink": _permalink,
    "reactions.add": _react,
}
