"""The Home tab: opening it, its pages, and clicks on it."""

from contextlib import suppress
from typing import Any, Final

from slack_bolt import App

from cadence.actor import Actor
from cadence.flows.overview import turn_page
from cadence.flows.workspaces import invited
from cadence.refusals import Refusal
from handlers.context import RequestContext, Services
from handlers.feature import Feature
from handlers.listeners import UNREACHABLE
from handlers.payloads import Body, row_id
from handlers.views import home_view, on_home
from storage.engine import Conflict, is_unreachable
from storage.work import UnitOfWork
from templates.contexts.answers import HowItWorks, Refused
from templates.ids import Action


def register_events(app: App, services: Services) -> None:
    """Listen for Slack's events: the Home was opened, the bot was invited."""

    def opened(event: dict[str, Any], context: dict[str, Any]) -> None:
        workspace_id, member = str(context.get("team_id") or ""), str(event.get("user") or "")
        if not member or event.get("tab", "home") != "home" or context.get("from_elsewhere"):
            return

        def meet() -> None:
            with suppress(Conflict):  # another process has just looked up the same person
                services.meet(workspace_id, member)

        try:
            services.homes.opened(workspace_id, member, meet=meet)
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


def turned(context: RequestContext, value: str, body: Body) -> None:
    """[Previous page] and [Next page]; the page appears when the Home is published, as after every click
    on it."""
    if not on_home(body):
        raise Refusal("Page through the Home tab itself: open it and try again there.")
    turn_page(context.uow, page=row_id(value) or 1)


def explained(context: RequestContext, _value: str, _body: Body) -> None:
    """[How it works, in 30 seconds]."""
    context.open(HowItWorks())


FEATURE: Final = Feature(
    buttons={Action.HOME_BACK: turned, Action.HOME_ON: turned, Action.HOW_IT_WORKS: explained}
)
