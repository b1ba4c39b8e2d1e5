"""The Slack app manifest, generated from what the code uses."""

import json
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Any, Final
from urllib.parse import urlparse

from cadence.refusals import Refusal
from handlers.commands import COMMANDS
from handlers.shortcuts import SHORTCUTS
from handlers.workflows import STEPS, Step

NAME: Final = "Rollout Cadence"
ENDPOINT: Final = "/slack/events"
"""The path where `bot.web` receives Slack's requests."""
INSTALL: Final = "/slack/install"
"""The path where a workspace installs the bot."""
REDIRECT: Final = "/slack/oauth_redirect"
"""The path to which Slack redirects."""

NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "apps.connections.open": (),  # uses the app-level token, whose scope isn't part of a manifest
    "auth.test": (),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": ("channels:history", "groups:history", "im:history"),  # see `LOST_WITHOUT`
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.members": ("channels:read", "groups:read"),
    "conversations.open": ("im:write",),
    "files.completeUploadExternal": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.info": ("files:read",),
    "functions.completeError": (),
    "functions.completeSuccess": (),
    "oauth.v2.access": (),  # uses the client's ID and secret
    "users.info": ("users:read",),
    "users.list": ("users:read",),
    "views.open": (),
    "views.publish": (),
    "views.push": (),
    "views.update": (),
}
"""Every Web API method the code calls, with the bot scopes requested for it.

Any one of them is enough; several are for several kinds of channel. Source: the scopes in Slack's reference
for each method.
"""
_UNSURE = (
    "after a broken connection the bot can't check whether its message arrived in {place}, so it doesn't send the "
    "message again, unless it is an alert, which may then come twice"
)
LOST_WITHOUT: Final[Mapping[str, str]] = {
    "channels:history": _UNSURE.format(place="a public channel"),
    "groups:history": _UNSURE.format(place="a private channel"),
    "im:history": f"{_UNSURE.format(place='a DM')}, and text written to it there gets no answer",
    "files:read": "charts go to the thread of the closing post, and one may be missing after a broken connection",
}
"""What is lost without each of the optional scopes. They serve to find the bot's own message or file after an
attempt with an unclear result, to learn when a chart can be shown in its message, and to answer text in a DM."""
EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "app_home_opened": (),
    "member_joined_channel": ("channels:read", "groups:read"),
    "message.im": ("im:history",),
    "team_join": ("users:read",),
    "user_change": ("users:read",),
}
"""Every event the bot listens for, and the scopes it requires."""
OAUTH_EVENTS: Final[Mapping[str, tuple[str, ...]]] = {"app_uninstalled": (), "tokens_revoked": ()}
"""Further events for several workspaces: the bot is told when one uninstalled it."""
COMMANDS_SCOPE: Final = "commands"
STEP_EVENT: Final = "function_executed"
"""The event of a step in a workflow."""
ASSISTANTS: Final = "/mcp"
"""The path of the MCP server."""
ASSISTANTS_SCOPE: Final = "mcp:connect"

_SHORT = "Keeps a team's AI playbook to its standard, week after week."
_OVER_HTTP = (
    "Several workspaces install the bot over HTTP: add --http with its public address, such as "
    "--http https://cadence.example.com."
)
_ASSISTANTS_OVER_HTTP = (
    "Slackbot reaches the MCP server over HTTP: add --http with the bot's public address, such as "
    "--http https://cadence.example.com."
)
_ROTATES_WITH_OAUTH = "Only tokens that workspaces got by installing the bot are renewed: add --oauth."
_LONG = (
    "Rollout Cadence runs four-week cycles for teams that work with AI. Each week it asks every member one short "
    "question at their own local hour, takes the KPI number and the exceptions in seconds, and decides by evidence "
    "which steps AI may lead. Everybody can see why: each verdict shows the counts and the rule behind it."
)


def uses(scope: str) -> list[str]:
    """What a scope is for: Web API methods, events, or the slash commands."""
    found = [name for name, scopes in (*NEEDS.items(), *EVENTS.items()) if scope in scopes]
    return found or ["slash commands"]


def scopes() -> list[str]:
    """The bot scopes to request, in alphabetical order."""
    needed = (scope for each in (*NEEDS.values(), *EVENTS.values()) for scope in each)
    return sorted({COMMANDS_SCOPE, *needed})


def missing_scopes(granted: Iterable[str]) -> list[str]:
    """Those of `scopes()` that weren't granted."""
    held = set(granted)
    return [scope for scope in scopes() if scope not in held]


