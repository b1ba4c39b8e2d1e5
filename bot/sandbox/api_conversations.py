"""conversations.* and users.conversations"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from bot.sandbox.api_shared import entered, needs_scope, page_of, readable, truthy
from bot.sandbox.errors import SlackError
from bot.sandbox.kinds import Json
from bot.sandbox.payloads import show_message
from bot.sandbox.people import CHANNEL_PREFIX, Channel

if TYPE_CHECKING:
    from bot.sandbox.workspace import Workspace

_KINDS = {"public_channel": "public", "private_channel": "private", "im": "im"}


def _open(workspace: "Workspace", args: Json) -> Json:
    """One member's DM; group DMs aren't supported. A deactivated member gets no new one."""
    if args.get("channel"):
        return {"channel": {"id": readable(workspace, args["channel"]).id}}
    names = args.get("users")
    users = names.split(",") if isinstance(names, str) else list(names or [])
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > 1:
        raise SlackError("method_not_supported_for_channel_type")
    needs_scope(workspace, "im:write")
    user = workspace.user(users[0].strip())
    existing = {channel.user for channel in workspace.channels()}
    if user.is_bot:
        raise SlackError("invalid_user_combination")
    if user.deleted and user.id not in existing:
        raise SlackError("user_disabled")
    channel = workspace.dm_with(user.id)
    shown = channel.as_slack(workspace.app.user) if truthy(args.get("return_im")) else {"id": channel.id}
    return {"channel": shown, "already_open": user.id in existing, "no_op": user.id in existing}


def _info(workspace: "Workspace", args: Json) -> Json:
    return {"channel": readable(workspace, args["channel"], "read").as_slack(workspace.app.user)}


def _wanted(workspace: "Workspace", args: Json) -> list[Channel]:
    types = [part.strip() for part in str(args.get("types") or "public_channel").split(",")]
    if any(kind not in (*_KINDS, "mpim") for kind in types):
        raise SlackError("invalid_types")
    kinds = {_KINDS[kind] for kind in types if kind in _KINDS}
    for kind in sorted(kinds):
        needs_scope(workspace, f"{CHANNEL_PREFIX[kind]}:read")
    live_only = truthy(args.get("exclude_archived"))
    bot = workspace.app.user
    return [
        channel
        for channel in workspace.channels()
        if channel.kind in kinds
        and not (live_only and channel.archived)
        and (channel.kind == "public" or bot in channel.members)
    ]


def _list(workspace: "Workspace", args: Json) -> Json:
    page, more = page_of(_wanted(workspace, args), args)
    return {"channels": [channel.as_slack(workspace.app.user) for channel in page]} | more


def _list_of_user(workspace: "Workspace", args: Json) -> Json:
    user = workspace.user(args.get("user") or workspace.app.user)
    mine = [channel for channel in _wanted(workspace, args) if user.id in channel.members]
    page, more = page_of(mine, args)
    return {"channels": [channel.as_slack(workspace.app.user) for channel in page]} | more


def _members(workspace: "Workspace", args: Json) -> Json:
    channel = readable(workspace, args["channel"], "read")
    page, more = page_of(sorted(channel.members), args)
    return {"members": page} | more


def _bound(args: Json, key: str) -> Decimal | None:
    value = args.get(key)
    if value in (None, ""):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise SlackError(f"invalid_ts_{key}") from None


def _between(args: Json) -> Callable[[str], bool]:
    oldest, latest = _bound(args, "oldest"), _bound(args, "latest")
    inclusive = truthy(args.get("inclusive"))

    def inside(ts: str) -> bool:
        at = Decimal(ts)
        early = oldest is not None and (at < oldest or (at == oldest and not inclusive))
        late = latest is not None and (at > latest or (at == latest and not inclusive))
        return not early and not late

    return inside


def _history(workspace: "Workspace", args: Json) -> Json:
    """Newest first; thread replies only when they were broadcast, ephemeral messages never."""
    channel = entered(workspace, args["channel"], "history")
    inside = _between(args)
    found = [
        m for m in workspace.messages.all_in(channel.id) if inside(m.ts) and (m.broadcast or not m.in_thread)
    ]
    page, more = page_of(found[::-1], args)
    metadata = truthy(args.get("include_all_metadata"))
    shown = [show_message(workspace, message, metadata=metadata) for message in page]
    return {"messages": shown, "has_more": bool(more["response_metadata"]["next_cursor"])} | more


def _replies(workspace: "Workspace", args: Json) -> Json:
    """The first message of the thread and its answers, oldest first."""
    channel = entered(workspace, args["channel"], "history")
    ts = str(args["ts"])
    thread = workspace.messages.thread(channel.id, ts)
    if not thread:
        raise SlackError("thread_not_found")
    inside = _between(args)
    page, more = page_of(
        [message for message in thread if message.ts == ts or inside(message.ts)], args, default=1_000
    )
    metadata = truthy(args.get("include_all_metadata"))
    shown = [show_message(workspace, message, metadata=metadata) for message in page]
    return {"messages": shown, "has_more": bool(more["response_metadata"]["next_cursor"])} | more


def _join(workspace: "Workspace", args: Json) -> Json:
    channel = readable(workspace, args["channel"])
    if channel.kind != "public":
        raise SlackError("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackError("is_archived")
    joined = workspace.save_channel(replace(channel, members=channel.members | {workspace.app.user}))
    return {"channel": joined.as_slack(workspace.app.user)}


METHODS: Mapping[str, Callable[["Workspace", Json], Json]] = {
    "conversations.open": _open,
    "conversations.info": _info,
    "conversations.list": _list,
    "conversations.members": _members,
    "conversations.history": _history,
    "conversations.replies": _replies,
    "conversations.join": _join,
    "users.conversations": _list_of_user,
}
