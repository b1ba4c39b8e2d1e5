"""The Home tab: opened, turned; and what a person clicks there."""

from contextlib import suppress
from typing import Any

from slack_bolt import App

from cadence.actor import Actor
from cadence.flows.overview import turn_page
from cadence.flows.workspaces import invited
from cadence.refusals import Refusal
from handlers.context import Services, Turn
from handlers.listeners import UNREACHABLE, register_button
from handlers.payloads import Body, row_id
from handlers.views import home_view, on_home
from storage.engine import Clash, is_unreachable
from storage.work import UnitOfWork
from templates.contexts.answers import Refused
from templates.ids import Action


def register(app: App, services: Services) -> None:
    """Listen for the Home's events and its own buttons; the others on it are those of messages."""
    for action in (Action.HOME_BACK, Action.HOME_ON):
        register_button(app, services, action, turned)

    def opened(event: dict[str, Any], context: dict[str, Any]) -> None:
        workspace_id, member = str(context.get("team_id") or ""), str(event.get("user") or "")
        if not member or event.get("tab", "home") != "home" or context.get("from_elsewhere"):
            return
        try:
            with suppress(Clash):  # another process has met the same person just now
                services.meet(workspace_id, member)
            services.homes.opened(workspace_id, member)
        except Exception as error:
            if is_unreachable(error):
                services.homes.show(workspace_id, member, home_view(Refused(text=UNREACHABLE)))
            raise

    def joined(event: dict[str, Any], context: dict[str, Any]) -> None:
        if event.get("user") == context.get("bot_user_id"):
            invited(
                UnitOfWork(services.db, Actor.system(str(context.get("team_id") or "")), services.clock()),
                channel=str(event.get("channel") or ""),
            )

    app.event("app_home_opened")(opened)
    app.event("member_joined_channel")(joined)


def turned(turn: Turn, value: str, body: Body) -> None:
    """[Previous page] and [Next page]; the page shows when the Home is published, as after every click on it."""
    if not on_home(body):
        raise Refusal("This button turns the pages of the Home tab. Open it, and turn them there.")
    turn_page(turn.uow, page=row_id(value) or 1)
