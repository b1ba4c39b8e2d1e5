"""What the app is sent, built exactly as Slack builds it (Slack's payload references)."""

import re
from typing import TYPE_CHECKING

from bot.sandbox.kinds import Json
from bot.sandbox.views import View, state_values

if TYPE_CHECKING:
    from bot.sandbox.messages import Message
    from bot.sandbox.people import Channel, User
    from bot.sandbox.workspace import Workspace

_KNOWN = re.compile(r"(<[@#][A-Z0-9]{2,24}(?:\|[^>]*)?>)")
_NAMED = re.compile(r"(?<![\w<])([@#])([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)")
VERIFICATION = "sandbox"
_ROOM_NAMES = {"im": "directmessage", "private": "privategroup"}


def escaped(workspace: "Workspace", text: str) -> str:
    """What is typed as Slack passes it on: names become `<@U…|name>` and `<#C…|name>`, other signs are escaped."""
    ids = {f"@{user.name}": f"<@{user.id}|{user.name}>" for user in workspace.users()}
    ids |= {f"#{room.name}": f"<#{room.id}|{room.name}>" for room in workspace.channels() if room.name}
    parts = _KNOWN.split(text)
    for at in range(0, len(parts), 2):
        plain = parts[at].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        parts[at] = _NAMED.sub(lambda found: ids.get(found.group(0), found.group(0)), plain)
    return "".join(parts)


def _room_name(channel: "Channel") -> str:
    return _ROOM_NAMES.get(channel.kind, channel.name)


def slash_command(workspace: "Workspace", user: "User", channel: "Channel", command: str, text: str) -> Json:
    """The form fields of a slash command."""
    return {
        "token": VERIFICATION,
        "team_id": workspace.team_id,
        "team_domain": workspace.domain,
        "channel_id": channel.id,
        "channel_name": _room_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": escaped(workspace, text),
        "api_app_id": workspace.app.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url(workspace, channel.id, user.id),
        "trigger_id": workspace.tickets.trigger(user.id),
    }


def response_url(workspace: "Workspace", channel: str, user: str, message_ts: str | None = None) -> str:
    """A new response URL for what a member just did."""
    return f"{workspace.base_url}/hooks/response/{workspace.tickets.response_url(channel, user, message_ts)}"


def _interaction(workspace: "Workspace", user: "User", kind: str, *, in_view: bool = False) -> Json:
    """The head of an interaction; in a view, `team` is the person's own workspace, elsewhere the app's."""
    home = user.team or workspace.team_id
    return {
        "type": kind,
        "token": VERIFICATION,
        "team": {"id": home, "domain": home.lower()}
        if in_view and user.team
        else {"id": workspace.team_id, "domain": workspace.domain},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": home},
        "api_app_id": workspace.app.app_id,
        "enterprise": None,
        "is_enterprise_install": False,
        "trigger_id": workspace.tickets.trigger(user.id),
    }


def message_action(
    workspace: "Workspace", user: "User", message: "Message", action: Json, state: dict[str, dict[str, Json]]
) -> Json:
    """`block_actions` from a message; an ephemeral message isn't repeated in it, as in Slack."""
    channel = workspace.channel(message.channel)
    body = _interaction(workspace, user, "block_actions") | {
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": message.channel,
            "is_ephemeral": message.ephemeral,
        },
        "channel": {"id": channel.id, "name": _room_name(channel)},
        "state": {"values": state_values(message.blocks, state)},
        "response_url": response_url(workspace, message.channel, user.id, message.ts),
        "actions": [action | {"action_ts": workspace.messages.next_ts()}],
    }
    if message.in_thread:
        body["container"]["thread_ts"] = message.thread_ts
    return body if message.ephemeral else body | {"message": show_message(workspace, message)}


def view_action(workspace: "Workspace", user: "User", view: View, action: Json) -> Json:
    """`block_actions` from a form or the Home."""
    return _interaction(workspace, user, "block_actions", in_view=True) | {
        "container": {"type": "view", "view_id": view.id},
        "view": show_view(workspace, view, user),
        "actions": [action | {"action_ts": workspace.messages.next_ts()}],
    }


def view_submission(workspace: "Workspace", user: "User", view: View) -> Json:
    """`view_submission`, with a response URL for each conversation menu that asks for one."""
    urls = []
    values = state_values(view.blocks, view.state)
    for block in view.blocks:
        element = block.get("element", {})
        if element.get("response_url_enabled"):
            state = values[block["block_id"]][element["action_id"]]
            chosen = str(state.get("selected_conversation") or state.get("selected_channel"))
            place = {"block_id": block["block_id"], "action_id": element["action_id"], "channel_id": chosen}
            urls.append(place | {"response_url": response_url(workspace, chosen, user.id)})
    shown = show_view(workspace, view, user)
    return _interaction(workspace, user, "view_submission", in_view=True) | {
        "view": shown,
        "response_urls": urls,
    }


