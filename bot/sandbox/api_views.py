"""views.*"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bot.sandbox.api_shared import checked_view
from bot.sandbox.errors import SlackError
from bot.sandbox.kinds import Json
from bot.sandbox.payloads import show_view

if TYPE_CHECKING:
    from bot.sandbox.workspace import Workspace


def _fresh_external_id(workspace: "Workspace", view: Json) -> None:
    """`duplicate_external_id` when another open view has it."""
    name = view.get("external_id")
    if not name:
        return
    try:
        workspace.views.find_external(name)
    except SlackError:
        return
    raise SlackError("duplicate_external_id")


def _open(workspace: "Workspace", args: Json) -> Json:
    body = checked_view(args, "modal")
    _fresh_external_id(workspace, body)
    user = workspace.tickets.exchange(args.get("trigger_id"))
    return {"view": show_view(workspace, workspace.views.open(user, body))}


def _push(workspace: "Workspace", args: Json) -> Json:
    body = checked_view(args, "modal")
    _fresh_external_id(workspace, body)
    user = workspace.tickets.exchange(args.get("trigger_id"))
    return {"view": show_view(workspace, workspace.views.push(user, body))}


def _update(workspace: "Workspace", args: Json) -> Json:
    if args.get("view_id"):
        view = workspace.views.find(args["view_id"])
    elif args.get("external_id"):
        view = workspace.views.find_external(args["external_id"])
    else:
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: view_id"])
    body = checked_view(args, view.kind)
    return {"view": show_view(workspace, workspace.views.update(view, body, args.get("hash")))}


def _publish(workspace: "Workspace", args: Json) -> Json:
    body = checked_view(args, "home")
    user = workspace.user(args["user_id"])
    return {"view": show_view(workspace, workspace.views.publish(user.id, body, args.get("hash")))}


METHODS: Mapping[str, Callable[["Workspace", Json], Json]] = {
    "views.open": _open,
    "views.push": _push,
    "views.update": _update,
    "views.publish": _publish,
}
