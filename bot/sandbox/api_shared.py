"""Shared by the methods of the Web API: accessible channels, validated messages and views, paged lists."""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from bot.sandbox.errors import SlackError
from bot.sandbox.kinds import Json, text_length
from bot.sandbox.limits import (
    BLOCK_TEXT,
    POST_TEXT,
    UPDATE_TEXT,
    VIEW_BYTES,
    problems_of_message,
    problems_of_metadata,
    problems_of_view,
)
from bot.sandbox.people import CHANNEL_PREFIX, Channel

if TYPE_CHECKING:
    from bot.sandbox.workspace import Workspace

Item = TypeVar("Item")
METADATA_BYTES = 16_000
PUBLIC_WRITE = "chat:write.public"


def slack_reasons(problems: Sequence[str], root: str = "") -> list[str]:
    """Problems worded as Slack words them: `[ERROR] what is wrong [json-pointer:/blocks/0/text]`."""
    reasons = []
    for problem in problems:
        path, colon, what = problem.partition(": ")
        if not colon:
            path, what = "", problem
        pointer = re.sub(r"[.\[]", "/", path).replace("]", "")
        reasons.append(f"[ERROR] {what} [json-pointer:{root}/{pointer}]" if path else f"[ERROR] {what}")
    return reasons


def truthy(value: object) -> bool:
    """A boolean argument, which forms send as text."""
    return value in (True, 1, "1", "true", "True")


def readable(workspace: "Workspace", channel_id: object, right: str | None = None) -> Channel:
    """A channel the bot can read: a private one only as a member; `right` adds the scope, such as
    "history"."""
    channel = workspace.channel(channel_id)
    if channel.kind == "private" and workspace.app.user not in channel.members:
        raise SlackError("channel_not_found")
    if right:
        needs_scope(workspace, f"{CHANNEL_PREFIX[channel.kind]}:{right}")
    return channel


def needs_scope(workspace: "Workspace", scope: str) -> None:
    """`missing_scope` unless the app was granted it."""
    if scope not in workspace.scopes:
        provided = ",".join(sorted(workspace.scopes))
        raise SlackError("missing_scope", extra={"needed": scope, "provided": provided})


def entered(workspace: "Workspace", channel_id: object, right: str) -> Channel:
    """A channel the bot is in."""
    channel = readable(workspace, channel_id, right)
    if workspace.app.user not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def writable(workspace: "Workspace", channel_id: object) -> Channel:
    """Where the bot may post: a channel by ID or `#name`, a member's DM by `D…` or by their user ID."""
    if isinstance(channel_id, str) and channel_id[:1] in "UW":
        try:
            channel = workspace.dm_with(channel_id)
        except SlackError:
            raise SlackError("channel_not_found") from None
    else:
        channel = readable(workspace, _by_name(workspace, channel_id))
    if channel.archived:
        raise SlackError("is_archived")
    if workspace.app.user not in channel.members and PUBLIC_WRITE not in workspace.scopes:
        raise SlackError("not_in_channel")
    return channel


def _by_name(workspace: "Workspace", name: object) -> object:
    if isinstance(name, str) and name.startswith("#"):
        return next((channel.id for channel in workspace.channels() if f"#{channel.name}" == name), name)
    return name


def check_message(workspace: "Workspace", args: Json, *, update: bool = False) -> None:
    """Raise Slack's error for an invalid message."""
    text, blocks = args.get("text") or "", args.get("blocks")
    if not any(args.get(key) for key in ("text", "blocks", "attachments", "markdown_text")):
        raise SlackError("no_text")
    if len(text) > (UPDATE_TEXT if update else POST_TEXT):
        raise SlackError("msg_too_long")
    if blocks is not None and not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if blocks and text_length(blocks) > BLOCK_TEXT:
        raise SlackError("msg_blocks_too_long")
    _check_metadata(args.get("metadata"))
    problems = problems_of_message(args, update=update)
    refused = workspace.capabilities.refused_blocks
    problems += [
        f"blocks[{at}].type: `{block['type']}` isn't a type of block"
        for at, block in enumerate(blocks or [])
        if block.get("type") in refused
    ]
    problems += [
        f"blocks[{at}].slack_file: invalid slack file"
        for at, block in enumerate(blocks or [])
        if block.get("type") == "image" and not _can_be_shown(workspace, block.get("slack_file"))
    ]
    if problems:
        raise SlackError("invalid_blocks", slack_reasons(problems), extra={"errors": problems})


def _can_be_shown(workspace: "Workspace", slack_file: object) -> bool:
    """Whether a message can show a picture: one from elsewhere, or a scanned file with the ID given."""
    if not isinstance(slack_file, dict) or "id" not in slack_file:
        return True
    try:
        file = workspace.files.get(slack_file["id"])
    except SlackError:
        return False
    return file.mimetype.startswith("image/") and file.is_scanned(workspace.clock.now())


def _check_metadata(metadata: object) -> None:
    if metadata is None:
        return
    problems = problems_of_metadata(metadata)
    if problems:
        raise SlackError("invalid_metadata_format", slack_reasons(problems))
    if len(json.dumps(metadata)) > METADATA_BYTES:
        raise SlackError("metadata_too_large")


def checked_view(args: Json, *kinds: str) -> Json:
    """The `view` argument; raises Slack's error if it is invalid."""
    view = args.get("view")
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", ["[ERROR] must provide an object [json-pointer:/view]"])
    if view.get("type") not in kinds:
        reason = f"[ERROR] must be one of: {', '.join(kinds)} [json-pointer:/view/type]"
        raise SlackError("invalid_arguments", [reason])
    if len(json.dumps(view).encode()) > VIEW_BYTES:
        raise SlackError("view_too_large")
    problems = problems_of_view(view)
    if problems:
        raise SlackError("invalid_arguments", slack_reasons(problems, "/view"))
    return view


def page_of(items: Sequence[Item], args: Json, default: int = 100) -> tuple[list[Item], Json]:
    """One page by `limit` and `cursor`, and the `response_metadata` that leads to the next."""
    try:
        start = int(base64.b64decode(args["cursor"], validate=True)) if args.get("cursor") else 0
    except (binascii.Error, ValueError):
        raise SlackError("invalid_cursor") from None
    limit = whole(args.get("limit"), default) or default
    end = start + max(1, min(limit, 1_000))
    following = base64.b64encode(str(end).encode()).decode() if end < len(items) else ""
    return list(items[start:end]), {"response_metadata": {"next_cursor": following}}


def whole(value: Any, default: int) -> int:
    """A whole-number argument, which forms send as text."""
    try:
        return int(value) if value not in (None, "") else default
    except (TypeError, ValueError):
        raise SlackError("invalid_arguments", [f"[ERROR] `{value}` isn't a whole number"]) from None