def manifest(
    *,
    socket_mode: bool,
    url: str | None,
    oauth: bool = False,
    rotates: bool = False,
    workflow_steps: bool = False,
    assistants: bool = False,
) -> dict[str, Any]:
    """The manifest, schema version 2.

    Args:
        socket_mode: Slack's requests come through a socket; no public address is needed.
        url: the bot's public address over HTTP, with or without `/slack/events`; not used in Socket Mode.
        oauth: several workspaces install the bot themselves, over HTTP.
        rotates: their tokens expire after half a day and are renewed; an app can't be switched back.
        workflow_steps: the steps for Workflow Builder, which need a paid plan.
        assistants: Slackbot calls the MCP server, over HTTP.

    Raises:
        Refusal: HTTP without a public address; OAuth without HTTP; rotation without OAuth; assistants without HTTP.
    """
    if (oauth and socket_mode) or (rotates and not oauth):
        raise Refusal(_OVER_HTTP if oauth else _ROTATES_WITH_OAUTH)
    if assistants and socket_mode:
        raise Refusal(_ASSISTANTS_OVER_HTTP)
    address = {} if socket_mode else {"request_url": _endpoint(url)}
    back = {"redirect_urls": [_endpoint(url).removesuffix(ENDPOINT) + REDIRECT]} if oauth else {}
    events = [
        *EVENTS,
        *(OAUTH_EVENTS if oauth else ()),
        *((STEP_EVENT,) if workflow_steps else ()),
    ]
    wanted = [*scopes(), *((ASSISTANTS_SCOPE,) if assistants else ())]
    steps = {"functions": {one.callback_id: _function(one) for one in STEPS}} if workflow_steps else {}
    return {
        "_metadata": {"major_version": 2},
        "display_information": {
            "name": NAME,
            "description": _SHORT,
            "long_description": _LONG,
            "background_color": "#1f3d3a",
        },
        "features": _features(address.get("request_url")),
        "oauth_config": {**back, "scopes": {"bot": sorted(wanted)}},
        "settings": {
            "event_subscriptions": {**address, "bot_events": sorted(events)},
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": workflow_steps,
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": rotates,
            **({"function_runtime": "remote"} if workflow_steps else {}),
        },
        **steps,
        **({"mcp_servers": {"rollout_cadence": _assistants(url)}} if assistants else {}),
    }


def _features(url: str | None) -> dict[str, Any]:
    """Home, the bot's name, its slash commands and shortcuts."""
    return {
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,
        },
        "bot_user": {"display_name": NAME, "always_online": True},
        "slash_commands": _commands(url),
        "shortcuts": [
            {
                "name": one.name,
                "type": "message" if one.on_message else "global",
                "callback_id": str(one.callback),
                "description": one.description,
            }
            for one in SHORTCUTS
        ],
    }


def _assistants(url: str | None) -> dict[str, str]:
    """The MCP server, for Slackbot, which says for whom it asks in requests it signs."""
    return {"url": _endpoint(url).removesuffix(ENDPOINT) + ASSISTANTS, "auth_type": "slack_identity_auth"}


def _function(step: Step) -> dict[str, Any]:
    """A step for Workflow Builder, with its inputs."""
    fields = {
        one.name: {"type": one.type, "title": one.title, "description": one.description}
        for one in step.inputs
    }
    return {
        "title": step.title,
        "description": step.description,
        "input_parameters": {
            "properties": fields,
            "required": [one.name for one in step.inputs if one.required],
        },
        "output_parameters": {
            "properties": {
                "answer": {"type": "string", "title": "Answer", "description": "What was recorded"}
            },
            "required": ["answer"],
        },
    }


def render_manifest(made: Mapping[str, Any], *, as_json: bool = False) -> str:
    """A manifest as YAML, or as JSON; ready to paste into Slack's form."""
    if as_json:
        return json.dumps(made, indent=2, ensure_ascii=False) + "\n"
    from ruamel.yaml import YAML  # noqa: PLC0415 - only `cadence manifest` writes one

    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.allow_unicode = True
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.width = 100
    text = StringIO()
    writer.dump(dict(made), text)
    return text.getvalue()


def _endpoint(url: str | None) -> str:
    base = (url or "").strip().rstrip("/")
    if not _is_address(base):
        raise Refusal(
            "Over HTTP, Slack needs the bot's public address: write one such as https://cadence.example.com."
        )
    return base if base.endswith(ENDPOINT) else base + ENDPOINT


def _is_address(text: str) -> bool:
    try:
        parsed = urlparse(text)
    except ValueError:
        return False
    plain = not (parsed.query or parsed.fragment or any(character.isspace() for character in text))
    return parsed.scheme == "https" and bool(parsed.hostname) and plain


def _commands(url: str | None) -> list[dict[str, Any]]:
    """The slash commands, from the grammar."""
    address = {"url": url} if url else {}
    return [
        {"command": slash, **address, **_described(slash), "should_escape": True}
        for slash in COMMANDS.slashes
    ]


def _described(slash: str) -> dict[str, str]:
    for entry in COMMANDS:
        if entry.command == slash:
            description = f"{entry.summary[0].upper()}{entry.summary[1:]}."
            return {"description": description, "usage_hint": entry.usage}
    return {
        "description": "Playbooks, teams, cycles, days away and settings; start with help.",
        "usage_hint": f"[{'|'.join(COMMANDS.heads)}] …",
    }