def view_closed(workspace: "Workspace", user: "User", view: View, *, cleared: bool) -> Json:
    """`view_closed`; it carries no trigger."""
    body = _interaction(workspace, user, "view_closed", in_view=True)
    del body["trigger_id"]
    return body | {"view": show_view(workspace, view, user), "is_cleared": cleared}


def shortcut(workspace: "Workspace", user: "User", callback_id: str, message: "Message | None") -> Json:
    """A global shortcut, or a message shortcut when a message is given."""
    action_ts = workspace.messages.next_ts()
    if message is None:
        return _interaction(workspace, user, "shortcut") | {
            "callback_id": callback_id,
            "action_ts": action_ts,
        }
    channel = workspace.channel(message.channel)
    return _interaction(workspace, user, "message_action") | {
        "callback_id": callback_id,
        "action_ts": action_ts,
        "message_ts": message.ts,
        "channel": {"id": channel.id, "name": _room_name(channel)},
        "message": show_message(workspace, message),
        "response_url": response_url(workspace, channel.id, user.id, message.ts),
    }


def event_body(workspace: "Workspace", event: Json) -> Json:
    """An event in the envelope of the Events API."""
    ts = workspace.messages.next_ts()
    return {
        "token": VERIFICATION,
        "team_id": workspace.team_id,
        "context_team_id": workspace.team_id,
        "api_app_id": workspace.app.app_id,
        "event": {"event_ts": ts} | event,
        "type": "event_callback",
        "event_id": workspace.pulse.new_id("Ev"),
        "event_time": int(float(ts)),
        "is_ext_shared_channel": False,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": workspace.team_id,
                "user_id": workspace.app.user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
    }


def show_view(workspace: "Workspace", view: View, user: "User | None" = None) -> Json:
    """The view object as Slack answers it, and sends it when `user` did something in it."""
    defaults: Json = {"private_metadata": "", "callback_id": "", "external_id": ""}
    if view.kind == "modal":
        defaults |= {"submit": None, "close": None, "clear_on_close": False, "notify_on_close": False}
    return (
        defaults
        | view.body
        | {
            "id": view.id,
            "team_id": (user.team if user else "") or workspace.team_id,
            "app_installed_team_id": workspace.team_id,
            "state": {"values": state_values(view.blocks, view.state)},
            "hash": view.hash,
            "root_view_id": view.root,
            "previous_view_id": view.previous,
            "app_id": workspace.app.app_id,
            "bot_id": workspace.app.bot_id,
        }
    )


def show_message(workspace: "Workspace", message: "Message", *, metadata: bool = True) -> Json:
    """The message object of `conversations.history` and of interactions."""
    shown: Json = {"type": "message", "user": message.user, "ts": message.ts, "team": workspace.team_id}
    shown |= {"text": message.text} | message.extra
    if message.bot_id:
        shown |= {"bot_id": message.bot_id, "app_id": workspace.app.app_id}
    if message.blocks:
        shown["blocks"] = message.blocks
    if message.client_msg_id:
        shown["client_msg_id"] = message.client_msg_id
    if message.edited:
        shown["edited"] = {"user": message.user, "ts": message.edited}
    if message.metadata and metadata:
        shown["metadata"] = message.metadata
    if message.files:
        now = workspace.clock.now()
        shown["files"] = [
            workspace.files.get(name).as_slack(workspace.base_url, now) for name in message.files
        ]
    names = dict.fromkeys(name for name, _ in message.reactions)
    if names:
        given = {name: [user for other, user in message.reactions if other == name] for name in names}
        shown["reactions"] = [{"name": n, "users": users, "count": len(users)} for n, users in given.items()]
    return shown | _thread_of(workspace, message)


def _thread_of(workspace: "Workspace", message: "Message") -> Json:
    if message.in_thread:
        return {"thread_ts": message.thread_ts} | (
            {"subtype": "thread_broadcast"} if message.broadcast else {}
        )
    replies = [
        reply for reply in workspace.messages.thread(message.channel, message.ts) if reply.ts != message.ts
    ]
    if not replies:
        return {}
    users = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users": users,
        "reply_users_count": len(users),
        "latest_reply": replies[-1].ts,
    }
