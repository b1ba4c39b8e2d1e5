"""People and identity: auth.*, team.*, bots.*, users.*, usergroups.*, dnd.*, oauth.*, apps.*"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bot.sandbox.api_shared import page_of, truthy
from bot.sandbox.errors import SlackError
from bot.sandbox.kinds import Json

if TYPE_CHECKING:
    from bot.sandbox.workspace import Workspace


def _api_test(_workspace: "Workspace", args: Json) -> Json:
    if args.get("error"):
        raise SlackError(str(args["error"]))
    return {"args": {key: value for key, value in args.items() if key != "token"}}


def _auth_test(workspace: "Workspace", _args: Json) -> Json:
    return {
        "url": f"{workspace.base_url}/",
        "team": workspace.name,
        "team_id": workspace.team_id,
        "user": workspace.user(workspace.app.user).name,
        "user_id": workspace.app.user,
        "bot_id": workspace.app.bot_id,
        "is_enterprise_install": False,
    }


def _team_info(workspace: "Workspace", args: Json) -> Json:
    if args.get("team") not in (None, "", workspace.team_id):
        raise SlackError("team_not_found")
    return {
        "team": {
            "id": workspace.team_id,
            "name": workspace.name,
            "domain": workspace.domain,
            "email_domain": "",
        }
    }


def _bots_info(workspace: "Workspace", args: Json) -> Json:
    app = workspace.app
    if args.get("bot") not in (None, "", app.bot_id):
        raise SlackError("bot_not_found")
    return {
        "bot": {
            "id": app.bot_id,
            "app_id": app.app_id,
            "user_id": app.user,
            "name": app.name,
            "deleted": False,
        }
    }


def _user_info(workspace: "Workspace", args: Json) -> Json:
    return {"user": workspace.show_user(workspace.user(args["user"]))}


def _user_list(workspace: "Workspace", args: Json) -> Json:
    page, more = page_of(workspace.users(), args, default=1_000)
    return {"members": [workspace.show_user(user) for user in page]} | more


def _by_email(workspace: "Workspace", args: Json) -> Json:
    for user in workspace.members():
        if user.profile()["email"] == args["email"]:
            return {"user": workspace.show_user(user)}
    raise SlackError("users_not_found")


def _profile(workspace: "Workspace", args: Json) -> Json:
    return {"profile": workspace.user(args.get("user") or workspace.app.user).profile()}


def _groups(workspace: "Workspace", args: Json) -> Json:
    users = truthy(args.get("include_users"))
    return {
        "usergroups": [
            group.as_slack(workspace.team_id, users=users) for group in workspace.usergroups.values()
        ]
    }


def _group_users(workspace: "Workspace", args: Json) -> Json:
    group = workspace.usergroups.get(args["usergroup"])
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}


def _dnd_info(workspace: "Workspace", args: Json) -> Json:
    workspace.user(args.get("user") or workspace.app.user)
    return {"dnd_enabled": False, "next_dnd_start_ts": 1, "next_dnd_end_ts": 1}


def _oauth_access(workspace: "Workspace", args: Json) -> Json:
    """Enough of an installation to get a token: any code but an empty one is valid."""
    if not args.get("code"):
        raise SlackError("invalid_code")
    return {
        "app_id": workspace.app.app_id,
        "token_type": "bot",
        "access_token": workspace.app.token,
        "bot_user_id": workspace.app.user,
        "scope": ",".join(sorted(workspace.scopes)),
        "team": {"id": workspace.team_id, "name": workspace.name},
        "enterprise": None,
        "is_enterprise_install": False,
        "authed_user": {"id": next((user.id for user in workspace.members()), "")},
    }


def _open_connection(workspace: "Workspace", _args: Json) -> Json:
    if workspace.socket_url is None:
        raise SlackError("internal_error")
    return {"url": workspace.socket_url()}


METHODS: Mapping[str, Callable[["Workspace", Json], Json]] = {
    "api.test": _api_test,
    "auth.test": _auth_test,
    "team.info": _team_info,
    "bots.info": _bots_info,
    "users.info": _user_info,
    "users.list": _user_list,
    "users.lookupByEmail": _by_email,
    "users.profile.get": _profile,
    "usergroups.list": _groups,
    "usergroups.users.list": _group_users,
    "dnd.info": _dnd_info,
    "oauth.v2.access": _oauth_access,
    "apps.connections.open": _open_connection,
}
